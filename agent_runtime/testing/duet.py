"""Duets: two agents talk to each other in one virtual-time run, by words.

Each side is an ordinary call: its own session, mind, engine session and log. Between them lies a `Line` of two doors.
What one agent's playout says was heard, word for word at its time, is what the other one's ears get, so an agent that
falls silent in the middle of a sentence is heard to do so, and a word spoken over the other reaches it. Nothing here
decides anything; who says what is up to the two agents.

    left, right = run_duet(Agent.load("examples/companies"), Agent.load("examples/front_desk"))
"""

from __future__ import annotations

import asyncio
import datetime
import os
import re
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from ..agent import Agent
from ..call import Call, CallError, play_call
from ..clock import Charge, CostModel, MeasuredCost, run_virtual
from ..listening_words import CannedHearing, SpokenPiece, asks_no_floor
from ..log import FileLog, Log, MemoryLog
from ..parts import Parts, open_parts
from ..ports import NextWord, Voice
from .fakes import TimedVoice

__all__ = ["DuetDoor", "Party", "line", "play_duet", "run_duet"]

RATE_HZ = 16_000
HANG_UP_S = 0.3
"""From hanging up to the other side knowing it: longer than its ears take for a last word (`CannedHearing.final_ms`),
so that a goodbye is heard before the line is gone."""

_SPOKEN = re.compile(r"[^\w' -]")


@dataclass(frozen=True, slots=True)
class _Sound:
    """A stretch of speech, in samples of the speaker's line; a word, or (without text) one that nobody made out."""

    text: str
    end_char: int
    first_sample: int
    end_sample: int


class _Wire:
    """One direction of the line: what one side says, until the other has heard it."""

    def __init__(self) -> None:
        self.origin_s: float | None = None
        """Loop time of the speaker's sample 0."""
        self.sounds: deque[_Sound] = deque()
        """In order; the last ones may still turn out otherwise."""
        self.down_at_s: float | None = None
        """When the speaker hung up."""
        self.news = asyncio.Event()
        self._utterance = 0
        self._told = 0  # characters of the utterance that were heard before it was last silent
        self._silent = True

    def speak(self, utterance: int, heard: int, ahead: Sequence[NextWord], now: int) -> None:
        """What `ports.PlayWords` says, at the speaker's sample `now`."""
        if utterance != self._utterance:
            self._utterance, self._told = utterance, 0
        over = [sound for sound in self.sounds if sound.end_sample <= now]
        if ahead:
            # a word that goes on after a silence sounds from now on; if it counted before, it is no new word
            over += [
                _Sound(
                    word.text if word.end_char > self._told else "",
                    word.end_char,
                    max(word.first_sample, now) if self._silent else word.first_sample,
                    word.end_sample,
                )
                for word in ahead
            ]
        else:
            broken = [sound for sound in self.sounds if sound.first_sample < now < sound.end_sample]
            over += [
                replace(sound, end_sample=now, text=sound.text if sound.end_char <= heard else "") for sound in broken
            ]
            self._told = heard
        self._silent = not ahead
        self.sounds = deque(over)
        self.news.set()

    def hang_up(self, at_s: float) -> None:
        """The speaker is gone."""
        if self.down_at_s is None:
            self.down_at_s = at_s
        self.news.set()


