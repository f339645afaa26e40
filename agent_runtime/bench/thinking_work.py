"""The canned work of `bench thinking`: an agent, its tools, and a model, a voice and a recogniser that are only time.

The times are those of the peers' common work (BENCHMARKS.md): a word is known 150 ms after its end, the final text
250 ms after the last one; a request costs 30 ms and 1 ms for each token that the server has not read, a token 10 ms;
80 ms pass from a sentence to its sound. What the model says is a function of the stream and of nothing else: it reads
what was heard, so half a sentence gets the answer to half a sentence; like a chat server's it writes no note and
no expectation. It refuses to know callers and levels.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.spoken import say_time
from policies.spoken_times import find_times
from policies.trajectory import Role, Trajectory

from ..agent import Agent
from ..parts import Parts
from ..ports import AdapterRef, Caps, Engine, EngineSession, Extent
from ..session import Ears
from ..testing.fakes import EngineCost, FakeEngine, TimedVoice, WordLanguage
from ..testing.goal import DAYS, NAMES
from ..tools import tool

__all__ = ["FIND_S", "SERVICES", "TODAY", "WAITING_S", "PromptedLanguage", "Uncached", "bench_agent", "canned_parts"]

TODAY = datetime.date(2026, 11, 23)
FIND_S = 1.5
"""What the tool `find` takes; nothing of it is declared, as a newcomer would leave it."""
WAITING_S = 2.0
BOOK_S = 0.3
SERVICES = ("filling", "cleaning", "crown", "checkup")

_FREE = {
    "monday": ("09:00", "14:00"),
    "tuesday": ("10:30", "15:30"),
    "wednesday": ("10:30", "14:00"),
    "thursday": ("09:30", "16:00"),
    "friday": ("11:00", "13:30"),
}

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
Service = Literal["filling", "cleaning", "crown", "checkup"]


@tool(effect="read")
async def find(day: Day) -> list[str]:
    """The free times of a day."""
    await asyncio.sleep(FIND_S)
    return list(_FREE[day])


@tool(effect="read")
async def waiting(service: Service) -> str:
    """How long people wait for a service."""
    await asyncio.sleep(WAITING_S)
    return f"{3 + SERVICES.index(service)} days"


@tool(confirm=True)
async def book(day: Day, time: datetime.time, name: str) -> str:
    """Book a visit."""
    await asyncio.sleep(BOOK_S)
    return "ok"


def bench_agent(*, prefetch: bool = False, **settings: Any) -> Agent:
    """The agent as a newcomer writes it: tools without a word on how long they take, every setting as it comes.

    `prefetch`: but for one word, which lets the look-up of a day run for all of them.
    """
    look_up = tool(effect="read", prefetch=True)(find.function) if prefetch else find
    return Agent(
        name="bench desk",
        persona="front desk of a dentist at the river",
        greeting="good morning. how can i help?",
        tools=[look_up, waiting, book],
        today=TODAY,
        **settings,
    )


# --- the prompt ----------------------------------------------------------------------------------------------------


class PromptedLanguage(WordLanguage):
    """Words, behind a prompt of `prompt_tokens` tokens, card included: instructions and tools as a server is sent."""

    def __init__(self, tools: Sequence[Any], prompt_tokens: int) -> None:
        super().__init__(tools)
        self._prompt_tokens = prompt_tokens
        self._read: dict[str, list[int]] = {}

    def encode(self, trajectory: Trajectory) -> list[int]:
        """The ids of the prompt and of the stream."""
        ids: list[int] = []
        for segment in trajectory.segments:
            for part in segment.parts():
                ids += self._ids_of(part)
            if segment.role is Role.CARD:
                ids = [self.id_of("instruction")] * max(0, self._prompt_tokens - len(ids)) + ids
        return ids

    def _ids_of(self, part: str) -> list[int]:
        if part not in self._read:
            self._read[part] = [self.id_of(word) for word in part.split()]
        return self._read[part]


# --- the model -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Stream:
    """What the model sees in the stream: the open turn, the agent's last words, and the values of the call so far."""

    turn: list[str]
    asked: str
    heard_out: bool
    """The agent's last words were heard to their end."""
    result: str | None
    call: list[str]
    values: dict[str, str] = field(default_factory=dict)


def _read(text: str) -> _Stream:
    roles = {str(role) for role in Role}
    found = _Stream([], "", False, None, [])
    role, words = "", list[str]()
    for word in [*text[text.rfind(str(Role.CARD)) :].split(), ""]:
        if word and word not in roles:
            words.append(word)
            continue
        if role == Role.HEARD:
            found.turn += words
            found.values |= _values(words)
        elif role == Role.SAY:
            found.turn, found.asked, found.heard_out, found.result = [], " ".join(words), word != Role.CUT, None
        elif role == Role.CALL:
            found.turn, found.call, found.result = [], words, None
        elif role == Role.RESULT:
            found.result = " ".join(words)
        role, words = word, []
    return found


