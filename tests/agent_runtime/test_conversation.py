"""The books of the talk: what was heard, what was answered, and a turn that is given back."""

from __future__ import annotations

from agent_runtime.conversation import CallerTurn, Conversation
from policies.tool_gate import Heard
from policies.trajectory import Role, Segment, Trajectory

CARD = Segment(Role.CARD, "desk.")


def talk() -> Conversation:
    """A conversation that has a card."""
    return Conversation(Trajectory.of([CARD]))


def stream(conversation: Conversation) -> str:
    """The stream after the card."""
    return Trajectory(conversation.committed.segments[1:]).text()


def test_words_replace_each_other_within_a_segment_and_segments_follow_each_other() -> None:
    found = talk()
    assert found.hear(1, "i would", final=False)
    assert not found.hear(1, "i would", final=False)
    assert found.hear(1, "i would like", final=True)
    assert found.hear(2, "wednesday", final=False)
    assert found.turn.text == "i would like wednesday"
    assert not found.turn.settled
    assert Trajectory(found.listening().segments[1:]).text() == "<heard> i would like<heard> wednesday"
    assert stream(found) == "", "listening changes nothing"
    found.hear(2, "on wednesday", final=True)
    assert found.turn.settled


def test_a_segment_that_has_begun_is_not_settled_before_its_final_text() -> None:
    found = talk()
    found.hear(1, "wednesday", final=True)
    found.begin(2)
    settled = [found.turn.settled]
    assert found.turn.text == "wednesday"
    assert not found.hear(2, "", final=True), "no words: nothing changed"
    settled.append(found.turn.settled)
    found.begin(2)
    settled.append(found.turn.settled)
    assert settled == [False, True, True], "it begins once"


def test_a_committed_turn_is_closed_and_later_words_of_it_come_too_late() -> None:
    found = talk()
    found.hear(1, "wednesday", final=False)
    assert found.commit_turn() is found.committed
    assert stream(found) == "<heard> wednesday<turn>"
    assert found.answered.text == "wednesday"
    assert not found.hear(1, "wednesday please", final=True)
    assert found.turn.texts == {}


BITS = "one, two, three, four. five."
THOUGHTS = ((9, "three to four"), (22, "five"))
"""(characters before it, words): between ``one, two,``, ``three, four.`` and ``five.``"""


def said(heard: str, *, complete: bool = False) -> str:
    """What stands in the stream when so much of `BITS` was heard."""
    found = talk()
    found.said(BITS, heard, complete=complete, goodbye=False, thoughts=THOUGHTS)
    return stream(found)


def test_bits_of_speech_stand_in_the_stream_as_far_as_they_were_heard() -> None:
    assert said(BITS, complete=True) == (
        "<say> one, two,<more><think> three to four<say> three, four.<more><think> five<say> five.<end>"
    )
    assert said("one, two, three") == "<say> one, two,<more><think> three to four<say> three<cut>"
    assert said("one, two,") == "<say> one, two,<cut>", "nothing of the next bit was heard"
    assert said("one") == "<say> one<cut>"
    assert said("") == ""


def test_a_segment_without_words_yet_is_left_for_the_next_turn() -> None:
    found = talk()
    found.hear(1, "wednesday", final=True)
    found.begin(2)
    found.begin(3)
    found.hear(3, "", final=True)
    found.commit_turn()
    assert found.turn.texts == {2: ""}
    assert found.hear(2, "no thursday", final=True)
    assert found.turn.text == "no thursday"


def test_what_asked_for_nothing_is_no_turn() -> None:
    found = talk()
    found.hear(1, "mm hm", final=True)
    found.ignore(1)
    assert found.turn.texts == {}
    assert not found.hear(1, "mm hm", final=True)
    found.ignore(7)
    assert not found.hear(7, "x", final=False), "even before its first word"


def test_a_cleared_turn_stays_cleared() -> None:
    found = talk()
    found.hear(1, "mumble", final=False)
    found.hear(2, "", final=False)
    found.clear_turn()
    assert not found.hear(1, "mumble mumble", final=True)
    assert found.turn == CallerTurn()


def test_keys_are_never_too_late() -> None:
    found = talk()
    assert found.hear(-1, "pressed 4", final=True)
    found.commit_turn()
    assert found.hear(-1, "pressed 7", final=True), "a key of the next turn, not a late one"
    found.clear_turn()
    assert found.hear(-1, "pressed 9", final=True)


def test_a_turn_taken_too_early_is_given_back_with_all_its_words() -> None:
    found = talk()
    found.said("how can i help?", "how can i help?", complete=True, goodbye=False)
    found.hear(1, "i need an appointment", final=True)
    found.commit_turn()
    found.add(Role.THINK, "book")
    found.hear(2, "on wednesday", final=False)
    found.reopen_turn()
    assert stream(found) == "<say> how can i help?<end>", "thoughts are dropped"
    assert found.turn.text == "i need an appointment on wednesday"
    assert found.turn.finals == {1}
    assert found.answered.texts == {}
    assert found.heard == []
    found.commit_turn()
    assert found.heard == [Heard("how can i help?", "how can i help?")], "still what this turn replies to"


def test_only_what_was_heard_stands_in_the_stream() -> None:
    found = talk()
    found.said("we are open all day.", "", complete=False, goodbye=False)
    assert stream(found) == ""
    found.said("we are open all day.", "we are", complete=False, goodbye=False)
    found.said("until five.", "until five.", complete=True, goodbye=False)
    found.said("goodbye.", "goodbye.", complete=True, goodbye=True)
    found.said("goodbye and thanks.", "goodbye", complete=False, goodbye=True)
    assert stream(found) == ("<say> we are<cut><say> until five.<end><say> goodbye.<bye><say> goodbye<cut>"), (
        "a goodbye that was cut off is no goodbye"
    )


def test_heard_utterances_belong_to_the_turn_that_answers_them() -> None:
    found = talk()
    found.said("which day?", "which day?", complete=True, goodbye=False)
    found.hear(1, "wednesday", final=True)
    found.commit_turn()
    assert [one.said for one in found.heard] == ["which day?"]
    found.said("is that right?", "is that", complete=False, goodbye=False)
    assert [one.said for one in found.heard] == ["which day?"], "said after the turn"
    found.hear(2, "yes", final=True)
    found.commit_turn()
    assert found.heard == [Heard("is that right?", "is that")]


def test_the_last_note_is_found() -> None:
    found = talk()
    assert found.note == ""
    found.add(Role.THINK, "book wednesday")
    found.add(Role.EXPECT, "yes")
    assert found.note == "book wednesday"


def test_the_stream_is_only_ever_added_to() -> None:
    found = talk()
    before = found.committed
    after = found.add(Role.CALL, "find_slots day monday", Role.END)
    assert after.segments[: len(before)] == before.segments
    assert after.digest != before.digest
    assert len(before) == 1


def test_what_was_refused_is_remembered_unless_the_turn_is_given_back() -> None:
    conversation = talk()
    for segment, words in ((1, "hello"), (2, "no"), (3, "yes")):
        conversation.hear(segment, words, final=True)
        conversation.commit_turn()
        conversation.said(f"question {segment}", f"question {segment}", complete=True, goodbye=False)
    assert conversation.refused == ["question 1"]
    conversation.hear(4, "no", final=True)
    conversation.commit_turn()
    assert conversation.refused == ["question 1", "question 3"]
    conversation.reopen_turn()
    assert conversation.refused == ["question 1"]
