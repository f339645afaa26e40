"""Words as paths of token ids: what an agent may say, and which runs of heard words may be copied.

Under a lexicon a name that stands right in the note cannot come out wrong in speech. This file knows words and ids; it
refuses to know roles and turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from policies.learned.core.tokenizer import Tokenizer

__all__ = ["Lexicon", "Node", "Speech", "spans"]


@dataclass(slots=True)
class Node:
    """A node of a trie over token ids; `value` where an option ends."""

    edges: dict[int, Node] = field(default_factory=dict)
    value: str | None = None

    def insert(self, tokenizer: Tokenizer, text: str) -> None:
        """Add the path of `text` as it stands after a space."""
        node = self
        for id_ in tokenizer.encode(" " + text):
            node = node.edges.setdefault(id_, Node())
        node.value = text


class Lexicon:
    """The words an agent says, as a trie over token ids; built once per model.

    Under a lexicon the agent says these words, the values of its note and the words of `sayable` texts, and no others.
    """

    __slots__ = ("marks", "root", "stops")

    def __init__(self, tokenizer: Tokenizer, words: Iterable[str]) -> None:
        self.root = Node()
        self.stops = frozenset(id_ for mark in (".", "?") for id_ in tokenizer.encode(mark))
        self.marks = self.stops | {*tokenizer.encode(",")}
        for word in words:
            self.root.insert(tokenizer, word)


class Speech:
    """The words of one stretch of speech under a lexicon and the words of `texts`: where the present one stands.

    `wholes`: values that are said to their end once they are begun; `once`: words that are said at most once. A word of
    several ids may be said again: what begins like it would be lost too.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        lexicon: Lexicon,
        texts: Iterable[str],
        wholes: Iterable[str] = (),
        once: Iterable[str] = (),
    ) -> None:
        self._lexicon = lexicon
        extra = Node()
        for whole in wholes:
            extra.insert(tokenizer, whole)
        for text in texts:
            for word in text.split():
                extra.insert(tokenizer, word.strip(",.?"))
        self._roots = (lexicon.root, extra)
        # a mark ends no word, but a word may follow it: its node is this one
        self._paths = [Node(value="")]
        self._begun = self._stopped = False
        spelled = [tokenizer.encode(" " + word) for word in once]
        self._once = {ids[0] for ids in spelled if len(ids) == 1}
        self._spent: set[int] = set()

    @property
    def at_word_end(self) -> bool:
        """Whether the ids so far are whole words."""
        return any(node.value is not None for node in self._paths)

    @property
    def may_end(self) -> bool:
        """Whether there are words, and the last one is whole."""
        return self._begun and self.at_word_end

    @property
    def stopped(self) -> bool:
        """Whether a sentence is over."""
        return self._stopped

    def choices(self) -> set[int]:
        """The ids of words and marks that may come next: the rest of a word; after a whole word another, or a mark."""
        ids: set[int] = set()
        for node in self._paths:
            ids.update(node.edges)
        if self.at_word_end:
            for root in self._roots:
                ids.update(root.edges)
            ids -= self._spent
            if self._begun:
                ids |= self._lexicon.marks
        return ids

    def advance(self, token: int) -> None:
        """Take one id."""
        self._begun, self._stopped = True, token in self._lexicon.stops
        self._spent |= self._once & {token}
        moved = [node.edges[token] for node in (*self._paths, *self._roots) if token in node.edges]
        self._paths = moved or [Node(value="")]


def spans(heard: Sequence[str], longest: int) -> tuple[str, ...]:
    """All runs of one to `longest` words in the texts `heard`, each once."""
    found: dict[str, None] = {}
    for text in heard:
        words = text.split()
        for start in range(len(words)):
            for end in range(start + 1, min(len(words), start + longest) + 1):
                found[" ".join(words[start:end])] = None
    return tuple(found)
