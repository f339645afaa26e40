"""Caller names: common surnames, first names, recogniser words and letter-random inventions.

Copying a name that was never seen before is the hardest thing the core model learns, and a model that saw only a list
of names memorises the list (notes: 20 of the last 30 failures were names). So most training names exist nowhere.
This file knows how a name is spelled, not how a caller says it or who answers.
"""

from __future__ import annotations

import random
from functools import cache
from importlib import resources

from policies.no_names import is_no_name

__all__ = ["COMMON_SURNAMES", "FIRST_NAMES", "invented_name", "recogniser_words", "training_name"]

COMMON_SURNAMES: tuple[str, ...] = tuple(
    """smith johnson williams brown jones garcia davis rodriguez martinez hernandez lopez gonzalez wilson anderson
    thomas taylor moore jackson martin lee perez thompson white harris sanchez clark ramirez lewis robinson walker young
    allen king wright scott torres nguyen hill flores green adams nelson baker hall rivera campbell mitchell carter
    roberts gomez phillips evans turner diaz parker cruz edwards collins reyes stewart morris morales murphy cook rogers
    gutierrez ortiz morgan cooper peterson bailey reed kelly howard ramos kim cox ward richardson watson brooks chavez
    wood james bennett gray mendoza ruiz hughes price alvarez castillo sanders patel myers long ross foster jimenez
    powell jenkins perry russell sullivan bell coleman butler henderson barnes gonzales fisher vasquez simmons romero
    jordan patterson alexander hamilton graham reynolds griffin wallace moreno west cole hayes bryant herrera gibson
    ellis tran medina aguilar stevens murray ford castro marshall owens harrison fernandez mcdonald woods washington
    kennedy wells vargas henry chen freeman webb tucker guzman burns crawford olson simpson porter hunter gordon mendez
    silva shaw snyder mason dixon munoz hunt hicks holmes palmer wagner black robertson boyd rose stone salazar fox
    warren mills meyer rice schmidt garza daniels ferguson nichols stephens soto weaver ryan gardner payne grant dunn
    kelley spencer hawkins arnold pierce hansen peters santos hart bradley knight elliott cunningham duncan armstrong
    hudson carroll lane riley andrews alvarado ray delgado berry perkins hoffman johnston matthews pena richards
    contreras willis carpenter lawrence sandoval guerrero george chapman rios estrada ortega watkins greene nunez
    wheeler valdez harper burke larson santiago maldonado morrison franklin carlson austin dominguez carr lawson jacobs
    obrien lynch singh vega bishop montgomery oliver jensen harvey williamson gilbert dean sims espinoza howell li wong
    reid hanson le mccoy garrett burton fuller wang weber welch rojas lucas marquez fields park yang little banks
    padilla day walsh bowman schultz luna fowler""".split()
)
"""Common surnames of the trained half. `heldout` holds others; "day" is left out when drawn, it carries meaning."""

FIRST_NAMES: tuple[str, ...] = tuple(
    """anna john mary peter james linda robert susan david karen paul laura mark nancy steven emma george julia kevin
    alice brian helen edward diana frank rachel henry maria jack olivia tom sophie sam nina leo clara max ella ben kate
    adam jane luke amy noah ruth carl eva oscar ida hugo vera""".split()
)

_ONSETS = """b c d f g h j k l m n p r s t v w z br bl ch cl cr dr fl fr gl gr kr kl pr pl ph qu sc sh sk sl sm sn sp
    st str sw th tr tw wh kn sch""".split()
_VOWELS = "a e i o u a e i o u ai au ea ee ei ie oa oo ou y".split()
_CODAS = "b ck d f g k l ll m n nn nd ng nt p r rd rk rn rt s ss st t th x z lt ls ns tz".split()
_ENDINGS = "er son man s ton ley ez ski sen berg field ford well ham o a i y ing ner ard ell".split()
_ONSETS.append("")
_CODAS.extend([""] * 14)
_ENDINGS.extend([""] * 22)


def invented_name(rng: random.Random) -> str:
    """A pronounceable name of 3 to 11 letters, drawn letter by letter rather than from known syllables."""
    while True:
        name = "".join(
            rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice((1, 2, 2, 2, 3)))
        )
        name += rng.choice(_ENDINGS)
        if 3 <= len(name) <= 11:
            return name


@cache
def recogniser_words() -> tuple[str, ...]:
    """Words that a recogniser may put in place of others, from ``words.txt``; none of them carries meaning here.

    Sampled from the word list of the CMU pronouncing dictionary; what the scenario uses was taken out, because a
    random "yes" inside junk makes the label of that turn false.
    """
    text = resources.files(__package__).joinpath("words.txt").read_text("utf-8")
    return tuple(text.split())


def _first(rng: random.Random) -> str:
    """A first name, one in three of them invented: a list alone would be learned by heart."""
    return rng.choice(FIRST_NAMES) if rng.random() < 0.66 else invented_name(rng)


def training_name(rng: random.Random) -> str:
    """A caller's name as spoken: mostly one word, sometimes a first name before it."""
    kind = rng.random()
    if kind < 0.35:
        name = rng.choice(COMMON_SURNAMES)
    elif kind < 0.55:
        name = rng.choice(recogniser_words())
    else:
        name = invented_name(rng)
    if name == "day" or is_no_name(name):
        name = "miller"
    return f"{_first(rng)} {name}" if rng.random() < 0.3 else name
