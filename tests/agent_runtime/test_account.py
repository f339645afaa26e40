"""The account of a log: what was written in vain and what was saved, from entries alone."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.account import account, line
from agent_runtime.commands import Command
from agent_runtime.events import Event
from agent_runtime.record import Entry
from policies.trajectory import Trajectory

OVER = do.Decision("think", "turn over: complete")


class Book:
    """A log under construction; times in milliseconds."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.at(0, ev.CallAnswered(0))

    def at(self, ms: float, what: Event | Command, cause: int = 0) -> int:
        """One more entry; its seq."""
        self.entries.append(Entry(len(self.entries) + 1, round(ms * 1000), cause, what))
        return len(self.entries)

    def generate(self, ms: float, number: int, draft: str = "") -> int:
        return self.at(ms, do.Generate(number, "p", False, (), "", Trajectory(), draft))  # type: ignore[arg-type]

    def synced(self, ms: float, cause: int, total: int, reused: int, rolled_back: int = 0) -> None:
        self.at(ms, ev.PromptSynced("p", total, reused, total - reused, rolled_back), cause)


def test_a_draft_that_is_taken_saves_the_time_it_was_written_in_before_the_turns_end() -> None:
    book = Book()
    prefill = book.at(0, do.Prefill("p", Trajectory()))
    book.synced(90, prefill, 100, 0)
    draft = book.generate(1000, 1, "draft")
    book.synced(1000, draft, 111, 100)
    book.at(1040, ev.ExpectationFormed(1, "day"), draft)
    book.at(1080, ev.ClauseGenerated(1, 0, "of course."), draft)
    book.at(1100, ev.GenerationEnded(1, "said", 9), draft)
    book.at(1150, ev.SpeechStopped(16_000, 19_200))
    book.at(1200, OVER)
    book.at(1200, do.Adopt(generation=1, utterance=1))
    (turn, rest) = account(book.entries).turns
    assert (turn.over_us, turn.saved_ms, turn.hit, turn.drafts) == (1_200_000, 80.0, True, 1)
    assert (turn.tokens, turn.wasted_tokens) == (9, 0)
    assert (turn.prompt_tokens, turn.cached_tokens, turn.left_tokens, turn.read_tokens) == (110, 110, 0, 111)
    assert (rest.over_us, rest.tokens, rest.saved_ms) == (None, 0, 0.0)


def test_a_draft_that_is_dropped_was_in_vain_and_so_was_its_tool() -> None:
    book = Book()
    draft = book.generate(1000, 1, "peek")
    book.at(1050, ev.ToolRequested(1, "find", "find day monday", {}, {}), draft)
    call = book.at(1050, do.CallTool(1, "find", {}, early=True))
    book.at(1060, ev.GenerationEnded(1, "called", 4), draft)
    book.at(1500, ev.ToolReturned(1, "find", "nine", ["09:00"]), call)
    book.at(2000, OVER)
    answer = book.generate(2000, 2)
    book.at(2200, ev.GenerationEnded(2, "said", 12), answer)
    found = account(book.entries)
    (turn, _) = found.turns
    assert (turn.tokens, turn.wasted_tokens, turn.tools, turn.wasted_tools) == (16, 4, 1, 1)
    assert (turn.hit, turn.saved_ms, turn.drafts) == (False, 0.0, 0)
    assert (found.tokens, found.wasted_tokens, found.tools, found.wasted_tools, found.saved_ms) == (16, 4, 1, 1, 0.0)


def test_work_that_ran_side_by_side_is_saved_once_and_only_up_to_the_turns_end() -> None:
    book = Book()
    draft = book.generate(1000, 1, "draft")
    book.at(1050, ev.ToolRequested(1, "find", "find day monday", {}, {}), draft)
    call = book.at(1040, do.CallTool(1, "find", {}, early=True))
    book.at(2000, OVER)
    book.at(2000, do.Adopt(generation=1))
    book.at(2000, do.Adopt(call=1))
    book.at(2540, ev.ToolReturned(1, "find", "nine", ["09:00"]), call)
    (turn, _) = account(book.entries).turns
    assert turn.saved_ms == 1000.0, "1000 to 1050 and 1040 to 2000, not 1010"


def test_a_reply_that_is_given_up_unheard_was_in_vain_and_one_that_sounded_was_not() -> None:
    for sounded, wasted in ((False, 7), (True, 0)):
        book = Book()
        book.at(1000, OVER)
        answer = book.generate(1000, 1)
        clause = book.at(1100, ev.ClauseGenerated(1, 0, "of course."), answer)
        say = book.at(1100, do.Say(1, "answer", False, "of course."), clause)
        if sounded:
            book.at(1200, ev.UtteranceStarted(1, 19_200), say)
        book.at(1300, ev.GenerationEnded(1, "cancelled", 7), answer)
        (turn, _) = account(book.entries).turns
        assert (turn.tokens, turn.wasted_tokens) == (7, wasted)


