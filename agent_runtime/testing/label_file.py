"""``labels.json``: what a caller of the test kit really said and when, as a file beside the call.

The values are `agent_runtime.labels`; only the reading and writing of files stands here, because those may not know
any. Turn-taking figures come from these labels, never from the runtime's own detector.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..labels import RATE_HZ, LabelError, LabelledTurn, Labels

__all__ = ["plain_labels", "read_labels", "write_labels"]


def plain_labels(labels: Labels) -> dict[str, Any]:
    """As JSON values; `Labels.parse` is the way back."""
    return {"rate_hz": RATE_HZ, "turns": [_plain_turn(turn) for turn in labels.turns]}


def _plain_turn(turn: LabelledTurn) -> dict[str, Any]:
    return {
        "turn": turn.turn,
        "kind": turn.kind,
        "text": turn.text,
        "first_sample": turn.first_sample,
        "last_sample": turn.last_sample,
        "segments": [list(segment) for segment in turn.segments],
        "words": [
            {"text": word.text, "start_sample": word.start_sample, "end_sample": word.end_sample} for word in turn.words
        ],
    }


def write_labels(path: Path, labels: Labels) -> None:
    """Write ``labels.json``."""
    path.write_text(json.dumps(plain_labels(labels), indent=1) + "\n", encoding="utf-8")


def read_labels(path: Path) -> Labels:
    """Read ``labels.json``. Raises `LabelError` naming the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise LabelError(f"{path}: no such file; labels are written beside a scripted call") from error
    except (OSError, ValueError) as error:
        raise LabelError(f"{path}: cannot be read as JSON ({error}); expected the labels.json of a call") from error
    if not isinstance(raw, dict):
        raise LabelError(f"{path}: holds a {type(raw).__name__}; expected {{'rate_hz': 16000, 'turns': [...]}}")
    try:
        return Labels.parse(raw)
    except LabelError as error:
        raise LabelError(f"{path}: {error}") from error
