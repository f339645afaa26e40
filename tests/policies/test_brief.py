"""The brief: what another mind gets of a call, and that the caller's sentences are not among it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memory.secrets import mask
from policies.brief import LEFT_OUT, MOST_WORDS, QUOTE_WORDS, Brief, BriefLimits, brief_of
from policies.notes import facts_of
from policies.shapes import NoteField
from policies.trajectory import Role, Segment, Trajectory

DAY = NoteField("day", "choice", ("monday", "tuesday"))
NAME = NoteField("name", "heard")
WISH = NoteField("wish", "text")
NOTES = (DAY, NAME)


def stream(*segments: tuple[Role, str]) -> Trajectory:
    closing = {Role.SAY: Role.END, Role.CALL: Role.END}
    return Trajectory.of([Segment(role, text, closing.get(role)) for role, text in segments])


CALL = stream(
    (Role.CARD, "front desk of riverside clinic."),
    (Role.SAY, "good morning. how can i help?"),
    (Role.HEARD, "my knee hurts since i fell off a horse"),
    (Role.TURN, ""),
    (Role.THINK, "monday miller"),
    (Role.CALL, "find_slots day monday"),
    (Role.RESULT, "ten thirty two"),
    (Role.CALL, "find_doctor for knees"),
    (Role.RESULT, "started"),
)


def test_a_brief_is_the_task_the_notes_the_results_and_the_limits() -> None:
    brief = brief_of("knee injuries", CALL, NOTES, BriefLimits(20, ("a price",)))
    assert brief.text().splitlines() == [
        "task: knee injuries",
        "known: day: monday",
        "known: name: miller",
        "known: find_slots: ten thirty two",
        "limit: answer in at most 20 words that can be spoken",
        "limit: promise no a price",
    ]
    assert brief.words() == "knee injuries day monday name miller find slots ten thirty two"
    assert Brief.read(brief.plain()) == brief


def test_what_is_not_known_is_not_told() -> None:
    brief = brief_of("knees", stream((Role.HEARD, "hello"), (Role.TURN, ""), (Role.THINK, "- -")), NOTES)
    assert brief.facts == ()


def test_a_sentence_of_the_caller_is_left_out_of_the_task() -> None:
    assert brief_of("what to do: my knee hurts since i fell", CALL, NOTES).task == f"what to do {LEFT_OUT}"
    assert brief_of("knee hurts since", CALL, NOTES).task == "knee hurts since", "three words are a topic"
    assert brief_of("my knee hurts since i fell off a horse", CALL, NOTES).task == "help with what is known"


def test_a_sentence_across_a_pause_is_one_too() -> None:
    heard = stream((Role.HEARD, "i lost"), (Role.HEARD, "my passport"), (Role.TURN, ""))
    assert brief_of("he says i lost my passport today", heard, NOTES).task == f"he says {LEFT_OUT} today"


def test_a_noted_value_may_be_told_whole_though_the_caller_said_it() -> None:
    said = stream(
        (Role.HEARD, "it is for anna maria de la cruz"), (Role.TURN, ""), (Role.THINK, "- anna maria de la cruz")
    )
    brief = brief_of("bookings of anna maria de la cruz", said, NOTES)
    assert brief.task == "bookings of anna maria de la cruz"
    assert brief.facts == (("name", "anna maria de la cruz"),)


def test_a_note_in_free_words_is_no_way_around() -> None:
    said = stream(
        (Role.HEARD, "please never ever call me again"), (Role.TURN, ""), (Role.THINK, "please never ever call")
    )
    assert brief_of("the wish", said, (WISH,)).facts == (("wish", LEFT_OUT),)


def test_thoughts_in_free_words_are_not_told() -> None:
    thinks = stream((Role.HEARD, "count to nine"), (Role.TURN, ""), (Role.THINK, "the caller sounds angry"))
    assert brief_of("counting", thinks, ()) == Brief("counting")


def test_secrets_are_masked_wherever_they_stand() -> None:
    notes = (NoteField("code", "heard"),)
    said = stream(
        (Role.THINK, "one two three four"),
        (Role.CALL, "look_up"),
        (Role.RESULT, "card four one one one two two two two"),
    )
    brief = brief_of("account five five five one two three four", said, notes)
    assert brief.task == "account [digits 7]"
    assert dict(brief.facts) == {"code": "[digits 4]", "look_up": "card [digits 8]"}


def test_a_long_call_gives_a_short_brief_with_the_newest_results() -> None:
    calls = [(Role.CALL, f"look up{n}") if n % 2 == 0 else (Role.RESULT, f"word{n} " * 60) for n in range(80)]
    brief = brief_of("much " * 100, stream(*calls), NOTES)
    assert len(brief.task.split()) == 40
    assert brief.facts[-1][1].startswith("word79")
    assert len(" ".join([brief.task, *(f"{name} {words}" for name, words in brief.facts)]).split()) <= MOST_WORDS


def test_notes_that_fill_the_brief_leave_no_room_for_results() -> None:
    notes = tuple(NoteField(f"n{n}", "choice", (" ".join(f"v{n}{word}" for word in range(30)),)) for n in range(9))
    said = stream((Role.THINK, " ".join(note.values[0] for note in notes)), (Role.CALL, "look"), (Role.RESULT, "ten"))
    names = [name for name, _ in brief_of("all", said, notes).facts]
    assert names == ["n0", "n1", "n2", "n3", "n4", "n5", "look"]


WORDS = st.sampled_from("my knee hurts i fell monday miller card one two three four five six seven the a code".split())
SENTENCE = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)


@given(
    heard=st.lists(SENTENCE, max_size=4), note=SENTENCE, task=SENTENCE, cuts=st.lists(st.integers(0, 40), max_size=4)
)
def test_nothing_of_the_caller_but_noted_values_gets_in(
    heard: list[str], note: str, task: str, cuts: list[int]
) -> None:
    everything = " ".join(heard).split()
    task = " ".join([task, *(" ".join(everything[at : at + 6]) for at in cuts)])
    call = stream(*((Role.HEARD, text) for text in heard), (Role.TURN, ""), (Role.THINK, note))
    brief = brief_of(task, call, NOTES)
    known = facts_of(call, NOTES).known
    assert set(brief.facts) == {
        (name, mask(f"{name}: {value}").text.partition(": ")[2]) for name, value in known.items()
    }
    words = brief.task.split()
    for at in range(len(words) - QUOTE_WORDS + 1):
        run = " ".join(words[at : at + QUOTE_WORDS])
        assert f" {run} " not in f" {' '.join(everything)} " or any(run in value for value in known.values())
    assert not mask(brief.task).spans
