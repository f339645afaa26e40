"""Say a bit, think a bit: where speech stops for a thought, so that the pace follows the difficulty.

A model that is sure of its next words speaks on; where it wavers (the entropy of what may come next), the bit of speech
ends and a bit of thought is written before the next one. This file knows words and numbers of nats. It refuses to know
tokens, engines and what the thought will be about.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.numerals import is_number_word, plain_words

__all__ = ["Pace", "PaceSettings"]

_SIGNS = ",.;:?!"


@dataclass(frozen=True, slots=True)
class PaceSettings:
    """When a thought is put in: by agents that think in free words, at engines that show what else might come."""

    on: bool = True
    nats: float = 0.3
    """Entropy over what may come next from which a thought comes first; ln 2 = 0.69 are two words as likely as each
    other."""
    most: int = 8
    """Thoughts put into one turn. A guess: enough for five additions, few enough that a lost model comes to its end."""


@dataclass(slots=True)
class Pace:
    """The pace of one turn."""

    settings: PaceSettings
    put_in: int = 0
    """Thoughts put in so far."""

    def stops(self, said: str, entropy: float) -> bool:
        """Whether speech stops for a thought behind `said`, the words since the last one; counts it where it does.

        Not before the first word, and not inside a number: what is half said cannot be thought over.
        """
        if not self.wavers(entropy):
            return False
        words = plain_words(said)
        inside = bool(words) and is_number_word(words[-1]) and said.rstrip()[-1] not in _SIGNS
        if not words or inside:
            return False
        self.put_in += 1
        return True

    def wavers(self, entropy: float) -> bool:
        """Whether a thought is worth it here and the turn may still hold one; cheap, for every token."""
        return entropy >= self.settings.nats and self.put_in < self.settings.most
