"""What can go wrong at a server, in one line each: the value, the limit and the way out.

The client's own errors are named here and nowhere else. A key is never part of a line: what a server says about a
refused key may quote it, so that is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

import openai

__all__ = ["Server", "ServerFault", "fault_of"]

F = TypeVar("F", bound="ServerFault")

_SAID_MOST = 160
"""Characters of a server's own words that a line repeats."""

_BROKEN_OFF = ("ReadError", "RemoteProtocolError")
"""Errors of the client's transport where a connection that stood ends too early; by name, as transports change."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where a model is served, as an error names it. `key` is only held to be sent and kept out of lines."""

    section: str
    """Where the agent's file says so: ``[engine]``, ``[thinker]``, ``[voice]`` or ``[recogniser]``."""
    url: str
    """As the server's own guide gives it: ``https://api.openai.com/v1``."""
    model: str
    timeout_s: float = 10.0
    """A request that brings nothing for so long is given up."""
    key_name: str = ""
    key: str = field(default="", repr=False)

    def without_key(self, text: str) -> str:
        """`text` on one line, short, and without the key, should a server have repeated it."""
        text = " ".join(text.split())
        if self.key:
            text = text.replace(self.key, "***")
        return text if len(text) <= _SAID_MOST else text[: _SAID_MOST - 3] + "..."


class ServerFault(ConnectionError):
    """A server that cannot be reached, refuses, or breaks off. The message is one line.

    `recovered`: the same request may succeed later; `at_once`: without a wait, and whoever asked has not yet waited
    long. `retry_after_s`: when the server said so. `refused`: the parameter that the server does not take, where it
    named one. `status`: of the HTTP answer, 0 where there was none.
    """

    def __init__(
        self,
        line: str,
        *,
        recovered: bool,
        at_once: bool = False,
        status: int = 0,
        retry_after_s: float | None = None,
        refused: str = "",
    ) -> None:
        super().__init__(line)
        self.recovered, self.at_once, self.status = recovered, at_once, status
        self.retry_after_s, self.refused = retry_after_s, refused


def fault_of(error: Exception, server: Server, kind: type[F]) -> F:
    """The fault of that kind behind an error of the client or of the connection."""
    if isinstance(error, kind):
        return error
    at = f"server {server.url}"
    if isinstance(error, (openai.APITimeoutError, TimeoutError)):
        line = f"{at} sent nothing for {server.timeout_s:g} s; raise {server.section} timeout_s, or look at its load"
        return kind(line, recovered=True)
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, server, kind)
    cause = error.__cause__ or error
    why = server.without_key(str(cause)) or type(cause).__name__
    if isinstance(error, openai.APIConnectionError) and type(cause).__name__ not in _BROKEN_OFF:
        line = f"{at} cannot be reached ({why}); start it, or correct {server.section} base_url"
    elif isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        line = f"{at} failed within a reply: {server.without_key(error.message)}; look at its log"
    else:
        line = f"{at} broke off a reply ({type(cause).__name__}: {why}); look at its log"
    return kind(line, recovered=True, at_once=True)


def _refusal(error: openai.APIStatusError, server: Server, kind: type[F]) -> F:
    """The fault behind an answer with an error status."""
    at, status, said = f"server {server.url}", error.status_code, server.without_key(_words_of(error))
    if status in (401, 403):
        named = f"the key in {server.key_name}" if server.key_name else "a request without a key"
        way_out = f"put a valid key into {server.key_name}" if server.key_name else "name its variable in api_key_env"
        return kind(f"{at} refuses {named} (status {status}); {way_out}", recovered=False, status=status)
    if status == 404:
        line = f"{at} knows no model {server.model!r}, or not this address (404: {said}); "
        return kind(f"{line}correct {server.section} model or base_url", recovered=False, status=status)
    if status == 429:
        after_s = _retry_after_s(error)
        asks = f" and asks to wait {after_s:g} s" if after_s is not None else ""
        way_out = "ask it for a higher limit, or make fewer calls at once"
        line = f"{at} takes no more requests now (429){asks}: {said}; {way_out}"
        return kind(line, recovered=True, status=status, retry_after_s=after_s)
    if status >= 500:
        line = f"{at} failed (status {status}: {said}); look at its log"
        return kind(line, recovered=True, at_once=True, status=status)
    line = f"{at} refuses the request (status {status}: {said}); correct {server.section} of the agent, or use another "
    return kind(f"{line}server", recovered=True, status=status, refused=str(getattr(error, "param", None) or ""))


def _words_of(error: openai.APIStatusError) -> str:
    """What the server itself says is wrong."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        found = inner.get("message") if isinstance(inner, dict) else inner
        if found:
            return str(found)
    return str(error.message)


def _retry_after_s(error: openai.APIStatusError) -> float | None:
    """Seconds after which the server wants to be asked again; None where it does not say (RFC 9110, 10.2.3)."""
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:  # absent, or a date, which would need a clock of the wall
        return None
