"""The figures by suite: which there are, and the function that measures each; imported only when it is called.

A figure is registered here and nowhere else. Cheap ones stand first: they are measured in this order.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from .figure import Figure
from .group import Group, Suite
from .thinking_suite import THINKING

__all__ = ["SUITES", "Group", "Suite"]


def _start(options: Namespace) -> list[Figure]:
    from .engine import start

    return [start()]


def _event(options: Namespace) -> list[Figure]:
    from .engine import event_cost

    return [event_cost()]


def _extend5(options: Namespace) -> list[Figure]:
    from .engine import extend5

    return [extend5()]


def _decode(options: Namespace) -> list[Figure]:
    from .engine import decode

    return [decode()]


def _batch8(options: Namespace) -> list[Figure]:
    from .engine import batch8

    return [batch8()]


def _model(options: Namespace) -> list[Figure]:
    return [*_extend5(options), *_decode(options)]


def _scripted(options: Namespace) -> list[Figure]:
    from .replays import scripted_call

    return [scripted_call()]


def _recorded(options: Namespace) -> Iterable[Figure]:
    from .recorded import recorded_call

    return recorded_call()


def _identical(options: Namespace) -> list[Figure]:
    from .replays import identical_logs

    return [identical_logs(options.runs)]


def _calls(options: Namespace) -> Iterable[Figure]:
    from .calls import figures

    return figures(options.calls or 50)


def _muon(options: Namespace) -> list[Figure]:
    from .language import steps_of_muon

    return [steps_of_muon()]


def _counting(options: Namespace) -> Iterable[Figure]:
    from .language import counted

    return counted(100)


def _words(options: Namespace) -> Iterable[Figure]:
    from .language import by_words

    return by_words(options.calls or 510)


def _voice(options: Namespace) -> Iterable[Figure]:
    from .language import by_voice

    return by_voice(options.calls or 300)


CORE: dict[str, Group] = {
    "start": Group(("start_s",), "from nothing to the first ready call, a new process each time", _start),
    "event": Group(("event_cost_us",), "what an event costs: bus, log and mind", _event),
    "model": Group(("extend5_ms", "decode_tok_s"), "the language model in the box on one thread", _model),
    "scripted": Group(("replay_scripted_speed",), "a 600 s call of words, no audio", _scripted),
    "recorded": Group(
        ("replay_call_speed", "commits_with_recorded_agent", "commits_alone"),
        "a recorded call through everything (DUOLOGUE_CALLS)",
        _recorded,
    ),
    "identical": Group(("identical_logs",), "the demo call again and again, byte by byte", _identical, ("runs",)),
    "calls": Group(
        ("first_sound_p50_ms", "cut_in_share", "yield_p95_ms", "backchannel_cut_share", "calendar_right"),
        "generated calls by voice: turns and calendars (flite, festival)",
        _calls,
        ("calls",),
    ),
}

MODEL: dict[str, Group] = {
    "extend5_ms": Group(("extend5_ms",), "5 more tokens at 800 of context, one thread", _extend5),
    "decode_tok_s": Group(("decode_tok_s",), "decoding at 800 of context, one thread", _decode),
    "batch8_speedup": Group(("batch8_speedup",), "8 calls decoding together against one", _batch8),
    "muon_to_adamw_steps": Group(("muon_to_adamw_steps",), "training steps to one loss, Muon against AdamW", _muon),
    "counting": Group(
        tuple(f"{what}_{way}" for what in ("counting", "sums") for way in ("interleaved", "one_breath", "paced")),
        "counting and sums: in bits, one breath, paced",
        _counting,
    ),
    "words": Group(
        (
            "success_text",
            "success_front_desk",
            "success_companies",
            "success_text_bare",
            "success_front_desk_bare",
            "success_companies_bare",
            "success_hand",
            "success_hand_first",
            "unconfirmed_writes",
            "clarified",
        ),
        "calls by words: unseen and hand-written callers",
        _words,
        ("calls",),
    ),
    "voice": Group(
        ("success_voice", "unconfirmed_writes_voice"), "generated calls by voice (flite)", _voice, ("calls",)
    ),
}


SUITES = {
    "core": Suite("the call core", CORE),
    "model": Suite("the language model in the box", MODEL),
    "thinking": Suite("what the caller's speaking time is used for", THINKING),
}
