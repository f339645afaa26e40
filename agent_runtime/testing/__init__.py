"""The public test kit: a closed-loop caller for your own agents.

A script says what the caller does and when (`Line`, `after_turn`, `says`, ...), a `ScriptedCaller` plays it behind the
door of a call, its `labels` tell afterwards what was said when. `GoalCaller` needs no script: it wants something and
answers what it is asked. `run_duet` puts a second agent at the other end of the line.
"""

from __future__ import annotations

from .caller import ScriptedCaller, SpokenClip
from .clips import Clip, ClipError, Word, load_clip, read_words, save_clip
from .duet import Party, play_duet, run_duet
from .generate import GoalCaller, generate_caller
from .goal import Goal, Manner, Wish, calendar_as_wished, goal_of
from .label_file import read_labels, write_labels
from .script import (
    CallerScript,
    HangUp,
    Line,
    Says,
    ScriptError,
    Segment,
    Speak,
    after_turn,
    at,
    hang_up,
    into_turn,
    into_utterance,
    says,
)
from .script_file import load_script

__all__ = [
    "CallerScript",
    "Clip",
    "ClipError",
    "Goal",
    "GoalCaller",
    "HangUp",
    "Line",
    "Manner",
    "Party",
    "Says",
    "ScriptError",
    "ScriptedCaller",
    "Segment",
    "Speak",
    "SpokenClip",
    "Wish",
    "Word",
    "after_turn",
    "at",
    "calendar_as_wished",
    "generate_caller",
    "goal_of",
    "hang_up",
    "into_turn",
    "into_utterance",
    "load_clip",
    "load_script",
    "play_duet",
    "read_labels",
    "read_words",
    "run_duet",
    "save_clip",
    "says",
    "write_labels",
]