class DuetDoor:
    """One end of the line; one call an object. Made in pairs by `line`."""

    ahead = False

    def __init__(self, ear: _Wire, mouth: _Wire, facts: Mapping[str, Any], hearing: CannedHearing) -> None:
        self._ear, self._mouth, self._facts = ear, mouth, facts
        self._pause_samples = hearing.stop_ms * RATE_HZ // 1000
        self._closed = False

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def listen_words(self) -> AsyncIterator[SpokenPiece]:
        """The other agent's words, each when it is over; ends a moment after the other side has hung up."""
        self._mouth.origin_s = asyncio.get_running_loop().time()
        silent_from: int | None = None  # where the last sound of the open segment ended
        while not self._closed:
            now, sound = self._now(), self._next_sound()
            pause_over = None if silent_from is None else silent_from + self._pause_samples
            if pause_over is not None and now >= pause_over and (sound is None or sound.first_sample >= pause_over):
                assert silent_from is not None
                yield SpokenPiece(silent_from, ends=True)
                silent_from = None
            elif sound is not None and sound.first_sample <= now and silent_from is None:
                yield SpokenPiece(sound.first_sample, no_floor=self._asks_no_floor())
                silent_from = sound.first_sample
            elif sound is not None and sound.end_sample <= now:
                assert silent_from is not None
                self._ear.sounds.popleft()
                silent_from = max(silent_from, sound.end_sample)
                if sound.text:
                    yield SpokenPiece(sound.first_sample, ((sound.text, sound.first_sample, sound.end_sample),))
            elif self._gone and pause_over is None:
                return
            else:
                await self._until(self._wake_at(sound, pause_over, now))

    def play_words(self, utterance: int, heard: int, ahead: Sequence[NextWord]) -> None:
        """Our words, for the other side; see `ports.PlayWords`."""
        spoken = [_Sound(_plain(word.text), word.end_char, word.first_sample, word.end_sample) for word in ahead]
        self._mouth.speak(utterance, heard, spoken, self._now())

    async def send_digits(self, digits: str) -> None:
        """An agent presses keys to a machine; in a duet there is none."""

    async def transfer(self, target: str) -> bool:
        """Nobody else is on this line."""
        return False

    async def close(self) -> None:
        """We hang up."""
        self._closed = True
        self._ear.news.set()
        self._mouth.hang_up(asyncio.get_running_loop().time())

    # --- the line as this side sees it ---------------------------------------------------------------------------

    def _now(self) -> int:
        assert self._mouth.origin_s is not None, "the call is answered before anybody speaks or listens"
        return round((asyncio.get_running_loop().time() - self._mouth.origin_s) * RATE_HZ)

    def _next_sound(self) -> _Sound | None:
        """The next sound of the other side, in samples of our line."""
        if not self._ear.sounds:
            return None
        assert self._ear.origin_s is not None
        assert self._mouth.origin_s is not None
        shift = round((self._ear.origin_s - self._mouth.origin_s) * RATE_HZ)
        sound = self._ear.sounds[0]
        return replace(sound, first_sample=sound.first_sample + shift, end_sample=sound.end_sample + shift)

    def _asks_no_floor(self) -> bool:
        """All that the other side is about to say asks for no floor."""
        return asks_no_floor(sound.text for sound in self._ear.sounds)

    @property
    def _gone(self) -> bool:
        down_at_s = self._ear.down_at_s
        return down_at_s is not None and asyncio.get_running_loop().time() >= down_at_s + HANG_UP_S

    def _wake_at(self, sound: _Sound | None, pause_over: int | None, now: int) -> float | None:
        """Loop time at which something is due if the other side does nothing else; None: never."""
        assert self._mouth.origin_s is not None
        due = [sound.first_sample, sound.end_sample] if sound is not None else []
        due += [pause_over] if pause_over is not None else []
        times = [self._mouth.origin_s + sample / RATE_HZ for sample in due if sample > now]
        if self._ear.down_at_s is not None and not self._gone:
            times.append(self._ear.down_at_s + HANG_UP_S)
        return min(times, default=None)

    async def _until(self, at_s: float | None) -> None:
        """Wait for news, but not beyond `at_s`."""
        self._ear.news.clear()
        try:
            async with asyncio.timeout_at(at_s):
                await self._ear.news.wait()
        except TimeoutError:
            return


def _plain(word: str) -> str:
    """A said word as it is heard: without punctuation."""
    return _SPOKEN.sub("", word).lower()


def line(left: Agent, right: Agent, *, hearing: CannedHearing | None = None) -> tuple[DuetDoor, DuetDoor]:
    """Two doors that are connected: the left agent's and the right agent's. Each is the other's counterparty."""
    one, other, ears = _Wire(), _Wire(), hearing or CannedHearing()

    def facts(own: Agent, far: Agent) -> dict[str, str]:
        return {"counterparty": far.name, "direction": own.direction}

    return DuetDoor(other, one, facts(left, right), ears), DuetDoor(one, other, facts(right, left), ears)


