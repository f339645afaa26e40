"""The wire form of ``/v1/completions`` with token ids: what is asked, and the tokens and figures of what comes back.

Servers differ in how they name tokens: vLLM gives ``token_ids`` where ``return_token_ids`` was asked for, llama-server
an ``id`` beside each log-probability, others only text, which is encoded again. Fields that a server does not know are
ignored by all of them. This file refuses to know sessions and sockets.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Piece", "Scored", "Spelling", "Write", "asked", "scored"]

TOP = 20
"""Log-probabilities asked for after a prompt: the most that vLLM gives by default."""


class Spelling(Protocol):
    """Text and token ids of the model's vocabulary."""

    def encode(self, text: str) -> list[int]:
        """Ids of text as a server writes it, role tokens by name."""
        ...

    def decode(self, ids: Sequence[int]) -> str: ...


@dataclass(frozen=True, slots=True)
class Write:
    """One request: `prompt` is written on by at most `most` tokens, the likeliest each."""

    prompt: tuple[int, ...]
    most: int
    only: tuple[int, ...] = ()
    """When given, the one token to write is the likeliest of these."""
    never: tuple[int, ...] = ()
    """Tokens that may not be written."""

    def parameters(self) -> dict[str, Any]:
        """The arguments of the client's call."""
        bias = dict.fromkeys(map(str, self.only), 100) | dict.fromkeys(map(str, self.never), -100)
        return {
            "prompt": list(self.prompt),
            "max_tokens": self.most,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
            # we end a reply ourselves, by closing: at which token is known to the call alone
            "extra_body": {"return_token_ids": True, "ignore_eos": True, "skip_special_tokens": False},
            **({"logit_bias": bias} if bias else {}),
        }


@dataclass(frozen=True, slots=True)
class Piece:
    """What came at once: tokens, and at the end how much of the prompt the server had in its cache."""

    tokens: tuple[int, ...] = ()
    cached: int | None = None
    text: str = ""
    """Words whose tokens are not known yet: a word may go on in the next piece."""


async def asked(client: Any, model: str, write: Write, spelling: Spelling) -> AsyncIterator[Piece]:
    """Send `write` and give the pieces of the answer. Closing the iterator closes the response."""
    held = ""
    async with await client.completions.create(model=model, **write.parameters()) as stream:
        async for chunk in stream:
            for choice in chunk.choices:
                ids = _ids_of(choice)
                if ids is not None:
                    yield Piece(tuple(ids))
                    continue
                held += choice.text or ""
                whole, held = _whole_words(held)
                if whole:
                    yield Piece(tuple(spelling.encode(whole)))
            if chunk.usage is not None:
                yield Piece(tuple(spelling.encode(held)), cached=_cached(chunk.usage))
                held = ""
    if held:
        yield Piece(tuple(spelling.encode(held)))


def _ids_of(choice: Any) -> list[int] | None:
    """The token ids of a streamed choice, None where the server gives only text."""
    ids = getattr(choice, "token_ids", None)
    if ids is not None:
        return [int(one) for one in ids]
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    if content and all("id" in one for one in content):
        return [int(one["id"]) for one in content]
    return None


def _whole_words(text: str) -> tuple[str, str]:
    """Text whose tokens cannot change any more, and the word (or role) at its end, which may still grow."""
    cut = max(text.rfind(" "), text.rfind("<"))
    if text.endswith(">") and cut >= 0 and text[cut] == "<":
        return text, ""
    return (text[:cut], text[cut:]) if cut > 0 else ("", text)


def _cached(usage: Any) -> int | None:
    details = getattr(usage, "prompt_tokens_details", None)
    return getattr(details, "cached_tokens", None)


# --- scores ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scored:
    """Log-probabilities of one prompt: of its own tokens where the server echoes, and of the likeliest after it."""

    of_prompt: tuple[float, ...] = ()
    after: Mapping[int, float] | None = None


async def scored(
    client: Any, model: str, prompts: Sequence[Sequence[int]], *, echo: bool, top: int, spelling: Spelling
) -> AsyncIterator[list[Scored]]:
    """One piece: the log-probabilities of each prompt, in their order."""
    body = {"return_token_ids": True, "return_tokens_as_token_ids": True, "ignore_eos": True}
    found = await client.completions.create(
        model=model,
        prompt=[list(prompt) for prompt in prompts],
        max_tokens=1,
        temperature=0,
        logprobs=top,
        echo=echo,
        extra_body=body,
    )
    rows = sorted(found.choices, key=lambda choice: choice.index)
    yield [_scored(row.logprobs, len(prompt), spelling) for row, prompt in zip(rows, prompts, strict=True)]


def _scored(logprobs: Any, length: int, spelling: Spelling) -> Scored:
    """Of a choice's ``logprobs`` in the classic form, or in llama-server's ``content``."""
    content = getattr(logprobs, "content", None)
    if content:
        return Scored((), {int(one["id"]): float(one["logprob"]) for one in content[-1].get("top_logprobs", ())})
    if logprobs is None or not logprobs.token_logprobs:
        return Scored()
    of_prompt = [0.0 if one is None else float(one) for one in logprobs.token_logprobs[:-1]]
    tops = logprobs.top_logprobs or [None]
    after = {_id_of(name, spelling): float(value) for name, value in (tops[-1] or {}).items()}
    return Scored(tuple(of_prompt) if len(of_prompt) == length else (), after)


def _id_of(name: str, spelling: Spelling) -> int:
    """The id of a token in a table of log-probabilities; -1 for a text that is no single token."""
    if name.startswith("token_id:"):
        return int(name.removeprefix("token_id:"))
    ids = spelling.encode(name)
    return ids[0] if len(ids) == 1 else -1
