"""The worker process: pocketsphinx decoders for many streams, one request at a time over the standard pipes.

pocketsphinx holds the interpreter lock while it decodes, so it must not share a process with the event loop. This is
the one file of the recogniser that times itself: every answer carries the CPU seconds it took. It refuses to know
asyncio, calls and clocks on the wall.

Sound is decoded in steps of 40 ms counted from the start of the segment, whatever the size of the blocks, so that the
same sound gives the same hypotheses live and in a replay. A segment that goes on for long is cut inside the decoder
(in a pause after 20 s, anywhere at 30 s); the words before the cut are settled and stay in front.

Requests: ``open``, ``restore``, ``audio``, ``finish``, ``close``; see `main` for their fields.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from dataclasses import dataclass, field
from typing import Any

import pocketsphinx

from audio.engines.sphinx.channel import UNHEARD, Channel
from audio.engines.wire import Header, pack, read_message

__all__ = ["Listener", "main"]

RATE_HZ = 16_000
STEP_BYTES = 2 * RATE_HZ * 40 // 1000
FRAME_SAMPLES = 160
"""One step of the decoder's features and of its word times: 10 ms."""

SOFT_CUT_SAMPLES, HARD_CUT_SAMPLES, PAUSE_SAMPLES = 20 * RATE_HZ, 30 * RATE_HZ, RATE_HZ * 3 // 10

STEADY_FRAMES = 200
"""Frames of evidence after which an utterance is never decoded again (see `channel`), and its sound need not stay."""

MAX_SPARE = 8
"""Decoders kept for the next calls; each saves 20 ms at their start and holds a few megabytes."""

LANGUAGE_WEIGHT = 8.0
"""Against the decoder's own 6.5: 1.4 points fewer word errors of 299 espeak-ng words with the scenario's language, 3.7
with common words beside it; FSDD digits, assembled card numbers and six real clips stayed as they were."""

Row = list[Any]
"""A word as it travels: text, start sample, end sample, confidence."""


def make_decoder() -> pocketsphinx.Decoder:
    """A decoder for one stream, after the arguments of the process: 20 ms and a few megabytes with few words."""
    lm, dictionary, passes = sys.argv[1:]
    return pocketsphinx.Decoder(
        lm=lm,
        dict=dictionary,
        loglevel="FATAL",
        lw=LANGUAGE_WEIGHT,
        # The best path through the first pass costs 1-2 ms at the end, halves its errors and gives confidences.
        bestpath=True,
        fwdflat=passes == "2",
    )