# --- playing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a duet: an agent, the open parts it runs on, the folder its tools write into, and its log."""

    agent: Agent
    parts: Parts
    folder: Path
    log: Log | None = None


async def play_duet(
    left: Party, right: Party, *, today: datetime.date | None = None, call_id: str = "duet"
) -> tuple[Call, Call]:
    """Play one duet on the running loop; it ends when either side hangs up. `today` is each agent's own by default.

    The left side rings. An inbound agent there says no greeting, which is for whoever is rung; an outbound one is
    played as it is, so two sides that both speak first do so at once.

    Raises `CallError` where an agent has no date for today, and the first fault of either side.
    """
    left = replace(left, agent=_ringing(left.agent))
    doors = line(left.agent, right.agent)
    try:
        async with asyncio.TaskGroup() as group:
            calls = [
                group.create_task(
                    play_call(
                        party.agent,
                        door,
                        party.parts,
                        folder=party.folder,
                        today=_day_of(party.agent, today),
                        call_id=f"{call_id}-{side}",
                        log=party.log,
                        audio=False,
                    ),
                    name=f"{side} side",
                )
                for side, party, door in zip(("left", "right"), (left, right), doors, strict=True)
            ]
    except BaseExceptionGroup as faults:
        raise faults.exceptions[0] from None  # the one fault; the other side was cancelled for it
    return calls[0].result(), calls[1].result()


def run_duet(
    left: Agent,
    right: Agent,
    *,
    out: Path | str | None = None,
    cost: Literal["model", "measured"] = "model",
    cores: int = 2,
    today: datetime.date | None = None,
    call_id: str = "duet",
    parts: tuple[Parts | None, Parts | None] = (None, None),
    voice: Voice | None = None,
) -> tuple[Call, Call]:
    """Play one duet to its end in virtual time and give what became of it on each side.

    `parts`: what each side runs on; None opens what its agent asks for. `voice`: what times the words; by default each
    word takes 0.35 s. `out`: a folder that must not exist yet; when the duet is complete it holds ``left`` and
    ``right``, each with the log ``events.jsonl`` and what that agent's tools wrote. `cost`, `cores`, `today` as in
    `run_call`. By the cost model the same agents leave the same bytes. Raises `CallError`.
    """
    target = None if out is None else Path(out)
    if target is not None and os.path.lexists(target):
        raise CallError(f"output folder {target} exists; name a new one or remove it first")
    for agent in (left, right):
        _day_of(agent, today)
    charge: Charge = CostModel.embedded() if cost == "model" else MeasuredCost(cores)
    return run_virtual(_run((left, right), parts, target, today, call_id, voice or TimedVoice()), charge)


def _ringing(agent: Agent) -> Agent:
    """The agent as the one who rings."""
    return replace(agent, direction="outbound", greeting="") if agent.direction == "inbound" else agent


def _day_of(agent: Agent, today: datetime.date | None) -> datetime.date:
    day = today or agent.today
    if day is None:
        raise CallError(f"agent {agent.name!r} has no date for today: give today=datetime.date(...)")
    return day


async def _run(
    agents: tuple[Agent, Agent],
    parts: tuple[Parts | None, Parts | None],
    target: Path | None,
    today: datetime.date | None,
    call_id: str,
    voice: Voice,
) -> tuple[Call, Call]:
    async with AsyncExitStack() as stack:
        if target is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
        beside = None if target is None else target.parent
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".duologue-", dir=beside))) / "duet"
        parties = []
        for side, agent, given in zip(("left", "right"), agents, parts, strict=True):
            folder = work / side
            folder.mkdir(parents=True)
            if given is None:
                given = await stack.enter_async_context(open_parts(agent, words_only=True, voice=voice))
            log: Log = MemoryLog() if target is None else FileLog(folder / "events.jsonl")
            parties.append(Party(agent, given, folder, log))
        left, right = await play_duet(*parties, today=today, call_id=call_id)
        if target is None:
            return left, right
        work.rename(target)
        return replace(left, folder=target / "left"), replace(right, folder=target / "right")
