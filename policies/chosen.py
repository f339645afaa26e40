"""Did the caller choose among the times on offer? Only then may one be noted.

A model that was offered three times and hears "mm-hm" now and then takes the first. It is read back, and who listens
with half an ear agrees; so a time needs words that chose it: a time, a place in the list, or that any will do. This
file refuses to know the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.agreement import answer as verdict
from policies.numerals import is_number_word, plain_words

__all__ = ["chose"]

_CHOOSING = frozenset(
    plain_words(
        "first second third last earliest latest earlier later early late any either whichever whatever choose pick "
        "mind matter matters surprise easiest easy flexible fussy noon midday half quarter middle soonest"
    )
)


def chose(heard: str, offered: Sequence[str]) -> bool:
    """Whether the words `heard` choose one of the times `offered`; a plain yes does where there is only one."""
    words = plain_words(heard)
    if any(is_number_word(word) or word in _CHOOSING for word in words):
        return True
    return len(offered) == 1 and verdict(heard, " ".join(offered)) != "no" and bool(words)
