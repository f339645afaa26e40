"""A real server on 127.0.0.1: our core model behind the OpenAI protocol, with a prefix cache, in a thread of its own.

It speaks HTTP and server-sent events as vLLM and llama-server do, so that the official client is what is tested. It
computes what it does not have in its cache and nothing else, notes what it was asked and who hung up on it, and can be
told to fail. Like other servers it never reads its own last token.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from policies.learned.core.model import Cache, CoreModel
from tests.agent_runtime.engines.core_chat import CoreChat, Said

Form = Literal["vllm", "llama", "text"]
MODEL_NAME = "core"
SLICE = 16


@dataclass(frozen=True)
class Fault:
    """How the next request fails: an error status, a line that closes or falls silent after so many pieces, or a tool
    call whose arguments arrive as `message`."""

    kind: Literal["status", "close", "stall", "garble"]
    after: int = 0
    status: int = 500
    message: str = "out of memory"
    headers: tuple[tuple[str, str], ...] = ()
    over: int = 0
    """Only a request with a prompt longer than this fails so."""


class HungUp(Exception):
    """The client closed the connection."""


@dataclass
class _Line:
    """One connection while a request is answered."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    fault: Fault | None
    pieces: int = 0

    async def event(self, data: dict[str, Any] | str) -> None:
        """Send one server-sent event, unless it is time to fail. Raises `HungUp`."""
        if self.fault is not None and self.fault.kind != "garble" and self.pieces >= self.fault.after:
            if self.fault.kind == "stall":
                await self.reader.read()
            raise HungUp
        self.pieces += 1
        body = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
        self.writer.write(b"%x\r\n%s\r\n" % (len(body), body))
        await self.breathe()

    async def breathe(self) -> None:
        """Let the client be heard. Raises `HungUp` when it is gone."""
        await self.writer.drain()
        await asyncio.sleep(0)
        if self.reader.at_eof():
            raise HungUp


