"""Builders for tests of a call, so that a test reads like a script: who says what and when, then which orders follow.

`Talk` is a mind and a hand that feeds it: each method is one fact, at a stated millisecond of the call, and returns
the orders that followed, each as one short line (`shown`). `desk`, `clip` and `play` make whole calls in virtual time.
Nothing here decides anything.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.agent import Agent
from agent_runtime.call import Call, play_call
from agent_runtime.clock import run_virtual
from agent_runtime.commands import Command
from agent_runtime.events import Event
from agent_runtime.floor import FloorSettings
from agent_runtime.log import Log
from agent_runtime.mind import Mind
from agent_runtime.mind_settings import MindSettings
from agent_runtime.parts import Parts
from agent_runtime.record import Entry
from agent_runtime.session import Ears
from agent_runtime.testing import Clip, Word
from agent_runtime.testing.fakes import FakeEngine, Reply, TimedVoice, WordLanguage, replies
from agent_runtime.tools import Tool, tool
from policies.barge_in import BargeInSettings
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.idle import IdleSettings
from policies.shapes import Parameter, ToolShape
from policies.speculation import ThinkingSettings
from policies.trajectory import Role, Segment, Trajectory

__all__ = [
    "BOOK",
    "FIND",
    "JOT",
    "NOTHING_AHEAD",
    "PLAIN_FLOOR",
    "QUIET",
    "TODAY",
    "Talk",
    "clip",
    "desk",
    "play",
    "shown",
    "spoken_call",
    "talk",
]

TODAY = datetime.date(2026, 11, 23)

DAY = Parameter("day", "choice", ("monday", "tuesday", "wednesday"))
FIND = ToolShape("find_slots", (DAY,), effect="read")
BOOK = ToolShape("book", (DAY, Parameter("time", "time"), Parameter("name", "heard")), effect="write", confirm=True)
JOT = ToolShape("jot", (Parameter("name", "heard"),), effect="write")
"""A write that needs no read-back."""

QUIET = ["no timer endpoint", "no timer idle", "no timer overlap"]
"""What every beginning of speech forgets."""

NOTHING_AHEAD = ThinkingSettings(listen=False, draft=False, predict=False)
"""Nothing is thought before the turn is over; tests of thinking ahead turn it on."""

PLAIN_FLOOR = FloorSettings(
    endpointing=EndpointSettings(
        curve=((0.0, 1000), (0.3, 1000), (0.31, 200), (1.0, 200)), unsettled_ms=300, noise_ms=600, habit_most_ms=0
    ),
    barge_in=BargeInSettings(
        hold_ms=300, short_ms=450, nearly_done_ms=300, answer_ms=1200, long_ms=1200, settle_ms=400
    ),
)
"""Round times, so that scripts do not change whenever a policy is tuned: 200 ms after words that may be the end, 1 s
after words that lean on a next one."""


PLAIN_FILLER = FillerSettings(thinking=())
"""No word about slow replies, so that only scripts of tools hold a timer of fillers."""
PLAIN_IDLE = IdleSettings(asked_ms=8000, told_ms=8000, hold_ms=60_000, again_ms=8000)
"""The same patience with a silent caller after a question and after a statement."""


def shown(command: Command) -> str:
    """The order in a few words: everything of it that a caller or an organ could notice, without digests and scores."""
    match command:
        case do.Decision(action, reason):
            return f"({action}: {reason})"
        case do.Generate(number, _, after_result, blocked, due, draft=depth):
            without = "".join(f" without {name}" for name in blocked)
            return (
                f"{depth or 'generate'} {number}"
                + " on a result" * after_result
                + without
                + f", {due} is due" * bool(due)
            )
        case do.Say(utterance, kind, last, text):
            return f"say {utterance} {kind} {text!r}" + " end" * last
        case do.Adopt(generation, call, utterance):
            return " ".join(f"{what} {n}" for what, n in (("adopt", generation), ("adopt call", call)) if n)
        case do.CallTool(call, name, arguments, early=early):
            return " ".join(
                ["early " * early + f"call {call} {name}", *(f"{key}={value}" for key, value in arguments.items())]
            )
        case do.SetTimer(timer, after_ms):
            return f"timer {timer} {after_ms}"
        case do.CancelTimer(timer):
            return f"no timer {timer}"
        case do.Cancel(utterance, how):
            return f"Cancel {utterance}" + " at a word" * (how == "word")
        case do.Prefill():
            return "prefill"
        case do.ScoreTurn(revision):
            return f"score turn {revision}"
        case _:
            values = [str(getattr(command, field.name)) for field in dataclasses.fields(command)]
            return " ".join([type(command).__name__, *values])


def spoken_call(name: str, /, **slots: str) -> tuple[str, dict[str, str]]:
    """A tool call as it stands in the stream, and its slots."""
    return " ".join([name, *(word for pair in slots.items() for word in pair)]), slots


class Talk:
    """A mind in a call, fed by hand. Times are milliseconds of the call; they may only grow.

    Method arguments are what the world does; each returns what the mind ordered, as `shown` writes it; the orders
    themselves are kept in `orders`. Housekeeping (cancelled timers) can be left out by `brief`.
    """

    def __init__(self, *, greeting: str = "", tools: Sequence[ToolShape] = (FIND, BOOK, JOT), **settings: Any) -> None:
        settings.setdefault("floor", PLAIN_FLOOR)
        settings.setdefault("thinking", NOTHING_AHEAD)
        settings.setdefault("filler", PLAIN_FILLER)
        settings.setdefault("idle", PLAIN_IDLE)
        opening = Trajectory.of([Segment(Role.CARD, "desk.")])
        self.mind = Mind(
            MindSettings(opening, greeting=greeting, tools={shape.name: shape for shape in tools}, **settings)
        )
        self.now_ms = 0
        self.seq = 0
        self.orders: list[Command] = []
        self.segment = self.revision = 0
        self.texts: dict[int, str] = {}

    # --- the machinery -------------------------------------------------------------------------------------------

    def tell(self, event: Event, at_ms: int | None = None) -> list[str]:
        """One fact; what the mind ordered on it."""
        if at_ms is not None:
            assert at_ms >= self.now_ms, f"the script goes back from {self.now_ms} to {at_ms} ms"
            self.now_ms = at_ms
        self.seq += 1
        orders = self.mind.receive(Entry(self.seq, self.now_ms * 1000, 0, event))
        self.orders += orders
        return [shown(order) for order in orders]

    @property
    def sample(self) -> int:
        """Now, on the sample line."""
        return self.now_ms * 16

    @property
    def stream(self) -> str:
        """The stream as it stands, without the card."""
        return Trajectory(self.mind.conversation.committed.segments[1:]).text()

    def scored(self, p_over: float, at_ms: int) -> list[str]:
        """The model's score of the words that were asked about last."""
        asked = [order for order in self.orders if isinstance(order, do.ScoreTurn)][-1]
        return self.tell(ev.TurnScored(asked.revision, p_over, asked.prefix), at_ms)

    # --- the line ------------------------------------------------------------------------------------------------

    def starts(self) -> list[str]:
        """The call comes in and is answered."""
        self.tell(ev.CallStarted("c", "inbound", "s", "desk", TODAY.isoformat(), 1, "", "+15550100"), 0)
        return self.tell(ev.CallAnswered(0))

    def hangs_up(self, at_ms: int) -> list[str]:
        """The caller leaves."""
        return self.tell(ev.CallerHungUp(at_ms * 16), at_ms)

    def rings(self, timer: str, at_ms: int) -> list[str]:
        """A timer runs out."""
        return self.tell(ev.TimerFired(timer), at_ms)

    # --- the caller ----------------------------------------------------------------------------------------------

    def begins(self, at_ms: int, *, no_floor: float = 0.0) -> list[str]:
        """The caller begins to speak at `at_ms`, known at once."""
        self.segment += 1
        return self.tell(ev.SpeechStarted(at_ms * 16, at_ms * 16, 1.0, no_floor, self.segment), at_ms)

    def utters(self, text: str, at_ms: int, *, tail: str = "", segment: int = 0) -> list[str]:
        """Words so far of the present segment (or of `segment`), as a partial: `text` stable, `tail` not yet."""
        self.revision += 1
        number = segment or self.segment
        return self.tell(ev.PartialTranscript(number, self.revision, at_ms * 16, text, tail), at_ms)

    def pauses(self, at_ms: int, *, spoke_until_ms: int | None = None) -> list[str]:
        """The caller is silent; the last speech sample was at `spoke_until_ms` (default: now)."""
        last_ms = at_ms if spoke_until_ms is None else spoke_until_ms
        return self.tell(ev.SpeechStopped(last_ms * 16, at_ms * 16), at_ms)

    def said(self, text: str, at_ms: int, *, segment: int = 0) -> list[str]:
        """The final text of the present segment (or of `segment`)."""
        self.revision += 1
        return self.tell(ev.FinalTranscript(segment or self.segment, self.revision, at_ms * 16, text, ()), at_ms)

    def presses(self, digit: str, at_ms: int) -> list[str]:
        """A key."""
        return self.tell(ev.DigitPressed(at_ms * 16, digit), at_ms)

    def turn(self, text: str, at_ms: int, *, lasts_ms: int = 800) -> list[str]:
        """A plain turn in one go; the orders on its final text, 250 ms after the last word, which commit it."""
        self.begins(at_ms)
        self.utters(text, at_ms + lasts_ms)
        self.pauses(at_ms + lasts_ms + 200, spoke_until_ms=at_ms + lasts_ms)
        return self.said(text, at_ms + lasts_ms + 250)

    # --- the engine ----------------------------------------------------------------------------------------------

    def thinks(self, generation: int, note: str = "none", expects: str = "more") -> None:
        """The model writes a note and an expectation."""
        self.tell(ev.ThoughtFormed(generation, note))
        self.tell(ev.ExpectationFormed(generation, expects))

    def writes(self, generation: int, *clauses: str) -> list[str]:
        """The model writes clauses of a reply."""
        return [line for n, text in enumerate(clauses) for line in self.tell(ev.ClauseGenerated(generation, n, text))]

    def ends(self, generation: int, outcome: Any = "said") -> list[str]:
        """The generation is over."""
        return self.tell(ev.GenerationEnded(generation, outcome, 9))

    def wants(self, generation: int, name: str, /, **slots: str) -> list[str]:
        """The model asks for a tool; the generation ends with it."""
        spoken, given = spoken_call(name, **slots)
        lines = self.tell(ev.ToolRequested(generation, name, spoken, given, given))
        return lines + self.ends(generation, "called")

    # --- tools and voice -----------------------------------------------------------------------------------------

    def returns(self, call: int, name: str, spoken: str, at_ms: int) -> list[str]:
        """A tool gives its result."""
        return self.tell(ev.ToolReturned(call, name, spoken, spoken), at_ms)

    def fails(self, call: int, name: str, at_ms: int, reason: Any = "raised") -> list[str]:
        """A tool gives none."""
        return self.tell(ev.ToolFailed(call, name, reason, "why"), at_ms)

    def sounds(self, utterance: int, at_ms: int) -> list[str]:
        """The first sample of an utterance leaves."""
        return self.tell(ev.UtteranceStarted(utterance, at_ms * 16), at_ms)

    def hushes(self, utterance: int, heard: str, at_ms: int) -> list[str]:
        """The agent is silent in the middle of an utterance."""
        self.tell(ev.UtteranceHeard(utterance, at_ms, False, heard), at_ms)
        return self.tell(ev.UtterancePaused(utterance, at_ms * 16))

    def played(
        self,
        utterance: int,
        heard: str,
        at_ms: int,
        reason: Literal["played", "cancelled", "failed"] = "played",
    ) -> list[str]:
        """The utterance ends with `heard` heard of it."""
        self.tell(ev.UtteranceHeard(utterance, at_ms, reason == "played", heard), at_ms)
        return self.tell(ev.UtteranceEnded(utterance, at_ms * 16, reason))


