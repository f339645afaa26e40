"""How a word sounds that no dictionary holds: endings of known words first, then letters.

Callers say names and brands that a pronouncing dictionary lacks, and a recogniser cannot hear a word without phones.
The rules are a small hand-made set for American English in the 39 phones of the CMU dictionary, without stress; they
are a guess, and whoever uses them reports which words were guessed. This file refuses to know files and recognisers.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["PHONES", "guess_phones", "sounded_out"]

Phones = tuple[str, ...]

PHONES = frozenset(
    "AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH".split()
)

_SPELLINGS: dict[str, str] = {
    # Longest first wins; of one length there is one entry. An empty value is silent.
    "tion": "SH AH N", "sion": "ZH AH N", "cian": "SH AH N", "ture": "CH ER", "ough": "AO", "eigh": "EY",
    "augh": "AO", "tial": "SH AH L", "cial": "SH AH L", "ious": "IY AH S", "eous": "IY AH S",
    "igh": "AY", "tch": "CH", "dge": "JH", "sch": "S K", "air": "EH R", "ear": "IH R", "eer": "IH R", "oor": "AO R",
    "our": "AO R", "oar": "AO R", "ire": "AY ER", "ure": "Y UH R", "eau": "OW", "que": "K", "ing": "IH NG",
    "ous": "AH S", "ght": "T",
    "ai": "EY", "ay": "EY", "au": "AO", "aw": "AO", "ar": "AA R", "ee": "IY", "ea": "IY", "ei": "EY", "ey": "IY",
    "er": "ER", "eu": "Y UW", "ew": "UW", "ie": "IY", "ir": "ER", "oa": "OW", "oe": "OW", "oi": "OY", "oo": "UW",
    "or": "AO R", "ou": "AW", "ow": "OW", "oy": "OY", "ue": "UW", "ui": "UW", "ur": "ER", "yr": "ER", "uy": "AY",
    "ch": "CH", "ck": "K", "dg": "JH", "gh": "G", "gn": "N", "kn": "N", "ng": "NG", "nk": "NG K", "ph": "F",
    "ps": "P S", "qu": "K W", "rh": "R", "sc": "S K", "sh": "SH", "th": "TH", "wh": "W", "wr": "R", "zh": "ZH",
    "bb": "B", "cc": "K", "dd": "D", "ff": "F", "gg": "G", "kk": "K", "ll": "L", "mm": "M", "nn": "N", "pp": "P",
    "rr": "R", "ss": "S", "tt": "T", "vv": "V", "zz": "Z", "aa": "AA", "ii": "IY", "uu": "UW",
    "a": "AE", "b": "B", "c": "K", "d": "D", "e": "EH", "f": "F", "g": "G", "h": "HH", "i": "IH", "j": "JH",
    "k": "K", "l": "L", "m": "M", "n": "N", "o": "AA", "p": "P", "q": "K", "r": "R", "s": "S", "t": "T", "u": "AH",
    "v": "V", "w": "W", "x": "K S", "y": "IY", "z": "Z", "'": "",
}  # fmt: skip

_LONG = {"a": "EY", "e": "IY", "i": "AY", "o": "OW", "u": "UW", "y": "AY"}
_VOWELS = frozenset("aeiouy")
_HISSING = frozenset("S Z SH ZH CH JH".split())
_VOICELESS = frozenset("P T K F TH".split())

_ENDINGS: tuple[tuple[str, str, str], ...] = (
    # ending, what the known word has in its place, phones added ("+s" and "+d" agree with the last phone)
    ("'s", "", "+s"), ("s'", "s", ""), ("es", "", "+s"), ("es", "e", "+s"), ("ies", "y", "Z"), ("s", "", "+s"),
    ("ied", "y", "D"), ("ed", "", "+d"), ("ed", "e", "+d"), ("ing", "", "IH NG"), ("ing", "e", "IH NG"),
    ("er", "", "ER"), ("er", "e", "ER"), ("ly", "", "L IY"), ("less", "", "L AH S"), ("ness", "", "N AH S"),
    ("'ll", "", "AH L"), ("'d", "", "+d"), ("'ve", "", "AH V"), ("'re", "", "ER"),
)  # fmt: skip


def guess_phones(word: str, known: Callable[[str], Phones | None]) -> Phones:
    """The likely phones of a lower-case `word`: a known word with an ending, two known words, or its letters.

    `known` gives the phones of a dictionary word, or None. Never empty for a word with a letter in it.
    """
    return _with_ending(word, known) or _compound(word, known) or sounded_out(word)


def _with_ending(word: str, known: Callable[[str], Phones | None]) -> Phones | None:
    for ending, stands_for, added in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 2:
            continue
        doubled = stem[:-1] if len(stem) > 3 and stem[-1] == stem[-2] else None
        phones = known(stem + stands_for) or (known(doubled) if doubled and not stands_for else None)
        if phones:
            return phones + _agree(phones[-1], added)
    return None


def _agree(last: str, added: str) -> Phones:
    """The phones of an ending after the phone `last`: ``cats``, ``dogs``, ``buses`` differ."""
    if added == "+s":
        return ("IH", "Z") if last in _HISSING else ("S",) if last in _VOICELESS else ("Z",)
    if added == "+d":
        if last in ("T", "D"):
            return ("IH", "D")
        return ("T",) if last in _VOICELESS or last in ("S", "SH", "CH") else ("D",)
    return tuple(added.split())


def _compound(word: str, known: Callable[[str], Phones | None]) -> Phones | None:
    """Two known words of three letters or more written as one, cut nearest to the middle."""
    cuts = sorted(range(3, len(word) - 2), key=lambda cut: abs(2 * cut - len(word)))
    for cut in cuts:
        left, right = known(word[:cut]), known(word[cut:])
        if left and right:
            return left + right
    return None


def sounded_out(word: str) -> Phones:
    """The phones of the letters of a lower-case `word` by rule alone; letters outside a-z are skipped."""
    phones: list[str] = []
    at = 0
    while at < len(word):
        length, sound = _spelling(word, at)
        phones += sound.split()
        at += length
    return tuple(_without_repeats(phones)) or ("AH",)


def _spelling(word: str, at: int) -> tuple[int, str]:
    """How many letters from `at` on make one sound, and which."""
    letter, rest = word[at], word[at:]
    following = rest[1:2]
    if at > 0 and rest == "e":
        # A silent final e, unless it is the only vowel (me, be).
        return 1, "" if _VOWELS & set(word[:at]) else "IY"
    if at > 0 and rest == "es" and word[at - 1] in "cgsxz":
        return 2, "IH Z"
    if at > 1 and rest in ("le", "les") and word[at - 1] not in _VOWELS:
        return len(rest), "AH L" + (" Z" if rest == "les" else "")
    if letter == "y":
        if at == 0 and following and following in _VOWELS:
            return 1, "Y"
        if rest == "y" and not _VOWELS & set(word[:at]):
            return 1, "AY"
    if letter == "c" and following in ("e", "i", "y") and rest[:4] not in ("cian", "cial"):
        return 1, "S"
    if letter == "g" and following in ("e", "i", "y"):
        return 1, "JH"
    plural_e = at > 1 and word[at - 1] == "e" and _VOWELS & set(word[: at - 1].lstrip("y"))
    if rest == "s" and at > 1 and (plural_e or word[at - 1] in "bdglmnrvw"):
        return 1, "Z"
    if at == 0 and letter == "x":
        return 1, "Z"
    if letter in _LONG and _is_long(rest):
        return 1, _LONG[letter]
    if len(rest) == 1 and letter in "aiou" and at > 0:
        return 1, {"a": "AH", "i": "IY", "o": "OW", "u": "UW"}[letter]
    for length in range(4, 0, -1):
        sound = _SPELLINGS.get(rest[:length])
        if sound is not None and len(rest) >= length:
            return length, sound
    return 1, ""


def _is_long(rest: str) -> bool:
    """A vowel, one consonant, then a final e: the vowel says its name (``name``, ``time``, ``phones``)."""
    return len(rest) in (3, 4) and rest[1] not in _VOWELS and rest[1] not in "rwx" and rest[2:] in ("e", "es", "ed")


def _without_repeats(phones: list[str]) -> list[str]:
    return [phone for index, phone in enumerate(phones) if index == 0 or phone != phones[index - 1]]