@dataclass(slots=True)
class Listener:
    """One stream: its decoder and the segment that it is in the middle of, if any."""

    decoder: pocketsphinx.Decoder
    channel: Channel = UNHEARD
    """What was known of the channel when the decoder's utterance began."""
    used: Channel = UNHEARD
    """What the decoder is using."""
    base: int = 0
    """First sample of the segment that the decoder still holds; what lies before was cut."""
    done: int = 0
    """Samples of the segment that were decoded."""
    kept: list[Row] = field(default_factory=list)
    text: str = ""
    waiting: bytearray = field(default_factory=bytearray)
    heard: bytearray = field(default_factory=bytearray)
    """The utterance's sound, as long as it may have to be decoded again."""
    listening: bool = False

    def hear(self, pcm: bytes) -> list[tuple[int, list[Row]]]:
        """Decode and give every changed hypothesis as (samples decoded, rows)."""
        self.waiting += pcm
        changed = []
        whole = len(self.waiting) - len(self.waiting) % STEP_BYTES
        block = bytes(self.waiting[:whole])
        del self.waiting[:whole]
        for start in range(0, whole, STEP_BYTES):
            self._step(block[start : start + STEP_BYTES])
            self._relisten_if_worth(ended=False)
            rows = self._rows_if_changed()
            held = self.done - self.base
            if held >= HARD_CUT_SAMPLES or (held >= SOFT_CUT_SAMPLES and self._in_pause()):
                self._settle()
                rows = self._rows_if_changed() or rows
            if rows is not None:
                changed.append((self.done, rows))
        return changed

    def finish(self) -> tuple[int, list[Row]]:
        """Decode what waits, end the segment and give its final words; the next sound begins a new one."""
        if self.waiting:
            self._step(bytes(self.waiting))
            self.waiting.clear()
        self._relisten_if_worth(ended=True)
        self._settle()
        result = self.done, self.kept
        self.base, self.done, self.kept, self.text = 0, 0, [], ""
        return result

    def restore(self, channel: Channel, base: int, kept: list[Row], pcm: bytes) -> None:
        """Stand where a lost worker stood: `pcm` is the segment's sound from `base` on."""
        self.channel, self.base, self.done, self.kept = channel, base, base, kept
        self.text = " ".join(str(row[0]) for row in kept)
        self.hear(pcm)

    def stop(self) -> None:
        """Leave the segment, whatever it held, so that the decoder can serve another stream."""
        if self.listening:
            self.decoder.end_utt()
            self.listening = False

    def _step(self, pcm: bytes) -> None:
        if not self.listening:
            self._start(self.channel)
        self.decoder.process_raw(pcm)
        self.done += len(pcm) // 2
        if self.used.frames < STEADY_FRAMES:
            self.heard += pcm

    def _start(self, channel: Channel) -> None:
        # Mean and noise floor are set anew, so that a segment depends on `channel` and its sound alone: a restored
        # stream goes on exactly like the one that was lost.
        self.decoder.set_cmn(channel.text)
        self.decoder.start_stream()
        self.decoder.start_utt()
        self.used, self.listening = channel, True

    def _relisten_if_worth(self, *, ended: bool) -> None:
        """Decode the utterance again from its start once its own sound has told much more about the channel."""
        n_frames = (self.done - self.base) // FRAME_SAMPLES
        if not self.listening or not self.channel.worth_relistening(self.used, n_frames, ended=ended):
            return
        channel = self.channel.learn(self.used, self.decoder.get_cmn(True), n_frames)
        self.decoder.end_utt()
        self._start(channel)
        for start in range(0, len(self.heard), STEP_BYTES):
            self.decoder.process_raw(bytes(self.heard[start : start + STEP_BYTES]))

    def _settle(self) -> None:
        """End the decoder's utterance, keep its words, and learn the channel from it if it held any."""
        if not self.listening:
            return
        self.decoder.end_utt()
        self.listening = False
        rows = self._rows()
        if len(rows) > len(self.kept):
            # Sound in which nobody spoke says nothing about the speaker's channel.
            n_frames = (self.done - self.base) // FRAME_SAMPLES
            self.channel = self.channel.learn(self.used, self.decoder.get_cmn(True), n_frames)
        self.kept, self.base = rows, self.done
        self.heard.clear()

    def _in_pause(self) -> bool:
        rows = self._rows()
        return not rows or int(rows[-1][2]) <= self.done - PAUSE_SAMPLES

    def _rows_if_changed(self) -> list[Row] | None:
        text = " ".join(str(row[0]) for row in self.kept)
        if self.listening:
            hypothesis = self.decoder.hyp()
            text += f" {hypothesis.hypstr}" if hypothesis and hypothesis.hypstr else ""
        if text == self.text:
            return None
        self.text = text
        return self._rows()

    def _rows(self) -> list[Row]:
        """The settled words and those that the decoder sees now; silence and noise are no words."""
        rows = list(self.kept)
        if self.done > self.base and self.decoder.hyp() is not None:
            for segment in self.decoder.seg():
                if segment.word[0] in "<[+":
                    continue
                start = self.base + segment.start_frame * FRAME_SAMPLES
                end = min(self.base + (segment.end_frame + 1) * FRAME_SAMPLES, self.done)
                # Only the best path at the end of an utterance knows how likely the alternatives were.
                sure = None if self.listening else round(min(1.0, segment.prob), 4)
                rows.append([segment.word.split("(")[0].lower(), min(start, end), end, sure])
        return rows


def answer(listeners: dict[int, Listener], spare: list[pocketsphinx.Decoder], request: Header, pcm: bytes) -> Header:
    """Do what one request asks. Everything a restart needs comes back with the answer that changed it."""
    what, stream = request["ask"], request.get("stream", -1)
    if what == "close":
        gone = listeners.pop(stream, None)
        if gone is not None and len(spare) < MAX_SPARE:
            gone.stop()
            spare.append(gone.decoder)
        return {}
    if what in ("open", "restore"):
        listeners[stream] = Listener(spare.pop() if spare else make_decoder())
        if what == "restore":
            listeners[stream].restore(
                Channel(tuple(request["channel"][0]), request["channel"][1]), request["base"], request["kept"], pcm
            )
        return {}
    if what not in ("audio", "finish"):
        raise ValueError("no such request")
    listener = listeners[stream]
    base = listener.base
    changed = listener.hear(pcm)
    reply: Header = {"changed": changed}
    if what == "finish":
        reply["final"] = listener.finish()
    if listener.base != base or what == "finish":
        reply.update(channel=(listener.channel.mean, listener.channel.frames), base=listener.base, kept=listener.kept)
    return reply


def main() -> None:
    """Serve the pipe until it closes. Arguments: language model, dictionary, number of passes (1 or 2)."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when calls end
    warnings.simplefilter("ignore", DeprecationWarning)  # start_stream, which does reset the noise floor in 5.1
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that a C library prints may enter the protocol
    listeners: dict[int, Listener] = {}
    try:
        spare = [make_decoder()]
    except Exception as error:
        os.write(out, pack({"error": f"{type(error).__name__}: {error}"}))
        return
    os.write(out, pack({"ready": True}))
    while (message := read_message(0)) is not None:
        began = time.process_time()
        try:
            reply = answer(listeners, spare, *message)
        except Exception as error:
            reply = {"error": f"{type(error).__name__}: {error}"}
        reply["cpu_s"] = time.process_time() - began
        _write(out, pack(reply))


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


if __name__ == "__main__":
    main()
