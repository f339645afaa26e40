"""The public test kit: a closed-loop caller for your own agents.

A script says what the caller does and when (`Line`, `after_turn`, `says`, ...), a `ScriptedCaller` plays it behind the
door of a call, its `labels` tell afterwards what was said when. `GoalCaller` needs no script: it wants something and
answers what it is asked.
"""

from __future__ import annotations

from .caller import ScriptedCaller, SpokenClip
from .clips import Clip, ClipError, Word, load_clip, read_words, save_clip
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

__all__ = [
    "CallerScript",
    "Clip",
    "ClipError",
    "HangUp",
    "Line",
    "Says",
    "ScriptError",
    "ScriptedCaller",
    "Segment",
    "Speak",
    "SpokenClip",
    "Word",
    "after_turn",
    "at",
    "hang_up",
    "into_turn",
    "into_utterance",
    "load_clip",
    "read_labels",
    "read_words",
    "save_clip",
    "says",
    "write_labels",
]
