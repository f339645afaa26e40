"""A call made by hand: a log of a front-desk call, its labels and its sound, for tests of what reads a log.

`MadeCall` lays events on a time axis in seconds; `entries()` sorts them, numbers them and resolves causes. `front_desk`
is one whole call with everything a picture must show: overlapping thought, tools, a filler, a backchannel, a
barge-in, a silence, a cut-in. Nothing here is measured; the times are invented and plausible.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import Command, Decision
from agent_runtime.events import Event
from agent_runtime.latency import agent_speech
from agent_runtime.record import Entry
from policies.trajectory import Trajectory

RATE_HZ = 16_000
EMPTY = Trajectory()


def at(seconds: float) -> int:
    """Seconds of the call's line as a sample."""
    return round(seconds * RATE_HZ)


@dataclass(eq=False)
class Item:
    """Something that happens at `at_s`, caused by another item."""

    at_s: float
    what: Event | Command
    cause: Item | None = None


@dataclass
class MadeCall:
    """A call under construction; methods add what one party does and return the times that follow from it."""

    items: list[Item] = field(default_factory=list)
    turns: list[dict[str, Any]] = field(default_factory=list)
    segment: int = 0
    revision: int = 0
    generation: int = 0
    utterance: int = 0
    tool_call: int = 0

    def add(self, at_s: float, what: Event | Command, cause: Item | None = None) -> Item:
        """One more thing at `at_s`."""
        item = Item(at_s, what, cause)
        self.items.append(item)
        return item

    def decide(self, at_s: float, action: do.Action, reason: str, cause: Item, **scores: float) -> None:
        """A logged decision."""
        self.add(at_s, Decision(action, reason, scores), cause)

    def entries(self) -> list[Entry]:
        """The log."""
        ordered = sorted(self.items, key=lambda item: item.at_s)
        number = {id(item): seq for seq, item in enumerate(ordered, 1)}
        return [
            Entry(number[id(item)], round(item.at_s * 1e6), number[id(item.cause)] if item.cause else 0, item.what)
            for item in ordered
        ]

    def labels(self) -> dict[str, Any]:
        """The truth about the caller, in the JSON form."""
        return {"rate_hz": RATE_HZ, "turns": sorted(self.turns, key=lambda turn: turn["first_sample"])}

    # --- the caller ----------------------------------------------------------------------------------------------

    def caller(self, start_s: float, *segments: tuple[str, float], kind: str = "turn", pause_s: float = 0.7) -> Item:
        """The caller says segments of (text, seconds) with pauses between; returns the last final transcript."""
        spans, words, final = [], [], None
        for text, lasts_s in segments:
            self.segment += 1
            first, last = at(start_s), at(start_s + lasts_s)
            started = self.add(start_s + 0.064, ev.SpeechStarted(first, first + at(0.064), 0.93, 0.1))
            said = text.split()
            step_s = lasts_s / max(1, len(said))
            timed = [(word, at(start_s + n * step_s), at(start_s + (n + 0.94) * step_s)) for n, word in enumerate(said)]
            for n in range(1, len(said) + 1):
                self.revision += 1
                when_s = start_s + n * step_s + 0.12
                stable, tail = " ".join(said[: max(0, n - 2)]), " ".join(said[max(0, n - 2) : n])
                partial = self.add(
                    when_s, ev.PartialTranscript(self.segment, self.revision, at(when_s), stable, tail), started
                )
                asked = self.add(when_s + 1e-5, do.Prefill(f"p{self.revision}", EMPTY), partial)
                self.add(when_s + 0.004, ev.PromptSynced(f"p{self.revision}", 40 + n, 38 + n, 2, 1), asked)
            self.revision += 1
            end_s = start_s + lasts_s
            self.add(end_s + 0.2, ev.SpeechStopped(last, last + at(0.2)), started)
            final = self.add(
                end_s + 0.215, ev.FinalTranscript(self.segment, self.revision, last, text, tuple(timed)), started
            )
            score = self.add(end_s + 0.216, do.ScoreTurn(self.revision, f"p{self.revision}", EMPTY), final)
            self.add(end_s + 0.222, ev.TurnScored(self.revision, 0.2 if text.endswith("on um") else 0.91), score)
            spans.append([first, last])
            words += [{"text": word, "start_sample": a, "end_sample": b} for word, a, b in timed]
            start_s = end_s + pause_s
        assert final is not None
        self.turns.append(
            {
                "turn": len(self.turns) + 1,
                "kind": kind,
                "text": " ".join(text for text, _ in segments),
                "first_sample": spans[0][0],
                "last_sample": spans[-1][1],
                "segments": spans,
                "words": words,
            }
        )
        return final

    # --- the agent -----------------------------------------------------------------------------------------------

    def think(self, at_s: float, cause: Item, note: str, expect: str, *, after_result: bool = False) -> Item:
        """The turn is taken as over: a generation with its note and expectation begins."""
        self.generation += 1
        reason = "a tool returned" if after_result else "turn over: pause and finished text"
        self.decide(at_s, "think", reason, cause, p_over=0.91, pause_ms=320.0)
        asked = self.add(at_s + 1e-5, do.Generate(self.generation, "p", after_result, (), "", EMPTY), cause)
        if note:
            self.add(at_s + 0.05, ev.ThoughtFormed(self.generation, note), asked)
        self.add(at_s + 0.07, ev.ExpectationFormed(self.generation, expect), asked)
        return asked

    def ends(self, at_s: float, asked: Item, outcome: Any, tokens: int) -> Item:
        """The generation is over."""
        generation = asked.what
        assert isinstance(generation, do.Generate)
        return self.add(at_s, ev.GenerationEnded(generation.generation, outcome, tokens), asked)

    def say(self, at_s: float, text: str, cause: Item, *, kind: Any = "answer", lasts_s: float | None = None) -> float:
        """An utterance begins at `at_s`; it is played out. Returns where it ends."""
        self.utterance += 1
        lasts_s = lasts_s or 0.062 * len(text)
        self.decide(at_s - 0.03, "filler" if kind == "filler" else "speak", f"{kind} is ready", cause)
        say = self.add(at_s - 0.029, do.Say(self.utterance, kind, True, text), cause)
        self.add(at_s, ev.UtteranceStarted(self.utterance, at(at_s)), say)
        end_s = at_s + lasts_s
        self.add(end_s, ev.UtteranceHeard(self.utterance, at(lasts_s), True, text), say)
        self.add(end_s + 1e-5, ev.UtteranceEnded(self.utterance, at(end_s), "played"), say)
        return end_s

    def interrupted(self, at_s: float, text: str, heard: str, cause: Item, stop_s: float, drop_s: float) -> float:
        """An utterance that yields at `stop_s` and is dropped at `drop_s`; returns `drop_s`."""
        self.utterance += 1
        say = self.add(at_s - 0.029, do.Say(self.utterance, "answer", True, text), cause)
        self.add(at_s, ev.UtteranceStarted(self.utterance, at(at_s)), say)
        self.decide(stop_s - 0.011, "yield", "the caller speaks; not yet known whether it is a backchannel", cause)
        hush = self.add(stop_s - 0.01, do.Yield(self.utterance), cause)
        self.add(stop_s, ev.UtterancePaused(self.utterance, at(stop_s)), hush)
        self.decide(drop_s - 0.001, "yield", "words that ask for the floor", cause)
        drop = self.add(drop_s, do.Cancel(self.utterance), cause)
        self.add(drop_s + 1e-4, ev.UtteranceHeard(self.utterance, at(stop_s - at_s), False, heard), say)
        self.add(drop_s + 2e-4, ev.UtteranceEnded(self.utterance, at(stop_s), "cancelled"), drop)
        return drop_s

    def pause_last(self, stop_s: float, resume_s: float) -> None:
        """The utterance that was said last pauses for a while; what it says moves back by that time."""
        moved = resume_s - stop_s
        say = next(item for item in reversed(self.items) if isinstance(item.what, do.Say))
        for item in self.items:
            what = item.what
            if not isinstance(what, ev.UtteranceHeard | ev.UtteranceEnded) or what.utterance != self.utterance:
                continue
            item.at_s += moved
            if isinstance(what, ev.UtteranceEnded):
                item.what = ev.UtteranceEnded(what.utterance, what.sample + at(moved), what.reason)
        hush = self.add(stop_s - 0.01, do.Yield(self.utterance), say)
        self.add(stop_s, ev.UtterancePaused(self.utterance, at(stop_s)), hush)
        self.decide(resume_s - 0.01, "resume", "a backchannel: mm-hm", say)
        on = self.add(resume_s - 0.009, do.Resume(self.utterance), say)
        self.add(resume_s, ev.UtteranceResumed(self.utterance, at(resume_s)), on)

    def tool(self, at_s: float, asked: Item, tool: str, lasts_s: float, result: Any, said: str, **given: str) -> Item:
        """The model calls a tool, which returns after `lasts_s`."""
        self.tool_call += 1
        generation = asked.what
        assert isinstance(generation, do.Generate)
        spoken = " ".join([tool, *(word for pair in given.items() for word in pair)])
        wanted = self.add(at_s, ev.ToolRequested(generation.generation, tool, spoken, given, given), asked)
        self.ends(at_s + 1e-5, asked, "called", 14)
        self.decide(at_s + 2e-5, "tool", "read only" if tool == "find_slots" else "read back and agreed", wanted)
        call = self.add(at_s + 3e-5, do.CallTool(self.tool_call, tool, given), wanted)
        return self.add(at_s + lasts_s, ev.ToolReturned(self.tool_call, tool, said, result), call)


