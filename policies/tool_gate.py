"""May this tool run yet? Reading is free, writing waits for the turn, confirming waits for a heard read-back and a yes.

The model proposes, this file disposes: no wording of the model and no wording of the caller lets a confirmed tool run
unless every argument stood in the agent's last question, the caller heard those words, and then said plainly yes.
It refuses to know the model, the tools' code and where the answer came from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policies import PolicyError, agreement
from policies.numerals import plain_words
from policies.shapes import Parameter, ToolShape
from policies.spoken import UNKNOWN
from policies.spoken_times import locate_times, read_time

__all__ = ["Block", "Gate", "Heard", "decide"]


class Block(StrEnum):
    """Why a call may run or not, as it stands in the log."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    NOT_COMMITTED = "turn not committed"
    MISSING = "argument missing"
    UNFIT = "argument unfit"
    NOTHING_ASKED = "nothing asked"
    OPEN_QUESTION = "not a yes or no question"
    NEGATED = "read-back negated"
    NOT_READ_BACK = "argument not heard"
    AMBIGUOUS = "more than one value read back"
    OTHER_TOOL = "read-back names another tool"
    NO_ANSWER = "no answer yet"
    REFUSED = "caller refused"
    UNCLEAR = "answer unclear"
    REFUSED_BEFORE = "refused before"


@dataclass(frozen=True, slots=True)
class Heard:
    """One agent utterance: what was planned, and how much of it the caller heard (`policies` never guesses this)."""

    said: str
    heard: str
    """A prefix of `said`, cut where playout ended."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The verdict; `about` names the argument or word that stood in the way."""

    allowed: bool
    reason: Block
    about: str = ""


_OPEN_STARTS = frozenset(plain_words("what which who when where how why whose"))
_NEGATIONS = frozenset(
    plain_words(
        "not no never cannot can't don't isn't won't instead rather except nothing none neither taken unavailable full"
    )
)
"""Words that turn a read-back around, looked for in the question and in sentences that name an argument."""
_SENTENCE_END = re.compile(r"[.?!](?:\s+|$)")
_NONE_HEARD = frozenset({"", UNKNOWN})


def decide(
    tool: ToolShape,
    arguments: Mapping[str, str],
    *,
    committed: bool,
    asked: Sequence[Heard] = (),
    answer: str | None = None,
    others: Sequence[ToolShape] = (),
    refused: Sequence[str] = (),
) -> Gate:
    """May `tool` run with these arguments (spoken words by parameter name; ``-`` and missing mean not given)?

    `asked`: the utterances of the agent's last turn before the caller's, in order, fillers left out; those up to an
    earlier question count no more, as a yes to "are you still there?" agrees to nothing that was read back before it.
    `answer`: the caller's committed turn right after them, None while there is none. `others`: the agent's
    tools, so that a read-back which could confirm two of them confirms the one it names. `refused`: what the agent said
    that the caller answered with a no; a bare "okay" does not agree to the same values after that.

    Raises `PolicyError` for an argument the tool does not have.
    """
    given = {name: words for name, words in arguments.items() if words.strip() not in _NONE_HEARD}
    known = {parameter.name for parameter in tool.parameters}
    for name in arguments:
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise PolicyError(f"tool {tool.name} has no argument {name!r}; it takes {takes}")
    for parameter in tool.parameters:
        if parameter.required and parameter.name not in given:
            return Gate(False, Block.MISSING, parameter.name)
    if tool.effect == "read":
        return Gate(True, Block.OPEN)
    if not committed:
        return Gate(False, Block.NOT_COMMITTED)
    if not tool.confirm:
        return Gate(True, Block.OPEN)
    asked = _last_question(asked)
    blocked = _question(given, asked) or _read_back(tool, given, asked) or _names(tool, given, others, asked)
    return blocked or _agreed(tool, given, answer, refused)


def _last_question(asked: Sequence[Heard]) -> Sequence[Heard]:
    """What was said after the last question but one."""
    ends = [at for at, one in enumerate(asked[:-1], 1) if one.said.rstrip().endswith("?")]
    return asked[ends[-1] :] if ends else asked


def _question(given: Mapping[str, str], asked: Sequence[Heard]) -> Gate | None:
    """A reason why the last turn was no question that a yes can answer, or None."""
    if not asked or not asked[-1].said.rstrip().endswith("?"):
        return Gate(False, Block.NOTHING_ASKED)
    said = " ".join(utterance.said for utterance in asked)
    question = _sentences(said)[-1]
    for start in (question, question.rpartition(",")[2]):
        first = plain_words(start)[:1]
        if first and first[0] in _OPEN_STARTS:
            return Gate(False, Block.OPEN_QUESTION, first[0])
    for word in (*plain_words(question), *_reading_words(said, given)):
        if word in _NEGATIONS:
            return Gate(False, Block.NEGATED, word)
    return None


