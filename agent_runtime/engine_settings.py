"""Which language model a call is thought with: the kinds of engine, and what each is told.

An agent names one engine, and may name others that stand in for it. This file refuses to know engines themselves.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "ENGINES",
    "AgentError",
    "AgentFileError",
    "EngineSettings",
    "ServerSettings",
    "VLLMSettings",
    "check_server",
]

ENGINES = ("embedded", "openai", "vllm")
"""Kinds of language model an agent may ask for."""
DTYPES = ("auto", "bfloat16", "float16", "float32")
"""Arithmetic that vLLM may be told."""


class AgentError(ValueError):
    """An agent whose pieces do not fit; one line naming the piece, the value and the way out."""


class AgentFileError(AgentError):
    """What is wrong with an agent's folder, in one line: the file, the key, the value and what was expected."""


def check_server(part: str, base_url: str, api_key_env: str, timeout_s: float) -> None:
    """What holds for the server of any part. Raises `AgentError`."""
    if not base_url.startswith(("http://", "https://")):
        raise AgentError(f"base_url is {base_url!r}; expected an address such as 'http://127.0.0.1:8000/v1'")
    if "@" in base_url or "?" in base_url:
        raise AgentError("base_url holds a user, a password or a query; name the key's variable in api_key_env")
    if api_key_env and not api_key_env.isidentifier():
        # what was given may be the key itself: it is not repeated
        raise AgentError("api_key_env is no name of an environment variable; put the key into one and name that")
    if not 0 < timeout_s <= 600:
        raise AgentError(f"{part} timeout_s is {timeout_s!r}; expected seconds above 0, at most 600")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where the language model is served, for the engine ``openai``."""

    base_url: str
    """As the server's own guide gives it: ``http://127.0.0.1:8000/v1``."""
    model: str
    """Its name at the server."""
    api_key_env: str = ""
    """Name of the environment variable that holds the key; empty: no key is sent. The key itself stands in no file."""
    tokens: bool = False
    """The server takes token ids (vLLM, llama-server) and its model speaks our token language."""
    timeout_s: float = 10.0
    """A request that brings nothing for so long is given up. A guess: a call that is silent longer is lost anyway."""

    def __post_init__(self) -> None:
        if not self.model.strip():
            raise AgentError("engine model is empty; name the model as the server does")
        check_server("engine", self.base_url, self.api_key_env, self.timeout_s)


@dataclass(frozen=True, slots=True)
class VLLMSettings:
    """How vLLM runs the language model in this program, for the engine ``vllm``; 0 and "auto": as vLLM chooses."""

    max_model_len: int = 0
    """Tokens of the longest call; its memory is set aside for it."""
    gpu_memory_utilization: float = 0.0
    """Share of the GPU's memory that vLLM takes, 0 to 1; leave room for what else runs there."""
    dtype: str = "auto"
    """Arithmetic: "bfloat16", "float16", "float32"."""

    def __post_init__(self) -> None:
        if self.max_model_len < 0 or 0 < self.max_model_len < 256:
            raise AgentError(
                f"engine max_model_len is {self.max_model_len}; expected at least 256 tokens, or leave it out"
            )
        if not 0 <= self.gpu_memory_utilization <= 1:
            raise AgentError(
                f"engine gpu_memory_utilization is {self.gpu_memory_utilization!r}; expected a share above 0, at most 1"
            )
        if self.dtype not in DTYPES:
            raise AgentError(f"engine dtype is {self.dtype!r}; expected one of {', '.join(DTYPES)}")


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """One language model: of the fields, those that its kind takes. Raises `AgentError` where they do not fit it."""

    kind: str
    model: Path | None = None
    """Folder of the model; None: the one in the box. Of a server that takes token ids: of its tokenizer."""
    server: ServerSettings | None = None
    vllm: VLLMSettings | None = None
    stall_s: float = 2.0
    """Without a token for so long it has failed, and the next engine stands in. A guess: about the wait at which people
    ask whether anybody is there."""

    def __post_init__(self) -> None:
        if self.kind not in ENGINES:
            raise AgentError(f"engine is {self.kind!r}; expected one of {', '.join(ENGINES)}")
        if (self.kind == "openai") != (self.server is not None):
            no_server = self.server is None
            wrong = "has no server; give base_url and model" if no_server else "takes no server; drop base_url"
            raise AgentError(f"engine {self.kind!r} {wrong}")
        if self.kind != "vllm" and self.vllm is not None:
            raise AgentError(f"engine {self.kind!r} takes no settings of vLLM; drop them, or ask for engine 'vllm'")
        if self.kind == "vllm" and self.vllm is None:
            object.__setattr__(self, "vllm", VLLMSettings())
        if not 0 < self.stall_s <= 600:
            raise AgentError(f"engine stall_s is {self.stall_s!r}; expected seconds above 0, at most 600")

    @property
    def title(self) -> str:
        """What to call it in one line of a log."""
        if self.server is not None:
            return f"{self.kind} ({self.server.model} at {self.server.base_url})"
        return f"{self.kind} ({self.model.name if self.model else 'the model in the box'})"

    def digested(self) -> list[Any]:
        """What of it may change a decision; the same on every machine."""
        return [self.kind, self.model.name if self.model else None, self.server, self.vllm, self.stall_s]