def talk(**settings: Any) -> Talk:
    """A call that is answered without a greeting."""
    found = Talk(**settings)
    found.starts()
    return found


def answering(**settings: Any) -> Talk:
    """The agent has begun to say 40 characters, at 2300 ms."""
    scene = talk(**settings)
    scene.turn("when are you open", 1000)
    scene.thinks(1)
    scene.writes(1, "we are open from nine to five every day.")
    scene.ends(1)
    scene.sounds(1, 2300)
    return scene


# --- whole calls -------------------------------------------------------------------------------------------------


def clip(text: str, *, letter_ms: int = 60) -> Clip:
    """Words without sound: 60 ms a letter, three letters at least, no gaps."""
    words: list[Word] = []
    end = 0
    for word in text.split():
        begin, end = end, end + 16 * letter_ms * max(3, len(word))
        words.append(Word(word, begin, end))
    return Clip(text, tuple(words), end)


@tool(effect="read", slow_s=1.5)
async def find_slots(day: Literal["monday", "tuesday", "wednesday"]) -> list[str]:
    """Free slots of a day."""
    await asyncio.sleep(1.5)
    return ["10:30", "14:00"]


def desk(*tools: Tool, **settings: Any) -> Agent:
    """An agent with `tools`, or with one slow look-up."""
    given: dict[str, Any] = {"greeting": "good morning. how can i help?", "today": TODAY, **settings}
    return Agent(name="desk", persona="front desk", tools=tools or (find_slots,), **given)