def _sentences(text: str) -> list[str]:
    """The sentences of a text; a text without words is one empty sentence."""
    return [part for part in _SENTENCE_END.split(text) if part.strip()] or [""]


def _reading_words(text: str, given: Mapping[str, str]) -> tuple[str, ...]:
    """The words of the sentences that name an argument; others (``sorry, i can only book``) read nothing back."""
    values = [plain_words(words) for words in given.values()]
    found: list[str] = []
    for sentence in _sentences(text):
        words = plain_words(sentence)
        if any(_contains(words, value) for value in values):
            found += words
    return tuple(found)


def _read_back(tool: ToolShape, given: Mapping[str, str], asked: Sequence[Heard]) -> Gate | None:
    """The first argument that the caller did not hear, or heard beside another value of the same kind."""
    heard = plain_words(" ".join(utterance.heard for utterance in asked))
    planned = plain_words(" ".join(utterance.said for utterance in asked))
    for parameter in tool.parameters:
        if parameter.name in given:
            blocked = _stands(parameter, given[parameter.name], heard, planned)
            if blocked is not None:
                return blocked
    return None


def _stands(parameter: Parameter, words: str, heard: Sequence[str], planned: Sequence[str]) -> Gate | None:
    value = plain_words(words)
    if parameter.kind == "time":
        try:
            clock = read_time(words)
        except PolicyError:
            return Gate(False, Block.UNFIT, parameter.name)
        if clock not in {found.clock for found in locate_times(heard)}:
            return Gate(False, Block.NOT_READ_BACK, parameter.name)
        # what was planned counts here too: a second value that was cut off was still meant
        if {found.clock for found in (*locate_times(heard), *locate_times(planned))} != {clock}:
            return Gate(False, Block.AMBIGUOUS, parameter.name)
        return None
    if not value:
        return Gate(False, Block.UNFIT, parameter.name)
    if not _contains(heard, value):
        return Gate(False, Block.NOT_READ_BACK, parameter.name)
    if parameter.kind == "choice":
        rivals = [other for other in parameter.values if plain_words(other) != value]
        if any(_contains(planned, plain_words(rival)) for rival in rivals if not _contains(value, plain_words(rival))):
            return Gate(False, Block.AMBIGUOUS, parameter.name)
    return None


def _contains(words: Sequence[str], phrase: Sequence[str]) -> bool:
    size = len(phrase)
    return any(tuple(words[at : at + size]) == tuple(phrase) for at in range(len(words) - size + 1))


def _verb(tool: ToolShape) -> str:
    return tool.name.partition("_")[0].lower()


def _names(
    tool: ToolShape, given: Mapping[str, str], others: Sequence[ToolShape], asked: Sequence[Heard]
) -> Gate | None:
    """Block where the read-back names another confirmed tool, or would confirm that one just as well.

    ``wednesday at ten for miller, is that right?`` reads back a booking and, with fewer arguments, a cancellation. So a
    tool whose parameters all belong to another tool must be named by its verb (the name up to ``_``). Tools that share
    a verb are not told apart.
    """
    rivals = [other for other in others if other.confirm and _verb(other) != _verb(tool)]
    for word in _reading_words(" ".join(utterance.heard for utterance in asked), given):
        # the first verb names the tool: "cancel your booking" is no booking
        if word.startswith(_verb(tool)):
            return None
        for rival in rivals:
            if word.startswith(_verb(rival)):
                return Gate(False, Block.OTHER_TOOL, rival.name)
    own = {parameter.name for parameter in tool.parameters}
    for rival in rivals:
        if own <= {parameter.name for parameter in rival.parameters}:
            return Gate(False, Block.OTHER_TOOL, rival.name)
    return None


def _agreed(tool: ToolShape, given: Mapping[str, str], answer: str | None, refused: Sequence[str]) -> Gate:
    if answer is None:
        return Gate(False, Block.NO_ANSWER)
    repeated = " ".join([_verb(tool), *given.values()])
    verdict = agreement.answer(answer, repeated)
    if verdict == "yes":
        before = any(all(_contains(plain_words(text), plain_words(one)) for one in given.values()) for text in refused)
        again = before and agreement.is_half(answer)
        return Gate(False, Block.REFUSED_BEFORE) if again else Gate(True, Block.CONFIRMED)
    return Gate(False, Block.REFUSED if verdict == "no" else Block.UNCLEAR)
