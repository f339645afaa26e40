"""What can go wrong at a speech server, in one line each: the value, the limit and the way out.

The client's own errors are named here and nowhere else. A key is never part of a line: what a server says about a
refused key may quote it, so that is not repeated.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import openai

from audio.frame import AudioError

__all__ = ["SpeechServer", "SpeechServerError", "fault_of"]

_SAID_MOST = 160
"""Characters of a server's own words that a line repeats."""

_BROKEN_OFF = ("ReadError", "RemoteProtocolError")
"""Errors of the client's transport where a connection that stood ends too early; by name, as transports change."""


@dataclass(frozen=True, slots=True)
class SpeechServer:
    """Where speech is made or recognised, as an error names it. `key` is only held to be sent and kept out of lines."""

    section: str
    """Where the agent's file says so: ``[voice]`` or ``[recogniser]``."""
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


class SpeechServerError(AudioError, ConnectionError):
    """A server that cannot be reached, refuses, or breaks off. The message is one line.

    `again`: the same request may succeed at once. `status`: of the HTTP answer, 0 where there was none.
    """

    def __init__(self, line: str, *, again: bool, status: int = 0) -> None:
        super().__init__(line)
        self.again, self.status = again, status


def fault_of(error: Exception, server: SpeechServer) -> SpeechServerError:
    """The fault behind an error of the client or of the connection."""
    if isinstance(error, SpeechServerError):
        return error
    at = f"speech server {server.url}"
    if isinstance(error, (openai.APITimeoutError, TimeoutError)):
        line = f"{at} sent nothing for {server.timeout_s:g} s; raise {server.section} timeout_s, or look at its load"
        return SpeechServerError(line, again=False)  # whoever waited so long must not wait twice as long
    if isinstance(error, openai.APIStatusError):
        return _refusal(error, server, at)
    cause = error.__cause__ or error
    why = server.without_key(str(cause)) or type(cause).__name__
    if isinstance(error, openai.APIConnectionError) and type(cause).__name__ not in _BROKEN_OFF:
        line = f"{at} cannot be reached ({why}); start it, or correct {server.section} base_url"
        return SpeechServerError(line, again=True)
    line = f"{at} broke off an answer ({type(cause).__name__}: {why}); look at its log"
    return SpeechServerError(line, again=True)


def _refusal(error: openai.APIStatusError, server: SpeechServer, at: str) -> SpeechServerError:
    """The fault behind an answer with an error status."""
    status, said = error.status_code, server.without_key(_words_of(error))
    if status in (401, 403):
        named = f"the key in {server.key_name}" if server.key_name else "a request without a key"
        way_out = f"put a valid key into {server.key_name}" if server.key_name else "name its variable in api_key_env"
        return SpeechServerError(f"{at} refuses {named} (status {status}); {way_out}", again=False, status=status)
    if status == 404:
        line = f"{at} knows no model {server.model!r}, or not this address (404: {said}); "
        line += f"correct {server.section} model or base_url"
        return SpeechServerError(line, again=False, status=status)
    if status == 429:
        way_out = "ask it for a higher limit, or make fewer calls at once"
        return SpeechServerError(
            f"{at} takes no more requests now (429): {said}; {way_out}", again=False, status=status
        )
    if status >= 500:
        return SpeechServerError(f"{at} failed (status {status}: {said}); look at its log", again=True, status=status)
    return SpeechServerError(
        f"{at} refuses the request (status {status}: {said}); correct {server.section} of the agent",
        again=False,
        status=status,
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
