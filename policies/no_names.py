"""Common words that nobody is called: what a note of a name must not be copied from.

A small model takes a word it has not met for a name ("for months", "it's quite urgent"), and a name once noted is read
back, not asked for. The list holds what stands around a wish in calls, not all words that are no names: callers are
called young, baker and day, so words that are surnames too are left out on purpose.
"""

from __future__ import annotations

from policies.numerals import is_number_word

__all__ = ["NO_NAMES", "is_no_name"]

NO_NAMES = frozenset(
    # when, how often, how much
    "about again ago all almost already also always another any anymore anything anytime anyway apparently around away "
    "awfully badly barely basically before behind bit both certainly currently days definitely each earlier "
    "earliest early either else enough especially etc even evening evenings ever every everybody everyone everything "
    "exactly extremely fairly few finally first fully half hardly hopefully hour hours however immediately instead "
    "just last lately later latest least less likely literally lots maybe midday minute minutes moment moments month "
    "months more morning mornings mostly much nearly neither never newly next none noon normally nothing now obviously "
    "often once only other others particularly perhaps possibly preferably pretty previously probably properly quickly "
    "quite rather really recently same second seconds seriously several shortly simply sometime sometimes somebody "
    "someone something somewhere soon sooner soonest still straight such suddenly surely terribly then third though "
    "today tomorrow tonight too totally twice unfortunately until urgently usually very week weekend weekends weeks "
    "while whole whenever year years yesterday yet afternoon afternoons "
    # how it is
    "able afraid aching annoyed anxious available awful aware bad better best broken busy careful cheap clear closed "
    "concerned confused convenient crazy dangerous different difficult dizzy due easy embarrassed expensive familiar "
    "fantastic fine flexible full funny glad great happy helpful horrible hungry hurt impossible impatient important "
    "incredible infected itchy kind late lovely lucky mad necessary nervous nice numb odd ok open painful patient "
    "perfect poorly possible private quiet ready rude sad scared serious shaky sick silly snappy sore sorry strange "
    "stuck stupid sure surprised swollen terrible tired true unable unhappy unwell upset urgent useful usual weird "
    "wonderful worried worse worst wrong "
    # what is done
    "agree allowed answer appreciate arrange asked asking attend bear begin believe bleeding booked booking bother "
    "bring bringing broke bring brought buying called came cancel cancelled cancelling catch change changed check "
    "checked checking choose come comes coming complain confirm could couldn't coughing crying decide decided did "
    "didn't doing done driving eat eating expect expecting feel feeling feels fell felt finish finished fit fix forget "
    "forgot found get gets getting give given gives giving go goes going gone got guess had hanging happen happened "
    "happening hasn't have haven't hear heard help helping hold holding hope hoping hurting hurts imagine keep keeping "
    "keeps kept knew know known knows leave leaving left let letting listen listening live living look looked looking "
    "lose lost made make makes making manage mean means meant mention might move moved moving must need needed needing "
    "needs ought pay phone phoning pick picked picking please prefer promise put putting reach reading realise "
    "recommend remember remind repeat reschedule ring ringing said say saying says see seeing seem seems seen sees "
    "send sent shall should shouldn't show sleep sleeping sneezing sound sounds speaking squeeze start started stay "
    "stop stopped suggest suppose supposed swallow take taken takes taking talk talking tell telling tend think "
    "thinking thinks thought throwing told took tried try trying turn turned understand used using visit visiting wait "
    "waited waiting wake walking wanted wanting wants was wasn't watch went were weren't will wish won't wonder "
    "wondering wondered work working works worry worrying would wouldn't write "
    # what it is about
    "accent accident advice ankle appointment appointments arm arms aunt baby belly blood boy brother bus child "
    "children clinic colleague cough cousin dad daughter dentist diary doctor doctors ear ears elbow eye eyes family "
    "father fault favour fever filling foot friend girl gran grandad granddaughter grandson granny hand head headache "
    "holiday hospital house husband idea illness infection injection job kid kids knee knees leg legs luck lunch mate "
    "mates mistake money mother mum neck nephew news niece nose notice nurse office opening pain parking partner "
    "password people person pharmacy prescription problem question queue rash reason receptionist result results room "
    "schedule school shift shoulder sister slot slots son space sport stomach stuff surgery teeth test tests thing "
    "things throat toe toes tooth toothache traffic train trouble uncle voice waiting website wife work wrist "
    # who, what, which
    "because between during except from herself himself how into itself like me mine myself nor off onto out outside "
    "over ours ourselves since than their them themselves these they those through till towards unless until upon us "
    "was what whatever what's when where where's whether which whichever who who's whom whose why with within without "
    "yourself as if by near up down been being i've we've you've they've he's she's they're we're you're we'll you'll "
    "they'll he'll she'll there'd it'll that'll that'd it'd isn't aren't don't doesn't can't let's "
    # what is said in place of an answer
    "pardon huh eh excuse hang sec tick".split()
)

_ENDINGS = ("ly", "ing", "ed", "'s", "s")
"""Endings of forms of a common word: ``nicely`` is no name, because ``nice`` is none."""


def is_no_name(word: str) -> bool:
    """Whether `word` is on the list, is a plain form of a word on it, or is a number."""
    if word in NO_NAMES or is_number_word(word):
        return True
    stems = [word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)]
    return any(stem in NO_NAMES or f"{stem}e" in NO_NAMES for stem in stems if len(stem) > 2)
