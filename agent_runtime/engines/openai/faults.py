"""What can go wrong at a server, in one line each: the value, the limit and the way out.

The client's own errors are named here and nowhere else. A key is never part of a line: what a server says about a
refused key may quote it, so that is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import openai

__all__ = ["NoWords", "Server", "ServerFault", "fault_of"]

_SAID_MOST = 160
"""Characters of a server's own words that a line repeats."""


_BROKEN_OFF = ("ReadError", "RemoteProtocolError")
"""Errors of the client's transport where a connection that stood ends too early; by name, as transports change."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the model is served, as an error names it. `key` is only held so that it can be kept out of lines."""

    url: str
    model: str
    timeout_s: float
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

    `recovered`: the same request may succeed later. `retry_after_s`: when the server said so. `refused`: the parameter
    that the server does not take, where it named one. `status`: of the HTTP answer, 0 where there was none.
    """

    def __init__(
        self, line: str, *, recovered: bool, status: int = 0, retry_after_s: float | None = None, refused: str = ""
    ) -> None:
        super().__init__(line)
        self.recovered, self.status, self.retry_after_s, self.refused = recovered, status, retry_after_s, refused


class NoWords(ServerFault):
    """The server answered, but with nothing that can be said or done."""


def fault_of(error: Exception, server: Server) -> ServerFault:
    """The fault behind an error of the client or of the connection."""
    if isinstance(error, ServerFault):
        return error
    at = f"server {server.url}"
    if isinstance(error, (openai.APITimeoutError, TimeoutError)):
        line = f"{at} sent nothing for {server.timeout_s:g} s; raise [engine] timeout_s, or look at the server's load"
        return ServerFault(line, recovered=True)
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, server, at)
    if isinstance(error, openai.APIConnectionError) and type(error.__cause__).__name__ not in _BROKEN_OFF:
        why = server.without_key(str(error.__cause__ or error)) or type(error.__cause__).__name__
        line = f"{at} cannot be reached ({why}); start it, or correct [engine] base_url"
        return ServerFault(line, recovered=True)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        line = f"{at} failed within a reply: {server.without_key(error.message)}; look at the server's log"
        return ServerFault(line, recovered=True)
    cause = error.__cause__ or error
    line = f"{at} broke off a reply ({type(cause).__name__}: {server.without_key(str(cause))}); look at its log"
    return ServerFault(line, recovered=True)


def _refusal(error: openai.APIStatusError, server: Server, at: str) -> ServerFault:
    """The fault behind an answer with an error status."""
    status, said = error.status_code, server.without_key(_words_of(error))
    if status in (401, 403):
        named = f"the key in {server.key_name}" if server.key_name else "a request without a key"
        way_out = f"put a valid key into {server.key_name}" if server.key_name else "name its variable in api_key_env"
        return ServerFault(f"{at} refuses {named} (status {status}); {way_out}", recovered=False, status=status)
    if status == 404:
        way_out = "correct [engine] model or base_url"
        line = f"{at} knows no model {server.model!r}, or not this address (404: {said}); {way_out}"
        return ServerFault(line, recovered=False, status=status)
    if status == 429:
        after_s = _retry_after_s(error)
        asks = f" and asks to wait {after_s:g} s" if after_s is not None else ""
        way_out = "ask it for a higher limit, or make fewer calls at once"
        line = f"{at} takes no more requests now (429){asks}: {said}; {way_out}"
        return ServerFault(line, recovered=True, status=status, retry_after_s=after_s)
    if status >= 500:
        return ServerFault(f"{at} failed (status {status}: {said}); look at its log", recovered=True, status=status)
    refused = str(getattr(error, "param", None) or "")
    return ServerFault(
        f"{at} refuses the request (status {status}: {said}); correct [engine] of the agent, or use another server",
        recovered=True,
        status=status,
        refused=refused,
    )


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
