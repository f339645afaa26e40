"""A real speech server on 127.0.0.1 with the OpenAI audio protocol: flite makes its sound, pocketsphinx its words.

It speaks HTTP as such servers do, so that the official client is what is tested. It notes what it was asked and who
hung up on it, and can be told to fail.
"""

from __future__ import annotations

import asyncio
import email
import email.policy
import io
import json
import shutil
import subprocess
import tempfile
import threading
import wave
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np

from audio.engines.sphinx.pool import SphinxPool
from audio.frame import Pcm
from audio.language.files import LanguageFiles
from audio.outcome import Outcome
from audio.resample import resample

T = TypeVar("T")

VOICES = {"slt": "slt", "rms": "rms"}
SPEAKS, HEARS = "flite-1", "sphinx-1"
"""The names of its models."""
PIECE = 4801
"""Bytes of a piece of sound: 0.1 s, and an odd number, as pieces of a stream know no samples."""


@dataclass(frozen=True)
class Fault:
    """How the next request fails: an error status, or a line that closes or falls silent after so many pieces."""

    kind: Literal["status", "close", "stall"]
    after: int = 0
    status: int = 500
    message: str = "out of memory"


async def _at_once(kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None) -> T:
    return (await asyncio.get_running_loop().run_in_executor(pool, call)).value


def speak(text: str, voice: str = "slt", rate_hz: int = 24_000) -> Pcm:
    """What flite makes of a text."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "said.wav"
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(file)], check=True, capture_output=True)
        with wave.open(str(file), "rb") as said:
            pcm = np.frombuffer(said.readframes(said.getnframes()), np.int16)
            return resample(pcm, said.getframerate(), rate_hz)


def available() -> str | None:
    """None, or why the server cannot speak here."""
    return None if shutil.which("flite") else "flite is not on the PATH (make system)"


class SpeechServing:
    """The server. `language` is what it understands; `times`: it knows word times; `key` is asked for when given."""

    def __init__(self, language: LanguageFiles | None = None, *, times: bool = True, key: str = "") -> None:
        self.language, self.times, self.key = language, times, key
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.faults: deque[Fault] = deque()
        self.hung_up = 0
        self.prefix = b""
        """Sent before the sound: another format than asked for, or nothing at all with `silent`."""
        self.silent = False
        self.lead_s = 0.0
        """Silence before the sound."""
        self._news = threading.Condition()
        outer = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                try:
                    outer.answer(self)
                except ConnectionError:
                    outer.lost(self)

            def log_message(self, format: str, *args: Any) -> None:
                """Tests read nothing of it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="speech-server", daemon=True)

    def __enter__(self) -> SpeechServing:
        self._thread.start()
        return self

    def __exit__(self, *details: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    @property
    def url(self) -> str:
        """Where the client finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def reached(self, asked: int, hung_up: int = 0) -> bool:
        """Wait until so many requests have come and so many were given up; False after 10 s."""
        with self._news:
            return self._news.wait_for(lambda: len(self.asked) >= asked and self.hung_up >= hung_up, 10)

    # --- answering, in a thread of each connection -------------------------------------------------------------------

    def answer(self, line: BaseHTTPRequestHandler) -> None:
        raw = line.rfile.read(int(line.headers["Content-Length"]))
        body = _fields(line.headers["Content-Type"], raw)
        with self._news:
            self.asked.append({"path": line.path, **body})
            self.headers.append({name.lower(): value for name, value in line.headers.items()})
            fault = self.faults.popleft() if self.faults else None
            self._news.notify_all()
        model = {"/v1/audio/speech": SPEAKS, "/v1/audio/transcriptions": HEARS}.get(line.path)
        if self.key and line.headers["Authorization"] != f"Bearer {self.key}":
            _send(line, 401, f"bad key {line.headers['Authorization']}")
        elif fault is not None and fault.kind == "status":
            _send(line, fault.status, fault.message)
        elif model is None or body.get("model") != model:
            _send(line, 404, f"The model `{body.get('model')}` does not exist.")
        elif model == HEARS:
            self._hear(line, body)
        elif body["voice"] not in VOICES:
            _send(line, 400, f"voice {body['voice']!r} is none of {', '.join(VOICES)}")
        else:
            self._speak(line, body, fault)

    def lost(self, line: BaseHTTPRequestHandler) -> None:
        """The client hung up before its answer was complete."""
        line.close_connection = True
        with self._news:
            self.hung_up += 1
            self._news.notify_all()

    def _speak(self, line: BaseHTTPRequestHandler, body: dict[str, Any], fault: Fault | None) -> None:
        assert body["response_format"] == "pcm"
        pcm = speak(body["input"], VOICES[body["voice"]])
        sound = self.prefix + bytes(2 * int(self.lead_s * 24_000)) + pcm.astype("<i2").tobytes()
        sound = b"" if self.silent else sound
        line.send_response(200)
        line.send_header("Content-Type", "application/octet-stream")
        line.send_header("Transfer-Encoding", "chunked")
        line.end_headers()
        for number, start in enumerate(range(0, len(sound), PIECE)):
            if fault is not None and number >= fault.after:
                if fault.kind == "stall":
                    line.rfile.read(1)  # until the client is gone
                    raise ConnectionResetError
                line.close_connection = True
                return
            piece = sound[start : start + PIECE]
            line.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        line.wfile.write(b"0\r\n\r\n")

    def _hear(self, line: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        if not self.times and body["response_format"] == "verbose_json":
            _send(line, 400, "response_format 'verbose_json' is not compatible with this model")
            return
        with wave.open(io.BytesIO(body["file"]), "rb") as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
            if file.getnframes() < 1_600:
                _send(line, 400, "Audio file is too short. Minimum audio length is 0.1 seconds.")
                return
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        words = asyncio.run(self._words(pcm))
        # written as people and Whisper write, not as recognisers do
        text = " ".join(word for word, _, _ in words).capitalize() + ("." if words else "")
        answer: dict[str, Any] = {"text": text}
        if body["response_format"] == "verbose_json":
            rows = [{"word": word, "start": start / 16_000, "end": end / 16_000} for word, start, end in words]
            answer |= {"duration": len(pcm) / 16_000, "language": "english", "words": rows}
        _reply(line, 200, answer)

    async def _words(self, pcm: Pcm) -> list[tuple[str, int, int]]:
        assert self.language is not None
        async with SphinxPool(_at_once, self.language, patience_s=60.0) as pool:
            stream = await pool.open()
            await stream.feed(pcm)
            heard = await stream.finish()
            await stream.close()
        return [(word.text, word.start_sample, word.end_sample) for word in heard.words]


def _fields(content_type: str, raw: bytes) -> dict[str, Any]:
    """The fields of a JSON body or of a form; a file as its bytes, a list as a list."""
    if content_type.startswith("application/json"):
        return dict(json.loads(raw))
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + raw, policy=email.policy.HTTP
    )
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name, data = str(part.get_param("name", header="content-disposition")), part.get_payload(decode=True)
        assert isinstance(data, bytes)
        fields[name] = data if part.get_filename() else data.decode()
    return fields


def _send(line: BaseHTTPRequestHandler, status: int, message: str) -> None:
    _reply(line, status, {"error": {"message": message, "type": "invalid_request_error", "code": None}})


def _reply(line: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
    data = json.dumps(body).encode()
    line.send_response(status)
    line.send_header("Content-Type", "application/json")
    line.send_header("Content-Length", str(len(data)))
    line.end_headers()
    line.wfile.write(data)
