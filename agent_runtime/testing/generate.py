"""Callers from seeds: a goal, a manner of speaking and a voice, behind a door. The same seed is always the same call.

With a voice the caller speaks (see `synthesis.available`); without one its calls have words only, which needs no
system package and costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .caller import ScriptedCaller
from .clips import Clip
from .goal import Goal, Manner, Wish, goal_of
from .phrasebook import likely_texts
from .talk import GoalTalk

__all__ = ["GoalCaller", "generate_caller"]


class GoalCaller(ScriptedCaller):
    """A caller who wants `goal` and answers what the agent asks.

    `voice`: a voice of `synthesis`, None for words only. `cache`: folder for rendered clips, shared by calls; without
    it they are made anew. What a smooth call needs is rendered here; a correction that nobody foresaw is rendered in
    the call and holds a live one up for about 0.5 s. `settings` as of `ScriptedCaller`. Raises `SynthesisError`.
    """

    def __init__(
        self,
        goal: Goal,
        seed: int,
        *,
        voice: str | None = None,
        cache: Path | None = None,
        manner: Manner | None = None,
        **settings: Any,
    ) -> None:
        manner = manner or Manner()
        self._clips: dict[str, Clip] = {}
        self._voice, self._cache = voice, cache
        if voice is not None:
            self._render(likely_texts(goal, seed, manner))
        self._talk = GoalTalk(goal, seed, self._clip, manner)
        super().__init__(self._talk, seed=seed, **settings)

    @property
    def goal(self) -> Goal:
        """What the caller wanted at first."""
        return self._talk.goal

    @property
    def wish(self) -> Wish:
        """What it wants by now: the calendar should hold this after the call (`goal.calendar_as_wished`)."""
        return self._talk.wish

    def _clip(self, text: str) -> Clip:
        if text not in self._clips:
            if self._voice is None:
                self._clips[text] = Clip.estimated(text)
            else:
                self._render([text])
        return self._clips[text]

    def _render(self, texts: Sequence[str]) -> None:
        from .synthesis import render

        assert self._voice is not None
        self._clips |= dict(zip(texts, render(texts, self._voice, cache=self._cache), strict=True))


def generate_caller(
    seed: int,
    *,
    voice: str | None = None,
    cache: Path | None = None,
    booked: Sequence[tuple[str, str]] = (),
    manner: Manner | None = None,
    **settings: Any,
) -> GoalCaller:
    """The caller of a seed, goal included. `booked`: (day, name) of visits that it might cancel."""
    return GoalCaller(goal_of(seed, booked=booked), seed, voice=voice, cache=cache, manner=manner, **settings)
