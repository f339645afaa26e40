"""Wishes and answers made up without end: what hurts and whose, what is called off, agreement in any good word.

More of the places where a list of wordings is learned by heart: a caller who says what hurts before asking for a visit
says words that no list holds, and whoever agrees does it with any good word there is. As in `asides` a piece is a frame
around words from long lists. What hurts is no wish by itself: only what asks for somebody to see it is marked. For
training only.
"""

from __future__ import annotations

import re
from random import Random

from policies.learned.train.names import recogniser_words
from policies.learned.train.spoken_caller import Word, said

__all__ = ["APPROVALS", "ache", "assent", "need", "withdrawal"]

# fmt: off
_BODIES = """
ankle arm back belly cheek chest chin ear ears elbow eye eyes face finger foot forehead gum gums hand heel hip hips jaw
knee knees leg legs lip lips neck nose rib scalp shin shoulder skin spine stomach thigh throat thumb toe toes tongue
tooth teeth tummy waist wrist
""".split()
_AILMENTS = """
ache allergy blister bite boil bruise bump burn cold cough cramp cut cyst earache eczema fever flu hayfever headache
infection itch lump migraine mole nosebleed pain rash scratch sneeze spot sprain stye swelling temperature toothache
ulcer verruca wart
""".split()
_HURTING = """
aching bleeding bruised burning cracked creaking dry inflamed infected itching itchy numb painful puffy red sensitive
sore stiff swollen tender throbbing tingling weak weeping yellow
""".split()
_KIN = """
aunt baby boss boy brother child cousin dad daughter father friend gran grandad granddaughter grandson girl husband
lad mate mother mum neighbour nephew niece partner sister son tenant toddler uncle wife
""".split()
_ACHES = (
    "my {body} is (so|very|all|really|) {hurting}", "my {body} (hurts|aches|is killing me|keeps hurting|is no better)",
    "(i've|i have) (got|had) (a|this|some|a bit of|a terrible) {ailment} (for weeks|for ages|since last week|again|)",
    "(he|she) has (a|this|some) {ailment}", "my {kin} has (a|this|some|got a) {ailment}",
    "my {kin}'s {body} is (so|very|all|) {hurting}", "(i|he|she) (can't|can hardly) (move|bend|feel) (my|the) {body}",
    "(i|he|she|my {kin}) (hurt|twisted|cut|burnt|bumped|pulled) (my|his|her) {body}",
    "there's something (wrong|not right|funny) with my {body}", "it's (my|his|her) {body}", "it's about my {body}",
    "(he's|she's|my {kin} is) (six|eighty|only little|not well|poorly|in a state)", "i keep getting (a|this) {ailment}",
    "i'm (calling|ringing|phoning) (about|for|on behalf of) my {kin}", "it's not for me it's for my {kin}",
    "my {body} (has been|feels|looks) {hurting} (all week|lately|for days|)", "(this|the) {ailment} won't go",
)
_NEEDS = (
    "i (need|want|would like) (someone|somebody|the doctor) to *{see} my {body}",
    "(could|can|would) (someone|somebody|the doctor|you|anyone) *{see} my {body}", "*see somebody about my {body}",
    "(my|his|her) {body} (needs|wants) *{seeing} (to|)", "i'd like my {body} *{seen}", "i want this {ailment} *{seen}",
    "i (need|want|have|ought) to *see (someone|somebody|the doctor|a doctor) (about|with|for) (my|a|this) {ailment}",
    "my {kin} (needs|wants|has) to *see (someone|somebody|the doctor) (about (his|her|a) {ailment}|)",
    "(he|she|my {kin}) needs (his|her) {body} *{seeing} (to|)", "to (have|get) (my|his|her) {body} *{seen}",
    "(could|can) i *bring my {kin} *in (with a {ailment}|for a {ailment}|)", "i'd like to *bring my {kin} (along|in)",
    "(could|can) i (get|have) (him|her|them|us|my {kin}) *booked *in", "*book (him|her|my {kin}|us) *in (please|)",
    "(could|can) (he|she|my {kin}) be *seen (about|for|with) (a|his|her|this) {ailment}", "i need my {body} *{seen}",
    "(someone|somebody) (should|must|has to) *{see} (my|this) {ailment}", "i (should|must) get my {body} *{seen}",
)
_SEE = ("look at", "see", "check", "examine", "have a look at", "take a look at", "see to")
_SEEN = ("looked at", "seen", "checked", "examined", "seen to", "checked over", "sorted")
_SEEING = ("looking at", "seeing", "checking", "examining", "a look at", "a check", "sorting")