def front_desk() -> MadeCall:
    """The whole call, about 62 s."""
    call = MadeCall()
    started = call.add(
        0.0,
        ev.CallStarted("made-1", "inbound", "s1", "front desk", "2026-11-23", 1, "made", "+1 555 0100"),
    )
    call.add(1e-5, do.Prefill("p0", EMPTY), started)
    answered = call.add(0.3, ev.CallAnswered(at(0.3)))
    call.say(0.36, "good morning, riverside clinic. how can i help?", answered, kind="greeting", lasts_s=2.7)

    final = call.caller(3.6, ("hello i would like to make an appointment please", 2.5))
    asked = call.think(6.42, final, "book - - - - -", "day")
    call.ends(6.6, asked, "said", 18)
    call.say(6.56, "of course. which day suits you?", final, lasts_s=1.8)

    final = call.caller(8.9, ("i would like to come in on um", 1.8), ("tuesday no wednesday", 1.5))
    asked = call.think(13.25, final, "book wednesday - - - -", "slots")
    back = call.tool(13.4, asked, "find_slots", 1.5, ["09:30", "11:00", "14:30"], "nine thirty eleven two thirty",
                     day="wednesday")  # fmt: skip
    call.say(13.5, "let me look.", final, kind="filler", lasts_s=0.8)
    asked = call.think(14.91, back, "", "time", after_result=True)
    call.ends(15.2, asked, "said", 27)
    offer = "on wednesday i have nine thirty, eleven, and two thirty. which one is best for you?"
    call.say(15.06, offer, back, lasts_s=4.6)
    call.caller(16.9, ("mm-hm", 0.35), kind="backchannel")
    call.pause_last(17.03, 17.5)

    final = call.caller(20.7, ("hang on let me check my calendar", 1.8))
    asked = call.think(22.85, final, "book wednesday - - - -", "more")
    silent = call.ends(22.97, asked, "silent", 9)
    call.decide(22.98, "silence", "the caller asked for a moment", silent)

    final = call.caller(26.2, ("okay eleven would be fine", 1.4))
    asked = call.think(27.93, final, "book wednesday - eleven - -", "name")
    call.ends(28.3, asked, "said", 30)
    final = call.caller(30.1, ("it is miller", 1.0), ("and please make it quick", 1.3), kind="barge_in", pause_s=0.5)
    call.interrupted(28.09, "eleven o'clock, good. may i have your last name, please? it is for the doctor's list.",
                     "eleven o'clock, good. may i have your", final, 30.24, 30.62)  # fmt: skip
    asked = call.think(33.25, final, "book wednesday - eleven miller -", "yes")
    call.ends(33.6, asked, "said", 24)
    end_s = call.say(33.4, "so that is wednesday at eleven for miller, is that right?", final, lasts_s=3.1)

    final = call.caller(end_s + 0.45, ("yes that is right", 1.0))
    asked = call.think(end_s + 1.75, final, "book wednesday - eleven miller yes", "ok")
    back = call.tool(end_s + 1.9, asked, "book", 0.12, "ok", "ok", day="wednesday", time="eleven", name="miller")
    asked = call.think(end_s + 2.03, back, "", "bye", after_result=True)
    call.ends(end_s + 2.3, asked, "said", 22)
    end_s = call.say(end_s + 2.17, "you are booked for wednesday at eleven. anything else?", back, lasts_s=2.9)

    final = call.caller(end_s + 0.5, ("what are your opening hours", 1.5), ("and where can i park", 1.2), pause_s=0.6)
    first = call.items[-1]
    asked = call.think(end_s + 2.35, first, "hours - - - - -", "more")
    call.ends(end_s + 2.6, asked, "said", 17)
    cut_s = end_s + 2.45
    call.interrupted(cut_s, "we are open from nine to five.", "we are", first, cut_s + 0.29, cut_s + 0.5)
    asked = call.think(end_s + 4.12, final, "other - - - - -", "bye")
    call.ends(end_s + 4.4, asked, "said", 31)
    hours = "we are open from nine to five, and you can park behind the house."
    end_s = call.say(end_s + 4.25, hours, final, lasts_s=3.9)

    final = call.caller(end_s + 0.6, ("no that is all thank you goodbye", 1.7))
    asked = call.think(end_s + 2.6, final, "none - - - - -", "bye")
    call.ends(end_s + 2.9, asked, "said_goodbye", 16)
    end_s = call.say(end_s + 2.75, "thank you for calling. goodbye.", final, lasts_s=1.9)
    call.decide(end_s + 0.001, "hang_up", "goodbye was said", final)
    over = call.add(end_s + 0.002, do.HangUp("agent_hung_up"), final)
    call.add(end_s + 0.05, ev.CallEnded("agent_hung_up", at(end_s + 0.05)), over)
    return call


def write_sound(call: MadeCall, path: Path) -> None:
    """The call as a two-channel WAV: speech-like noise where somebody speaks, left the caller, right the agent."""
    entries = call.entries()
    seconds = entries[-1].at_s + 0.2
    sides = np.zeros((at(seconds), 2), np.float64)
    noise = np.random.default_rng(1)
    spans = [(0, first, last) for turn in call.turns for first, last in turn["segments"]]
    spans += [(1, first, last) for one in agent_speech(entries) for first, last in one.audible]
    for side, first, last in spans:
        n = last - first
        beat = np.abs(np.sin(np.arange(n) / RATE_HZ * np.pi * (4.2 + side))) ** 0.7
        slow = 0.55 + 0.45 * np.sin(np.arange(n) / RATE_HZ * 2.3 + first)
        sides[first:last, side] += noise.normal(0, 0.11, n) * beat * slow
    pcm = np.clip(sides * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(pcm.tobytes())
