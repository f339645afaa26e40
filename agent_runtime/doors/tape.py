"""The tape: goes around any door and keeps what both sides said, caller left, agent right.

It changes nothing of the call: blocks pass through as they come, and files are written by a thread of its own. It
refuses to know what is on the line.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

from audio.recordings import CallWriter, Party

from ..ports import CallerAudio, Door, Pcm
from ..record import Entry

__all__ = ["Tape"]

RATE_HZ = 16_000
FRAME = 320
BATCH_SAMPLES = RATE_HZ
"""Sound is written a second at a time."""
LEAD_SAMPLES = RATE_HZ // 2
"""Sound further ahead of the clock than this waits in memory: a recording read ahead must not overrun the writer's
window of 5 s, and what the call did not live to hear is not part of it."""


class Tape:
    """A door around `door` that writes ``call.wav`` to `path`; the file appears when the call is closed.

    A disk that refuses does not end the call: `close` raises the first `audio.recordings.RecordingError`, after the
    line is down, and no file is left. A call that fails leaves a file of what was heard until then.
    """

    def __init__(self, door: Door, path: Path) -> None:
        self._door = door
        self._writer = CallWriter(path)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="tape")
        self._blocks: deque[tuple[Party, int, Pcm]] = deque()
        self._held = 0
        self._origin_s: float | None = None
        self._failed: Exception | None = None
        self._closed = False

    @property
    def ahead(self) -> bool:
        return self._door.ahead

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._door.facts

    @property
    def transcribed(self) -> bool:
        """The door inside brings the words of its audio too."""
        return bool(getattr(self._door, "transcribed", False))

    @property
    def watch(self) -> Callable[[Entry], None] | None:
        """What the door inside wants to know of the log, if it wants anything."""
        return getattr(self._door, "watch", None)

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """The caller's audio, unchanged."""
        self._origin_s = asyncio.get_running_loop().time()
        async with aclosing(self._door.listen()) as blocks:  # type: ignore[type-var]
            async for block in blocks:
                self._keep("caller", block.first_sample, block.pcm)
                if self._held >= BATCH_SAMPLES:
                    await self._write(self._due())
                yield block

    def listen_words(self) -> AsyncIterator[Any]:
        """The caller's words, unchanged, where the door inside brings them."""
        words: AsyncIterator[Any] = self._door.listen_words()  # type: ignore[attr-defined]
        return words

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """A frame of ours, passed on at once."""
        self._door.play(pcm, first_sample)
        self._keep("agent", first_sample, pcm.copy())

    async def send_digits(self, digits: str) -> None:
        await self._door.send_digits(digits)

    async def transfer(self, target: str) -> bool:
        return await self._door.transfer(target)

    async def close(self) -> None:
        """Hang up, write the rest and give the file its name. Raises what went wrong with the file, once."""
        if self._closed:
            return
        self._closed = True
        try:
            await self._door.close()
        finally:
            await self._write(self._until_now())
            await self._run(self._writer.discard if self._failed else self._writer.close)
            self._pool.shutdown(wait=False)
        if self._failed is not None:
            raise self._failed

    def _keep(self, party: Party, first_sample: int, pcm: Pcm) -> None:
        if not self._closed and self._failed is None:
            self._blocks.append((party, first_sample, pcm))
            self._held += len(pcm)

    def _due(self) -> list[tuple[Party, int, Pcm]]:
        """Blocks whose time has come, in order; the others stay."""
        limit = self._now() + LEAD_SAMPLES
        due = [block for block in self._blocks if block[1] < limit]
        self._blocks = deque(block for block in self._blocks if block[1] >= limit)
        # counted anew from here: what waits is not worth a look at every block
        self._held = 0
        return sorted(due, key=lambda block: block[1])

    def _until_now(self) -> list[tuple[Party, int, Pcm]]:
        """What belongs to the call when it ends now: blocks of a recording may reach beyond."""
        end = self._now() + FRAME
        return [(party, first, pcm[: end - first]) for party, first, pcm in self._due() if first < end]

    def _now(self) -> int:
        if self._origin_s is None:
            return 0
        return round((asyncio.get_running_loop().time() - self._origin_s) * RATE_HZ)

    async def _write(self, blocks: list[tuple[Party, int, Pcm]]) -> None:
        def write() -> None:
            for party, first_sample, pcm in blocks:
                self._writer.write(party, max(0, first_sample), pcm)

        if blocks and self._failed is None:
            await self._run(write)

    async def _run(self, job: Callable[[], None]) -> None:
        """Run a job in the tape's thread; the first fault is kept for `close`."""
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, job)
        except Exception as error:
            self._failed = self._failed or error
            self._blocks.clear()