def test_what_is_left_to_read_is_what_no_later_reading_found_in_the_cache() -> None:
    book = Book()
    prefill = book.at(500, do.Prefill("p", Trajectory()))
    book.synced(600, prefill, 100, 90)
    book.at(1000, ev.SpeechStopped(16_000, 19_200))  # at 1000 ms
    late = book.at(1010, do.Prefill("p", Trajectory()))
    book.synced(1050, late, 104, 98, rolled_back=2)
    book.at(1250, OVER)
    answer = book.generate(1250, 1)
    book.synced(1250, answer, 105, 104)
    (turn, _) = account(book.entries).turns
    assert (turn.prompt_tokens, turn.cached_tokens, turn.left_tokens) == (104, 98, 6)
    assert (turn.read_tokens, turn.rolled_back_tokens) == (10 + 6 + 1, 2)


def test_a_log_without_drafts_has_nothing_to_say() -> None:
    book = Book()
    book.at(1000, OVER)
    book.at(1500, ev.GenerationEnded(1, "said", 9), book.generate(1000, 1))
    assert line([account(book.entries)]) == ""
    assert account([]).turns[0].over_us is None


def test_the_line_sums_up() -> None:
    book = Book()
    draft = book.generate(1000, 1, "draft")
    book.at(1090, ev.ClauseGenerated(1, 0, "of course."), draft)
    book.at(1095, ev.GenerationEnded(1, "said", 9), draft)
    book.at(1200, OVER)
    book.at(1200, do.Adopt(generation=1))
    assert line([account(book.entries)]) == (
        "thought ahead: 90 ms saved in 1 turns, 1 answered from a draft; in vain 0 of 9 tokens, 0 of 0 tool calls"
    )


Step = st.tuples(
    st.sampled_from(["generate", "draft", "peek", "end", "cancel", "adopt", "over", "tool", "early", "result", "take"]),
    st.integers(1, 60),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(Step, max_size=40))
def test_wasted_and_useful_are_all_there_was(steps: list[tuple[str, int]]) -> None:
    book, now = Book(), 0.0
    generations: dict[int, int] = {}
    calls: dict[int, int] = {}
    written = 0
    for kind, amount in steps:
        now += amount
        if kind in ("generate", "draft", "peek"):
            generations[len(generations) + 1] = book.generate(now, len(generations) + 1, kind.replace("generate", ""))
        elif kind in ("end", "cancel") and generations:
            number = amount % len(generations) + 1
            if not any(isinstance(e.what, ev.GenerationEnded) and e.what.generation == number for e in book.entries):
                outcome = "said" if kind == "end" else "cancelled"
                book.at(now, ev.GenerationEnded(number, outcome, amount), generations[number])  # type: ignore[arg-type]
                written += amount
        elif kind in ("tool", "early"):
            number = len(calls) + 1
            calls[number] = book.at(now, do.CallTool(number, "find", {}, early=kind == "early"))
        elif kind == "adopt" and generations:
            if _early(book, amount % len(generations) + 1):
                book.at(now, do.Adopt(generation=amount % len(generations) + 1))
        elif kind == "take" and calls:
            book.at(now, do.Adopt(call=amount % len(calls) + 1))
        elif kind == "result" and calls:
            number = amount % len(calls) + 1
            book.at(now, ev.ToolReturned(number, "find", "nine", []), calls[number])
        elif kind == "over":
            book.at(now, OVER)
    found = account(book.entries)
    adopted = {e.what.generation for e in book.entries if isinstance(e.what, do.Adopt)}
    ended = [e.what for e in book.entries if isinstance(e.what, ev.GenerationEnded) and e.what.outcome == "said"]
    useful = sum(one.tokens for one in ended if one.generation in adopted or not _early(book, one.generation))
    assert found.tokens == written
    assert found.wasted_tokens + useful == written
    taken = {e.what.call for e in book.entries if isinstance(e.what, do.Adopt)}
    kept = sum(not e.what.early or e.what.call in taken for e in book.entries if isinstance(e.what, do.CallTool))
    assert (found.tools, found.wasted_tools + kept) == (len(calls), len(calls))
    for turn in found.turns:
        assert 0 <= turn.saved_ms <= now
        assert turn.saved_ms == 0 or turn.over_us is not None


def _early(book: Book, generation: int) -> bool:
    return any(
        isinstance(e.what, do.Generate) and e.what.generation == generation and e.what.draft for e in book.entries
    )
