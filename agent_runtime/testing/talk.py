"""A caller who wants something: hears the agent's words, answers what is asked, corrects what was misunderstood.

For calls that nobody wrote: the same goal and seed always make the same caller. Pure: no clock, no file; it drives a
`ScriptedCaller` as a script does. It knows front desks (days, times, names, yes and no) and refuses to know which agent
answers. It needs the agent's words; an agent that is only sound leaves it asking "pardon?".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from .clips import Clip
from .ear import AgentEar, plain
from .goal import Goal, Manner, Wish
from .phrasebook import filled, phrasebook, pieces
from .questions import named_day, offered_times, open_offers, question_of, sentence_with
from .script import GIVE_UP_AFTER_S, HELLO_AFTER_S, RATE_HZ, Action, HangUp, Kind, Line, Segment, Speak, at

__all__ = ["GoalTalk"]

_FRESH_SAMPLES = 3_200
_UNCLEAR_AFTER_S = 4.5
"""After this much silence a caller who understood no question asks again; slow tools take less (a guess)."""
_PATIENCE_ROUNDS = 4
"""So often the same is answered before the caller gives up."""
_MOST_TURNS = 30
"""More turns than this nobody takes for one appointment (a good call has five or six)."""
_Plan = tuple[int, Callable[[int], Action]]
"""(when, what): something the caller may do next."""


class GoalTalk:
    """One caller's side of one call. Drives a `ScriptedCaller`; see `CallerDriver` for the methods."""

    def __init__(self, goal: Goal, seed: int, clip_of: Callable[[str], Clip], manner: Manner | None = None) -> None:
        self.goal = goal
        self.wish = Wish(goal.kind, goal.day, goal.name)
        self.ear = AgentEar()
        self._manner = manner or Manner()
        self._seed = seed
        self._clip_of = clip_of
        self._book = phrasebook(goal, seed, self._manner)
        self._said: dict[str, int] = {}
        self._other_days = list(goal.other_days)
        self._requested = self._part_given = self._name_given = False
        self._leaving = self._over = False
        self._barged = Random(f"{seed} barge").random() >= self._manner.barges_in
        self._hummed: set[int] = set()
        self._greeted = False
        self._turns = 0
        self._last_question: str | None = None
        self._said_last = "pardon"
        self._rounds = 0
        self._pardons = 0
        self._busy_until = self._calm_since = 0

    # --- what the agent does -------------------------------------------------------------------------------------

    def on_agent_audio(self, first_sample: int, n_samples: int, audible: bool) -> None:
        self.ear.on_audio(first_sample, n_samples, audible)

    def on_agent_edge(self, sample: int, audible: bool) -> None:
        self.ear.on_edge(sample, audible)

    def on_agent_utterance(self, utterance: int) -> None:
        self.ear.on_utterance(utterance)

    def on_agent_text(self, text: str, utterance: int | None = None) -> None:
        self.ear.on_text(text, utterance)

    # --- what the caller does ------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        return self._over

    def due(self, sample: int) -> list[Action]:
        """What begins at `sample`: at most one action."""
        if self._over or sample < self._busy_until:
            return []
        ready = [plan for plan in self._plans(sample) if plan[0] <= sample]
        return [min(ready, key=lambda plan: plan[0])[1](sample)] if ready else []

    def next_due(self, sample: int) -> int | None:
        """The earliest sample from `sample` on at which something is due if the agent does no more."""
        if self._over:
            return None
        now = max(sample, self._busy_until)
        times = [when for when, _ in self._plans(now)]
        return max(now, min(times)) if times else None

    def _plans(self, sample: int) -> list[_Plan]:
        """(when, what) of all that may come next, as things stand at `sample`."""
        ear = self.ear
        plans: list[_Plan] = []
        answer, last = ear.turn_first(sample), ear.last_end
        talkative = self._requested and not self._leaving
        if talkative and ear.stretch_first is not None and last is not None and answer is not None:
            plans += self._over_the_agent(sample, max(ear.stretch_first, answer), last)
        if ear.sounding:
            return plans
        if answer is not None and last is not None:
            chance = Random(f"{self._seed} delay {self._turns}").random()
            wait_s = self._manner.quickest_s + chance * (self._manner.slowest_s - self._manner.quickest_s)
            question = question_of(ear.text)
            wait_s = wait_s if question is not None else _UNCLEAR_AFTER_S
            plans.append((last + round(wait_s * RATE_HZ), lambda now: self._answer(question, now)))
        calm = max(self._calm_since, last or 0)
        plans.append((calm + round(GIVE_UP_AFTER_S * RATE_HZ), lambda now: self._hang_up(now, "nobody answered")))
        if not self._greeted:
            plans.append((calm + round(HELLO_AFTER_S * RATE_HZ), self._hello))
        return plans

    def _over_the_agent(self, sample: int, first: int, last: int) -> list[_Plan]:
        """Humming along and barging in, while the agent's stretch of speech lasts."""
        number = self.ear.stretches
        chance = Random(f"{self._seed} stretch {number}")
        hum_wait_s, barge_wait_s = chance.uniform(1.1, 1.9), chance.uniform(1.8, 2.8)
        hums = chance.random() < self._manner.hums
        plans: list[_Plan] = []
        if hums and number not in self._hummed and len(self._hummed) < self._manner.most_hums:
            plans.append((first + round(hum_wait_s * RATE_HZ), self._hum))
        if not self._barged and (not self._name_given or (self.goal.part and not self._part_given)):
            plans.append((first + round(barge_wait_s * RATE_HZ), self._barge_in))
        reachable = self.ear.sounding
        return [(when, act) for when, act in plans if reachable or max(when, sample) < last + _FRESH_SAMPLES]

    def _hum(self, sample: int) -> Action:
        self._hummed.add(self.ear.stretches)
        return self._speak("backchannel", sample, "backchannel")

    def _barge_in(self, sample: int) -> Action:
        self._barged = True
        if self.goal.part and not self._part_given:
            self._part_given = True
            return self._speak("barge_part", sample, "barge_in")
        self._name_given = True
        return self._speak("barge_name", sample, "barge_in")

    def _hello(self, sample: int) -> Action:
        self._greeted = True
        return self._speak("hello", sample, "turn", answers=False)

    def _hang_up(self, sample: int, reason: str) -> Action:
        self._over = True
        return HangUp(sample, reason)

    # --- answering -----------------------------------------------------------------------------------------------

    def _answer(self, question: str | None, sample: int) -> Action:
        """The answer to a question, now that the agent is silent."""
        text = self.ear.text
        if question == "bye" or self._leaving:
            return self._hang_up(sample, "goodbye")
        self._rounds = self._rounds + 1 if question == self._last_question else 1
        self._last_question = question
        self._pardons += question is None
        if max(self._rounds, self._pardons) > _PATIENCE_ROUNDS or self._turns >= _MOST_TURNS:
            return self._give_up(sample)
        if question is None:
            return self._speak("pardon", sample)
        if question in ("intent", "pardon") and not self._requested:
            return self._request(sample)
        # values that are asked back wrongly are put right before anything else is answered
        if question in ("offer", "single", "other_day") and named_day(text) not in (None, self.wish.day):
            return self._speak("not_that_day", sample)
        if question in ("offer", "single"):
            return self._choose(text, sample)
        if question == "other_day":
            return self._tell_other_day(sample)
        if question == "readback":
            return self._check(text, sample)
        if question in ("day", "part", "name", "change"):
            return self._tell(question, sample)
        if question == "anything":
            return self._leave("thanks_bye", sample)
        if question == "intent":
            return self._speak(f"intent_{self.goal.kind}", sample)
        return self._speak("here", sample) if question == "here" else self._again(sample)

    def _tell(self, question: str, sample: int) -> Action:
        """One of our values."""
        chance = Random(f"{self._seed} part {self._turns}").random()
        more = self.goal.part is not None and not self._part_given and chance < self._manner.gives_part
        key = question
        if question == "day" and more:
            key = "day_part"
        elif question == "part" and self.goal.part is None:
            key = "day"
        elif question == "change":
            # all values at once, as far as there are any
            key = f"all_{self.goal.kind}" if self.wish.time or self.goal.kind == "cancel" else "day"
        self._part_given = self._part_given or key in ("part", "day_part")
        self._name_given = self._name_given or key == "name"
        return self._speak(key, sample)

    def _request(self, sample: int) -> Action:
        self._requested = True
        kind = next(key for key in self._book if key.startswith("request "))
        self._part_given = kind.endswith("day_part")
        return self._speak(kind, sample)

    def _tell_other_day(self, sample: int) -> Action:
        if not self._other_days:
            return self._give_up(sample)
        self.wish = replace(self.wish, day=self._other_days.pop(0), time=None)
        return self._speak("other_day", sample)

    def _choose(self, text: str, sample: int) -> Action:
        """Take one of the offered times; ask for another half of the day, or another day, where none suits."""
        offers = open_offers(text)
        offered = [clock for clock in offers if self._suits(clock)]
        if not offered:
            if self.goal.part and offers and self._rounds < 3:
                return self._tell("part", sample)
            return self._tell_other_day(sample) if offers else self._again(sample)
        if self.wish.time not in offered:
            rank = {"first": 0, "last": -1}.get(self.goal.pick)
            chosen = Random(f"{self._seed} pick").choice(offered) if rank is None else offered[rank]
            self.wish = replace(self.wish, time=chosen)
        return self._speak("accept" if len(offers) == 1 else "time", sample)

    def _suits(self, clock: str) -> bool:
        return self.goal.part is None or (clock < "12:00") == (self.goal.part == "morning")

    def _check(self, text: str, sample: int) -> Action:
        """Compare what was read back with the wish."""
        said = sentence_with(text, "readback")
        day, times = named_day(said), offered_times(said)
        if day is not None and day != self.wish.day:
            return self._speak("wrong_day", sample)
        if self.goal.kind == "book":
            if self.wish.time is None and times and self._suits(times[0]):
                self.wish = replace(self.wish, time=times[0])  # the agent chose, and the caller does not mind
            if times and self.wish.time is not None and self.wish.time not in times:
                return self._speak("wrong_time", sample)
        if " for " in f" {plain(said)} " and f" {self.wish.name} " not in f" {plain(said)} ":
            self._name_given = True
            return self._speak("wrong_name", sample)
        return self._speak("yes", sample)

    def _again(self, sample: int) -> Action:
        """Whatever was last asked, once more."""
        return self._speak(self._said_last, sample) if self._turns else self._request(sample)

    def _leave(self, kind: str, sample: int) -> Action:
        self._leaving = True
        return self._speak(kind, sample)

    def _give_up(self, sample: int) -> Action:
        self.wish = replace(self.wish, kind="none")
        return self._leave("give_up", sample)

    def _speak(self, key: str, sample: int, kind: Kind = "turn", *, answers: bool = True) -> Speak:
        """Say the next wording of `key`, filled in with what is wished now."""
        variants = self._book[key]
        count = self._said.get(key, 0)
        self._said[key] = count + 1
        said = filled(variants[count % len(variants)], self.wish, self.goal)
        segments = tuple(Segment(self._clip_of(text), pause_ms) for text, pause_ms in pieces(said))
        line = Line(f"{key.removeprefix('request ')}-{count + 1}", at(0.0), segments, kind)
        self._busy_until = sample + line.n_samples
        if answers:
            self._calm_since = self._busy_until
        if kind != "backchannel" and answers:
            self.ear.our_turn(self._busy_until)
            self._turns += 1
            self._said_last = key
        return Speak(line, sample)
