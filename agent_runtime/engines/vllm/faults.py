"""What can go wrong in vLLM, in one line each: what failed, and the way out."""

from __future__ import annotations

__all__ = ["VLLMFault", "fault_of"]

_SAID_MOST = 200
"""Characters of vLLM's own words that a line repeats."""


class VLLMFault(RuntimeError):
    """vLLM does not start, refuses, or died. The message is one line. `recovered`: the next request may succeed."""

    def __init__(self, line: str, *, recovered: bool = True) -> None:
        super().__init__(line)
        self.recovered = recovered


_DEAD = ("EngineDeadError",)
"""By name, because what is dead needs no import of the guest."""


def fault_of(error: BaseException) -> VLLMFault:
    """The fault behind an error of vLLM's."""
    if isinstance(error, VLLMFault):
        return error
    if type(error).__name__ in _DEAD:
        line = "vLLM's engine process died; its own log says why (memory is the usual reason: lower max_model_len)"
        return VLLMFault(line, recovered=False)
    cause = error.__cause__ or error
    said = " ".join(str(cause).split()) or "no word of why"
    said = said if len(said) <= _SAID_MOST else said[: _SAID_MOST - 3] + "..."
    return VLLMFault(f"vLLM failed ({type(cause).__name__}: {said}); its own log says more")