APPROVALS = ("first class", "first rate", "just right", "tip top", "spot on", *"""
acceptable accurate agreeable amazing awesome beautiful brilliant champion cool correct dandy delightful
excellent exact fab fabulous fair fantastic fine flawless good grand great handy ideal impeccable lovely magic
magnificent marvellous neat nice okay perfect pleasing precise proper right satisfactory smashing sound splendid
spotless suitable super superb sweet terrific top true wonderful
""".split())
_ASSENTS = (
    "(that's|that is|it's|it is) (quite|very|absolutely|perfectly|just|) *{good}", "*{good}", "(oh|how|just) *{good}",
    "(that'd|that would|it would|that'll|that will) be (just|quite|absolutely|) *{good}", "*yes (that's|it's) {good}",
    "(that|this|it|it all) (sounds|looks|seems) (very|absolutely|) *{good}", "*yes is {good} (for me|)",
    "*yes {good}", "*yes (very|quite|) {good} (thank you|thanks|)", "(*yes|*yeah) (it's|that's) {good} for (me|us)",
    "(*yes|*yeah|*yep) i think (so|that's {good}) (yes|please|)", "*{good} (thank you|thanks|please|then)",
    "(um|ah|well|oh|ooh) (*yes|*yeah) (all {good}|{good} then|{good} for me|i think so)", "everything is *{good}",
    "(*yes|*yeah|*yep) (my dear|dear|love|sir|madam|doctor) (that's {good}|it's {good}|)", "*yes to all of (that|it)",
    "(once more|again|as i said) (that's|it's|) *{good}", "i (think|suppose) that's *{good} (yes|)",
)
_WITHDRAWALS = (
    "(could|can|would) you (please|) *{undo} (my|the|our) {visit}", "please *{undo} (my|the) {visit}",
    "i (need|want|have|would like|am calling) to *{undo} (my|the|a) {visit}", "i'd like to *{undo} (my|our) {visit}",
    "(i|we) *!{cannot} {attend} (my|the|our) {visit}", "(i|he|she|my {kin}) *!{cannot} {attend} the {visit}",
    "{reason} so (i|we) *!{cannot} {attend} (it|my {visit}|the {visit})", "{reason} so please *{undo} my {visit}",
    "(the|my) {visit} (has to|must|will have to|needs to) be *{undone}", "i want my {visit} *{undone}",
    "(could|can) (i|we) *{undo} (it|my {visit}|the {visit})", "{reason} and i have to *{undo} my {visit}",
    "(i|we) *!{cannot} come (to the {visit}|after all|any more)", "my {visit} (is|was) to be *{undone}",
    "i have a {visit} and i *!{cannot} {attend} it", "i have a {visit} that (has to|must|should) be *{undone}",
)
_UNDO = (
    "cancel", "cancel", "cancel", "remove", "delete", "scrap", "drop", "bin", "void", "undo", "withdraw", "call off",
    "cross off", "cross out", "take out", "get rid of", "rub out", "wipe", "erase", "get out of", "give up", "abandon",
)
_UNDONE = (
    "cancelled", "cancelled", "cancelled", "removed", "deleted", "scrapped", "dropped", "binned", "withdrawn",
    "called off", "crossed off", "crossed out", "taken out", "wiped", "erased", "gone", "given up",
)
_CANNOT = ("can't", "cannot", "won't", "can not", "am not able to", "am unable to", "shan't", "will not", "couldn't")
_ATTEND = ("make", "make it to", "attend", "come to", "keep", "get to", "be at", "manage", "turn up for", "do")
_VISITS = ("appointment", "appointment", "visit", "booking", "slot", "reservation", "check up", "session")
_REASONS = (
    "something came up", "(i'm|we're) (away|ill|at work|abroad|feeling better|all better|stuck|in bed)",
    "my car broke down", "my {kin} is (ill|away|in hospital)", "i have to (work|travel|stay at home)", "it's gone now",
)
_LISTS = {
    "body": _BODIES, "ailment": _AILMENTS, "hurting": _HURTING, "kin": _KIN, "see": _SEE, "seen": _SEEN,
    "seeing": _SEEING, "good": APPROVALS, "undo": _UNDO, "undone": _UNDONE, "cannot": _CANNOT, "attend": _ATTEND,
    "visit": _VISITS, "reason": _REASONS,
}
# fmt: on
_PLACE = re.compile(r"(\*?!?)\{(\w+)\}")
STRANGE = 0.15
"""Share of aches in a word from the recogniser's list. A guess."""


def ache(rng: Random) -> list[Word]:
    """What hurts, or whose: said beside a wish and none by itself."""
    return _filled(rng.choice(_ACHES), rng)


def need(rng: Random) -> list[Word]:
    """A wish for a visit in terms of what is to be seen."""
    return _filled(rng.choice(_NEEDS), rng)


def withdrawal(rng: Random) -> list[Word]:
    """A wish to have a visit called off."""
    return _filled(rng.choice(_WITHDRAWALS), rng, "cancel")


def assent(rng: Random) -> list[Word]:
    """A yes with any word of approval."""
    return _filled(rng.choice(_ASSENTS), rng, "yes")


def _filled(frame: str, rng: Random, act: str = "book") -> list[Word]:
    """`frame` with its words drawn; what fills a marked place is marked as a whole."""

    def drawn(place: re.Match[str]) -> str:
        mark, slot = place.groups()
        strange = slot in {"body", "ailment"} and rng.random() < STRANGE
        words = rng.choice(recogniser_words() if strange else _LISTS[slot])
        return words if slot == "reason" else " ".join(f"{mark}{word}" for word in words.split())

    while _PLACE.search(frame):  # a reason holds places itself
        frame = _PLACE.sub(drawn, frame)
    return said(frame, act, rng)