def parts(agent: Agent, says: Mapping[str, str] | Reply, otherwise: str = "", **made: Any) -> Parts:
    """Fake parts: the engine answers by the words of the last caller turn or result; `made` replaces parts."""
    language = made.pop("language", None) or WordLanguage(agent.tools)
    reply = says if callable(says) else replies(says, otherwise or "<think> none <expect> more <say> sorry? <end>")
    engine = made.pop("engine", None) or FakeEngine(language, reply)
    return Parts(made.pop("ears", Ears()), engine, language, made.pop("voice", TimedVoice()))


def play(
    agent: Agent,
    door: Any,
    says: Mapping[str, str] | Reply,
    *,
    log: Log | None = None,
    audio: bool = False,
    limit_s: float = 600.0,
    call_id: str = "call",
    watchers: Sequence[Any] = (),
    **made: Any,
) -> Call:
    """A whole call in virtual time with fake parts."""

    async def main() -> Call:
        with tempfile.TemporaryDirectory() as folder:
            async with asyncio.timeout(limit_s):
                return await play_call(
                    agent,
                    door,
                    parts(agent, says, **made),
                    folder=Path(folder),
                    today=TODAY,
                    audio=audio,
                    log=log,
                    call_id=call_id,
                    watchers=watchers,
                )

    return run_virtual(main())