class CoreServer:
    """The server. `form` is whose dialect it speaks; `chat` answers messages; `key` is asked for when given."""

    def __init__(
        self, model: CoreModel, *, form: Form = "vllm", chat: CoreChat | None = None, key: str = "", biased: bool = True
    ) -> None:
        self.model, self.form, self.chat, self.key, self.biased = model, form, chat, key, biased
        self.asked: list[dict[str, Any]] = []
        self.hung_up = 0
        """Requests that the client gave up before their answer was complete."""
        self.computed = 0
        """Tokens that went through the model."""
        self.faults: deque[Fault] = deque()
        self.refuses: set[str] = set()
        """Parameters that are answered with status 400."""
        self._kept: deque[tuple[list[int], Cache]] = deque(maxlen=24)
        self._news = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="core-server", daemon=True)

    def __enter__(self) -> CoreServer:
        self._thread.start()
        self._ready.wait(10)
        return self

    def __exit__(self, *details: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where the client finds it."""
        return f"http://127.0.0.1:{self.port}/v1"

    def reached(self, asked: int, hung_up: int = 0, timeout_s: float = 10.0) -> bool:
        """Wait, in a thread, until so many requests have come and so many were given up."""
        with self._news:
            return self._news.wait_for(lambda: len(self.asked) >= asked and self.hung_up >= hung_up, timeout_s)

    def forget(self) -> None:
        """Forget what was asked and read so far, as if new."""
        self.asked.clear()
        self._kept.clear()
        self.computed = self.hung_up = 0

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        lines: set[asyncio.StreamWriter] = set()
        idle = asyncio.Event()

        async def line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.add(writer)
            try:
                await self._connection(reader, writer)
            except (HungUp, ConnectionError, asyncio.IncompleteReadError):
                with self._news:
                    self.hung_up += 1
                    self._news.notify_all()
            finally:
                writer.close()
                lines.discard(writer)
                idle.set()

        server = await asyncio.start_server(line, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        while lines:
            idle.clear()
            for writer in lines:
                writer.close()
            await idle.wait()

    # --- http ----------------------------------------------------------------------------------------------------

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            except asyncio.IncompleteReadError:
                return  # closed between two requests
            if self._stop.is_set():
                return
            method, path, _ = head[0].split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in head[1:])}
            body = json.loads(await reader.readexactly(int(headers.get("content-length", 0))) or b"{}")
            await self._answer(method, path, headers, body, reader, writer)

    async def _answer(
        self, method: str, path: str, headers: dict[str, str], body: dict[str, Any], reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:  # fmt: skip
        fault = None
        if method == "POST":
            with self._news:
                self.asked.append({"path": path, **body})
                self._news.notify_all()
            if self.faults and len(body.get("prompt", ())) >= self.faults[0].over:
                fault = self.faults.popleft()
        if self.key and headers.get("authorization") != f"Bearer {self.key}":
            _send(writer, 401, _error(f"bad key {headers.get('authorization')}"))
        elif fault is not None and fault.kind == "status":
            _send(writer, fault.status, _error(fault.message), fault.headers)
        elif method == "GET" and path == "/v1/models":
            _send(writer, 200, {"object": "list", "data": [{"id": MODEL_NAME, "object": "model"}]})
        elif path not in ("/v1/completions", "/v1/chat/completions") or (path.startswith("/v1/chat") and not self.chat):
            _send(writer, 404, _error(f"no such path {path}"))
        elif body.get("model") != MODEL_NAME:
            _send(writer, 404, _error(f"The model `{body.get('model')}` does not exist."))
        elif refused := sorted(self.refuses & set(body)):
            _send(writer, 400, _error(f"Unsupported parameter: '{refused[0]}'", param=refused[0]))
        elif body.get("echo") and self.form != "vllm":
            _send(writer, 400, _error("Only no echo is supported"))
        elif not body.get("stream"):
            _send(writer, 200, self._scores(body))
        else:
            line = _Line(reader, writer, fault)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
            await (self._complete(body, line) if path == "/v1/completions" else self._talk(body, line))
            await line.event("[DONE]")
            writer.write(b"0\r\n\r\n")
        await writer.drain()

    # --- completions ---------------------------------------------------------------------------------------------

    async def _complete(self, body: dict[str, Any], line: _Line) -> None:
        prompt, bias = list(body["prompt"]), body.get("logit_bias", {})
        cache, read = self._best(prompt)
        count = 0
        try:
            async for token in self._written(cache, prompt, read, body["max_tokens"], bias, line):
                count += 1
                choice: dict[str, Any] = {"index": 0, "text": self._text([token]), "finish_reason": None}
                if self.form == "vllm" and body.get("return_token_ids"):
                    choice["token_ids"] = [token]
                if self.form == "llama" and body.get("logprobs"):
                    choice["logprobs"] = {"content": [{"id": token, "logprob": 0.0, "top_logprobs": []}]}
                await line.event(_chunk("text_completion", [choice]))
        finally:
            self._kept.append((prompt[: cache.length], cache))
        if body.get("stream_options", {}).get("include_usage"):
            await line.event(_chunk("text_completion", [], usage=_usage(len(prompt) - count, count, read)))

    def _best(self, prompt: Sequence[int]) -> tuple[Cache, int]:
        """The cache that begins as `prompt` does, and how far; the last token is always read again."""
        best, length = None, 0
        for tokens, cache in self._kept:
            pairs = zip(tokens, prompt[:-1], strict=False)
            common = next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(tokens), len(prompt) - 1))
            if common > length:
                best, length = cache, common
        return (self.model.new_cache() if best is None else best.fork(length)), length

    async def _written(
        self, cache: Cache, stream: list[int], read: int, limit: int, bias: dict[str, float], line: _Line
    ) -> AsyncIterator[int]:
        """Tokens after `stream`, which grows by them."""
        added = np.zeros(0)
        for at in range(read, len(stream), SLICE):
            logits = self.model.extend(cache, stream[at : at + SLICE])
            self.computed += len(stream[at : at + SLICE])
            await line.breathe()
        for number in range(limit):
            added = np.zeros(len(logits)) if not len(added) else added
            if self.biased:
                for token, value in bias.items():
                    added[int(token)] = value * 1000  # what is biased outweighs everything, as +-100 does elsewhere
            stream.append(int(np.argmax(logits + added)))
            yield stream[-1]
            if number + 1 < limit:
                logits = self.model.extend(cache, stream[-1:])
                self.computed += 1

    def _scores(self, body: dict[str, Any]) -> dict[str, Any]:
        """The answer with log-probabilities, not streamed: of the prompt too where it is echoed."""
        top, choices = int(body.get("logprobs") or 0), []
        for index, prompt in enumerate(body["prompt"]):
            cache, read = (self.model.new_cache(), 0) if body.get("echo") else self._best(prompt)
            rows = _log_softmax(self.model.extend_all(cache, prompt[read:]))
            self.computed += len(prompt) - read
            self._kept.append((list(prompt), cache))
            best = [int(one) for one in np.argsort(-rows[-1])[:top]]
            written = best[0] if best else 0
            likeliest = {self._name(one, body): float(rows[-1][one]) for one in best}
            if self.form == "llama":
                tops = [{"id": one, "logprob": float(rows[-1][one])} for one in best]
                logprobs: dict[str, Any] = {
                    "content": [{"id": written, "logprob": tops[0]["logprob"], "top_logprobs": tops}]
                }
            else:
                told = [None, *(float(row[token]) for row, token in zip(rows, prompt[1:], strict=False))]
                told = [*(told if body.get("echo") else []), float(rows[-1][written])]
                logprobs = {
                    "token_logprobs": told,
                    "top_logprobs": [*[None] * (len(told) - 1), likeliest],
                    "tokens": [],
                }
            choices.append({"index": index, "text": "", "logprobs": logprobs, "finish_reason": "length"})
        return _chunk("text_completion", choices)

    def _name(self, token: int, body: dict[str, Any]) -> str:
        return (
            f"token_id:{token}"
            if body.get("return_tokens_as_token_ids") and self.form == "vllm"
            else self._text([token])
        )

    def _text(self, tokens: Sequence[int]) -> str:
        return self.chat.spelling.decode(tokens) if self.chat is not None else "".join(f" w{one}" for one in tokens)

    # --- chat ----------------------------------------------------------------------------------------------------

    async def _talk(self, body: dict[str, Any], line: _Line) -> None:
        assert self.chat is not None
        finish = "stop"
        async for said in self.chat.reply(self.model, body):
            if said.call is not None:
                finish = "tool_calls"
                if line.fault is not None and line.fault.kind == "garble":
                    said = Said(call=(said.call[0], line.fault.message))
            for delta in _deltas(said):
                await line.event(_chunk("chat.completion.chunk", [{"index": 0, "delta": delta, "finish_reason": None}]))
        await line.event(_chunk("chat.completion.chunk", [{"index": 0, "delta": {}, "finish_reason": finish}]))


def _deltas(said: Said) -> list[dict[str, Any]]:
    """Words as one delta; a call as servers stream it: its name, then its arguments in pieces."""
    if said.call is None:
        return [{"role": "assistant", "content": said.text}]
    name, arguments = said.call
    begin = {"index": 0, "id": "c1", "type": "function", "function": {"name": name, "arguments": ""}}
    half = len(arguments) // 2
    more = [{"index": 0, "function": {"arguments": part}} for part in (arguments[:half], arguments[half:])]
    return [{"tool_calls": [one]} for one in (begin, *more)]


def _chunk(kind: str, choices: list[Any], **more: Any) -> dict[str, Any]:
    return {"id": "x1", "object": kind, "created": 0, "model": MODEL_NAME, "choices": choices, **more}


def _usage(prompt: int, written: int, cached: int) -> dict[str, Any]:
    counts = {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}
    return {**counts, "prompt_tokens_details": {"cached_tokens": cached}}


def _error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, "type": "invalid_request_error", "code": None, **more}}


def _send(
    writer: asyncio.StreamWriter, status: int, body: dict[str, Any], headers: Sequence[tuple[str, str]] = ()
) -> None:
    data = json.dumps(body).encode()
    rows = [("Content-Type", "application/json"), ("Content-Length", str(len(data))), *headers]
    head = "".join(f"{name}: {value}\r\n" for name, value in rows)
    writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + data)


def _log_softmax(logits: Any) -> Any:
    shifted = logits.astype(np.float64) - logits.max(1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
