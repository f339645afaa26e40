"""The few sentences that the agent says without its model: when it did not hear, cannot look up, or hears nobody.

Values only. An agent replaces them in ``[wording]`` of ``agent.toml``.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Wording"]


@dataclass(frozen=True, slots=True)
class Wording:
    """Spoken as they stand: lower case with stops, as all said words."""

    apology: str = "sorry, could you say that again?"
    """The caller spoke, but no words were heard; or the model gave no usable reply."""
    tool_failed: str = "sorry, i cannot look that up right now. is there anything else i can do for you?"
    """A tool raised or timed out. It ends in a question: a bare apology leaves the caller with nothing to answer."""
    still_there: str = "are you still there?"
    """Both were silent for a while."""
    lost_you: str = "i cannot hear you, so i will hang up now. goodbye."
    """Nobody answered that; the agent hangs up."""