def _values(words: Sequence[str]) -> dict[str, str]:
    """The last value of each kind among some words: who corrects himself means the later one."""
    found = {}
    for kind, known in (("day", DAYS), ("service", SERVICES), ("name", NAMES)):
        named = [word for word in words if word in known]
        if named:
            found[kind] = named[-1]
    if times := find_times(" ".join(words)):
        found["time"] = times[-1]
    return found


_ANSWERS: tuple[tuple[str, str], ...] = (
    ("open", "we are open from nine until five daily. which day would you like to come?"),
    ("bring", "please bring your insurance card and your letter. it helps us to have the pictures that your last "
     "dentist took of your teeth. and if you take any medicine write down what it is and how much of it you take."),
    ("cost", "the first visit costs you nothing at all. which day would you like to come?"),
    ("park", "you can park right behind our own house. what else would you like to know?"),
)  # fmt: skip
"""A word of the caller's turn, and what is said then; eight words in the first sentence, as in the common work."""


def answer(text: str) -> str:
    """What the model writes after the stream `text`: the same for the same stream."""
    seen = _read(text)
    if seen.result is not None:
        return _after_result(seen)
    now, said = _values(seen.turn), " ".join(seen.turn)
    if not set(seen.turn) - {"um", "uh", "sorry", "mm-hm"}:
        return "<say> i am sorry but i did not hear. <end>"
    if "again" in seen.turn:
        return f"<say> {seen.asked or 'how can i help?'} <end>"
    if "that is all" in said or "goodbye" in seen.turn:
        return "<say> thank you for calling us today and goodbye. <bye>"
    if seen.heard_out and seen.asked.endswith("is that right?") and seen.turn[0] in ("yes", "yeah"):
        return "<call> book day {day} time {time} name {name} <end>".format(**seen.values)
    if "service" in now:
        return f"<call> waiting service {now['service']} <end>"
    if "day" in now:
        return f"<call> find day {now['day']} <end>"
    if "time" in now or "name" in now:
        return _next_value(seen.values)
    for word, reply in _ANSWERS:
        if word in seen.turn:
            return f"<say> {reply} <end>"
    return "<say> of course i can help you with that. which day would you like to come? <end>"


def _next_value(known: dict[str, str]) -> str:
    if "day" not in known:
        name = known.get("name", "")
        return f"<say> thank you {name} it is good you called. which day would you like to come? <end>"
    if "time" not in known:
        return "<say> i have that and i wrote it down. which time would you like? <end>"
    if "name" not in known:
        return f"<say> {known['time']} is good and still free for you. what name is it for? <end>"
    return "<say> so that is {day} at {time} for {name}, is that right? <end>".format(**known)


def _after_result(seen: _Stream) -> str:
    if seen.result == "failed":
        return "<say> i am sorry but that did not work. <end>"
    if seen.call[0] == "find":
        first, second = (say_time(clock) for clock in _FREE[seen.call[2]])
        return f"<say> {seen.call[2]} has {first} and also {second} free. which one would you like? <end>"
    if seen.call[0] == "waiting":
        return f"<say> people wait about {seen.result} for that just now. anything else about it? <end>"
    return "<say> that is done and it is written down. is there something else? <end>"


# --- the parts -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Uncached:
    """An engine whose server keeps nothing between requests: each one reads the whole prompt again."""

    engine: Engine

    @property
    def caps(self) -> Caps:
        """Those of the engine."""
        return self.engine.caps

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> EngineSession:
        """A session that forgets."""
        inner = await self.engine.open(session, adapter=adapter, priority=priority)
        found: EngineSession = _forgetting(inner)
        return found

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Nothing is kept."""
        return Extent(len(tokens), 0, 0, 0, 0.0)

    async def load_adapter(self, ref: AdapterRef) -> None:
        """As the engine does."""
        await self.engine.load_adapter(ref)

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """As the engine does."""
        await self.engine.unload_adapter(ref)

    async def close(self) -> None:
        """As the engine does."""
        await self.engine.close()


def _forgetting(session: EngineSession) -> EngineSession:
    """`session`, whose cache is emptied before each `sync`; every request begins with one."""
    sync = session.sync

    async def forget_and_sync(tokens: Sequence[int], **settings: Any) -> Extent:
        await session.rewind(0)
        return await sync(tokens, **settings)

    session.sync = forget_and_sync  # type: ignore[method-assign]
    return session


def canned_parts(prompt_tokens: int, *, cached: bool = True, reply: Callable[[str], str] = answer) -> Parts:
    """Ears that are told the words, the model above at a server of the common work's speed, and a voice of time.

    The server gives no log-probabilities, as most do not: the end of a turn is judged by words and silence.
    """
    language = PromptedLanguage((find, waiting, book), prompt_tokens)
    caps = Caps(ids=True, exact_rollback=True, fork=True, grammar=False, logprobs=False)
    engine = FakeEngine(language, reply, EngineCost(served=True), caps=caps)
    return Parts(Ears(), engine if cached else Uncached(engine), language, TimedVoice())
