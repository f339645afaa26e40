"""How a company's representative speaks in training: pieces by act, and the names of companies and customers.

The same notation as `policies.learned.train.wordings`: ``(a|b|)`` one of, may nest; ``{item} {value} {offer} {term}
{company}`` the value; ``*word`` carries the meaning of the act; ``!word`` is never lost, because without it the rest
would say the opposite ("we cannot do that"). `heldout` has the same acts with other pieces; no piece stands in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from policies.learned.train.names import FIRST_NAMES, invented_name, training_name
from policies.learned.train.wordings import Wordings

__all__ = ["COMPANY_FIRST", "COMPANY_SECOND", "ITEM_PHRASES", "TERM_PHRASES", "TRAINED", "RepWordings"]


@dataclass(frozen=True, slots=True)
class RepWordings(Wordings):
    """Pieces by act; `name` gives a customer, first name and surname, and `company` an invented company."""

    company: Callable[[Random], str]


ITEM_PHRASES: dict[str, tuple[str, ...]] = {
    "customer number": ("customer number", "customer number", "customer number", "account number", "client number",
                        "customer id"),
    "postcode": ("postcode", "postcode", "post code", "zip code"),
    "date of birth": ("date of birth", "date of birth", "birthday", "birth date"),
    "last four digits": ("last four digits", "last four digits", "last four digits of the account",
                         "final four digits"),
    "email": ("email", "email address", "email on file"),
    "phone number": ("phone number", "phone number", "telephone number", "mobile number"),
    "new address": ("new address", "new address", "new street address", "new home address"),
    "password": ("password", "password", "online password", "telephone password"),
    "pin": ("pin", "pin", "pin code", "pin number"),
    "card number": ("card number", "credit card number", "full card number", "debit card number"),
}  # fmt: skip
"""An item as a representative may call it. What cannot be guessed from the words cannot be held out either."""

TERM_PHRASES: dict[str, tuple[str, ...]] = {
    "one year": ("one year", "one year", "one year", "a year", "twelve months"),
    "two years": ("two years", "two years", "two years", "twenty four months"),
}

COMPANY_FIRST: tuple[str, ...] = tuple(
    """bright north silver green blue red clear swift first true city coast river lake hill stone oak maple pine cedar
    sun moon star sky cloud wind rain snow frost fire golden royal crown eagle falcon fox wolf bear lion arrow anchor
    harbour bridge tower castle valley meadow forest summit union central metro inter omni nova alpha delta vertex
    brightline westline nordwell primewell easypath openway""".split()
)
COMPANY_SECOND: tuple[str, ...] = tuple(
    """energy power gas water mobile telecom broadband internet media networks insurance fitness gym gyms storage
    electric connect fibre wireless television heating cable""".split()
)


def _company(rng: Random) -> str:
    """An invented company of two words."""
    first = rng.choice(COMPANY_FIRST) if rng.random() < 0.75 else invented_name(rng)
    return f"{first} {rng.choice(COMPANY_SECOND)}"


def _customer(rng: Random) -> str:
    """An invented customer of two words; the first name is seldom an unknown one."""
    first = rng.choice(FIRST_NAMES) if rng.random() < 0.85 else invented_name(rng)
    return f"{first} {training_name(rng).split()[-1]}"


# fmt: off
TRAINED = RepWordings(
    pieces={
        "greet": (
            "{company} how can i help", "{company} customer service how can i help you",
            "(hello|hi|good morning|good afternoon) (this is|you are through to|) {company} (how can i help|)",
            "thank you for calling {company} (how can i help|what can i do for you|how may i help you today|)",
            "welcome to {company} (how can i help|what can i do for you|)",
            "{company} (good morning|good afternoon|hello)", "thanks for calling (us|{company}) what can i do for you",
            "(hello|hi) (you have reached|you've reached) {company}", "{company} customer care (hello|good day|)",
            "customer service (hello|good morning|how can i help)", "(yes|) hello {company} speaking",
            "{company} my name is (tom|lisa|dave|jenny|omar|priya|carol) (how can i help|)",
            "(hi|hello) this is (tom|lisa|dave|jenny|omar|priya|carol) (from|at) {company} (how can i help|)",
            "good day {company} what is it about", "{company} contracts team (hello|how can i help|)",
            "you are speaking (with|to) {company} (how may i help|)", "{company} support line hello",
        ),
        "how": (
            "*how can i *help (you|)", "what can i *do *for *you", "(so|) *what is this *about", "how may i *help",
            "what is the *reason for your *call", "(and|so) what can we *help you with (today|)",
            "*what is your *question", "(okay|right|hello) and *how can i *help", "what's it *about (please|)",
            "*why are you *calling (today|)", "(go ahead|yes) *what can i *do", "tell me *what it's *about",
            "what would you *like *me to *do", "and what is your *request", "*what *brings *you to us (today|)",
        ),
        "ask": (
            "(can|could|may) i (have|get|take) (the|your|their) {item} (please|)", "{item} please",
            "(the|your) {item} please", "what is (the|your|their) {item}", "what's (the|your) {item} (please|)",
            "i need (the|your|their) {item} (first|please|)", "i (will|would|'ll) need (the|a|your) {item}",
            "(can|could) you (tell|give) me (the|your) {item} (please|)", "do you have (the|a|your) {item}",
            "(just|) give me (the|your) {item} (please|)", "for security (i need|what is|can i have) (the|your) {item}",
            "(let me|i have to) verify the account (what is|can i have) (the|your) {item}",
            "(i just need|just) the {item} (to find you|to start|)",
            "(would|could) you confirm (the|your|their) {item}", "please (tell me|confirm|say) the {item}",
            "and the {item} (please|)", "(can|could) i start with the {item}", "to pass security i need the {item}",
            "i am going to need the {item}", "(have you got|got) the {item} there", "(read|say) me the {item}",
            "which {item} is it", "and what would the {item} be", "i must ask for the {item}",
            "(the|your) {item} if you don't mind", "before we go on the {item} please", "the system wants the {item}",
            "mind if i ask for the {item}", "let me have the {item}", "could i trouble you for the {item}",
        ),
        "ask_else": (
            "(okay|no problem|all right) then the {item} (please|)", "(fine|okay|sure) what about the {item}",
            "(maybe|perhaps) the {item} then", "(then|) how about the {item}",
            "(okay|right) do you have the {item} instead", "the {item} would do (too|as well|)",
            "(that's fine|no worries) the {item} will do", "(then|) i can take the {item} instead",
            "(hm|well|okay) can you give me the {item} instead", "(yes|sure) the {item} works (too|as well|)",
            "(yes|okay) i could use the {item}", "alternatively the {item}", "let's try the {item} then",
            "(in that case|otherwise) the {item}", "(right|okay) tell me the {item} then",
        ),
        "no_ask": (
            "no i (need|asked for|meant|want) the {item}", "not that the {item} please", "no the {item}",
            "(sorry|no) i said the {item}", "that is not what i need i need the {item}",
            "(no no|hm no) the {item} please", "i don't need that just the {item}", "the {item} not that",
            "sorry i wanted the {item}", "that's something else give me the {item}",
            "(wait|no) it is the {item} i am after", "no no just the {item}", "that's not the {item}",
            "i was asking for the {item}", "you gave me another one i need the {item}",
        ),
        "readback": (
            "(so|) (that's|that is) {value} (right|correct|)",
            "(i have|i got|i've got) {value} (is that right|correct|right|)",
            "{value} (is that right|correct|yes|right)", "let me repeat {value}", "so {value} (yes|)",
            "(just|) to confirm {value}", "okay {value}", "(you said|did you say|was that) {value}",
            "{value} is (what i have|that right)", "(i'm|i am) writing {value}", "i heard {value} (right|)",
            "got {value} here is that it", "(reading|saying) that back {value}", "i have down {value}",
            "that was {value} (wasn't it|right|)", "and that's {value} correct",
        ),
        "mismatch": (
            "that (*doesn't|*does *!not) *match (what i have|our records|)", "i !can't *find that (here|)",
            "that is !not what i have *written (here|)", "(hm|sorry) that's *!not *right",
            "the system (*doesn't|*does *!not) *take (it|that)", "it says *wrong (here|)", "no *match on that",
            "that (*doesn't|*does *!not) *fit", "(hm|) *nothing *comes *up", "i get an *error with that",
            "our records *say something *!else", "that seems *wrong (to me|)", "(sorry|) it *didn't *match",
            "i'm getting *nothing for that", "that's !not *known to our system",
        ),
        "who": (
            "(and|) *who am i *speaking (to|with)", "*who is *calling", "are you the *account *holder",
            "is this the *customer *herself", "are you *calling for *yourself", "(may|can) i ask *who you *are",
            "(and|) *who are *you", "are you *authorised (to speak|)", "do you have *permission to *call (for them|)",
            "is the *contract in *your *name", "is that *yourself on the *contract",
            "am i *speaking with the *customer", "(sorry|) *who did you *say you *are",
            "you are *calling on *behalf of *whom", "is it *your *own *contract",
        ),
        "whose": (
            "(and|) *whose *contract is it", "what *name is on the *account", "(what is|what's) the customer's *name",
            "(can|could) i have the *name (please|)", "what *name is it *under",
            "the *name of the account holder please", "under what *name (is the contract|)", "which *name please",
            "(and|) the customer's *full *name", "(tell|give) me the *name on the contract",
            "what's the customer *called", "the *first and *last *name please", "i need the *name of the customer",
            "(and|) *who is the *contract *for", "*name please",
        ),
        "sure": (
            "are you *sure (about that|)", "(so|) you (really|) *want to go *ahead", "is that *really what you *want",
            "(shall|should) i *go *ahead (then|)", "do you want me to *do that *now", "(okay|) *shall i *process it",
            "(just to be clear|) you *want that *today (yes|)", "(do|would) you *like me to *proceed",
            "(are you|you are) *certain", "*may i *proceed", "you *know this is *final", "is that *okay for *you",
            "*can i *go *ahead with it", "so i *should *do it (right|)", "and you're *absolutely *certain",
        ),
        "why": (
            "(may|can|could) i ask *why", "*why do you want (to leave|that|this)", "what is the *reason (for that|)",
            "(are|were) you *unhappy with (us|the service)", "(did|has) *something *happen between us",
            "is it too *expensive", "have you *found another *provider", "can you tell me the *reason",
            "what *made you *decide that", "(oh|) *why is *that", "what could we do *better",
            "is there a *problem with the *service", "how *come you are *leaving", "was *anything *wrong with us",
            "we are *sad about that *why",
        ),
        "topic": (
            "how is the *weather (over there|where you are|)", "did you *watch the *game (last night|)",
            "it's *lovely *weather today", "do you know our new *app", "are you a *robot",
            "have you heard of our *lottery", "would you like our *newsletter", "what *football team do you *support",
            "is it *raining there too", "i *love your *accent", "my *shift is nearly *over", "do you like *coffee",
            "how was your *weekend", "we have a new *television *package", "do you want to take a *survey",
            "my *dog is sick today", "it's my *birthday *party tonight", "can i tell you about our *smart *meters",
        ),
        "hold": (
            "(one|just a) *moment (please|)", "*hold *on (please|a second|)", "(please|) *hold the *line",
            "(can|could) you *hold (for a moment|please|)", "*bear with me (please|a moment|)", "*give me a *second",
            "let me *check (that|something|)", "i'm (just|) *checking the *system", "*one *second (please|)",
            "*hang *on (a second|)", "i'll put you on *hold", "(just|) *wait a *minute", "(please|) stay on the *line",
            "my computer is *slow (one moment|today)", "let me *open the *account", "i have to *ask my *supervisor",
            "i need to *look that *up", "give me a *minute (please|)",
        ),
        "back": (
            "thanks for (waiting|holding)", "(okay|right) i'm back", "(sorry|) about the wait", "hello again",
            "thank you for (waiting|holding)", "(right|so|okay)", "there we go", "okay here i am", "are you there good",
        ),
        "thanks": (
            "thank you", "thanks", "(great|perfect|lovely|brilliant) (thank you|thanks|)", "okay", "got it (thanks|)",
            "(right|okay) (i found you|there it is|)", "(that's|that is) (fine|great|perfect)", "super", "very good",
            "(okay|all right) i've got (it|that) (here|)", "wonderful", "cheers", "i see it", "that works",
        ),
        "offer": (
            "(i|we) can (offer|give|do) (you|) {offer} (off|) for {term}",
            "(how about|what about) {offer} (off|) for {term}",
            "(would|could) {offer} (off|) for {term} (help|work|be okay|do)",
            "i have {offer} (off|) for {term} (here|for you|)", "(there is|there's) {offer} (off|) for {term}",
            "(the best|the most) i can do is {offer} for {term}", "we could (take|knock) {offer} off for {term}",
            "(if you stay|stay with us and) (you get|it's) {offer} for {term}",
            "for {term} (i|we) can (offer|do|give you) {offer}",
            "(let me|i'd like to) offer you {offer} (off|) for {term}",
            "(you'd|you would) get {offer} (off|) for {term}", "(i'm|i am) allowed to give {offer} for {term}",
            "what if (i|we) gave you {offer} for {term}", "a discount of {offer} for {term}",
            "{offer} (off|) for {term}", "my system shows {offer} off for {term}", "would you take {offer} for {term}",
            "{offer} (discount|) over {term}", "i could reduce it by {offer} for {term}",
            "special deal {offer} off for {term}", "we would like to keep you {offer} for {term}",
            "say {offer} for {term} and we have a deal", "(as a|for a) loyal customer {offer} for {term}",
            "you qualify for {offer} for {term}", "that gets you {offer} for {term}",
            "(can i|let me) tempt you with {offer} for {term}",
        ),
        "offer_bare": (
            "(i|we) can (offer|give|do) (you|) {offer} (off|)", "(how about|what about) {offer} (off|)",
            "(there is|there's) {offer} (off|)", "i could do {offer}", "(would|could) {offer} help",
            "we have {offer} off (now|)", "you could get {offer}", "(let me|i'd like to) offer you {offer}",
            "a discount of {offer}", "i'm allowed {offer}", "my screen says {offer}", "{offer} (off|) maybe",
            "what if i took {offer} off", "we'd make it {offer} cheaper", "you qualify for {offer}",
        ),
        "term": (
            "for {term}", "{term}", "that (is|would be) for {term}", "it (lasts|runs|goes) {term}",
            "(that's|it's) {term}", "(it is|it's) good for {term}", "{term} (from today|from now|)", "over {term}",
            "for the next {term}", "you would have it for {term}", "it is valid for {term}", "the offer runs {term}",
            "(always|only) for {term}", "that one is {term} long", "it covers {term}",
        ),
        "agreed": (
            "(great|perfect|lovely|wonderful) *i've *set *that *up",
            "(okay|right) the *discount is *added to your *account", "(that's|that is) all *set *up (now|for you|)",
            "i have *added *it (to the contract|)", "the new *price is *active (now|)",
            "(good|great) it is *booked *in", "(okay|) *i've *applied *it", "(perfect|great) *that's *confirmed",
            "*done the *discount is *in", "*i've *put *that *through (for you|)", "you will *see it on the next *bill",
            "(that's|it is) *live (now|)", "*discount *activated", "the *reduction is *entered",
            "*all *sorted with the discount",
        ),
        "cancelled": (
            "(that's|that is) *cancelled (for you|now|)", "the *contract is (now|) *cancelled",
            "*i've *cancelled (it|that|the contract)",
            "(okay|right|great) *all *done it *ends (next month|this month|)", "*i have *ended the *contract",
            "(it's|that's) *done (for you|now|)", "the *cancellation is *complete",
            "your *contract *ends (next month|in march|in june)", "*i've *closed the *account",
            "(okay|) i have *processed the *cancellation", "(the contract is|it's) *terminated (now|)",
            "you are *free of the *contract", "*that's *taken *care of", "*all *sorted (with the cancellation|)",
            "the *cancellation is *confirmed", "(perfect|right) the *contract is *closed",
        ),
        "moved": (
            "(that's|that is) *moved (for you|now|)", "the *contract is (now|) *moved",
            "*i've *moved (it|that|the contract)", "(okay|right|great) *all *done it's *at the *new place",
            "*i've *changed the *address", "(it's|that's) *done (for you|now|)", "the *move is *booked",
            "the *new *address is *entered", "*i have *transferred (it|the contract)",
            "(okay|) i have *updated your *details", "*that's *taken *care of", "*all *sorted (for the move|)",
            "the *move is *confirmed", "the *address is *updated", "your *contract *goes with *you now",
        ),
        "refuse": (
            "(i'm sorry|sorry) (i|we) *!cannot do that", "(i'm afraid|sorry) that's *!not *possible",
            "(no|sorry) (i|we) *!can't (do|allow) that", "(i|we) *!can't help you with that",
            "(i'm|i am) *!not *allowed to do that", "that *!won't be *possible",
            "(unfortunately|sadly) that's *!not *possible", "(i|we) have to *refuse",
            "(i'm afraid|sorry) the answer is *!no", "there is *nothing (more|else|) i can do",
            "(unfortunately|sorry) we *never do that", "*!no (we|i) *!cannot *change that", "i *must *decline that",
            "the *contract *!cannot be changed (now|)", "(sorry|) the *minimum *term is *!not *over",
            "you are *!not *eligible", "(the rules|our rules) *don't *allow (it|that)", "*!no *!way i can do that",
        ),
        "refuse_third": (
            "(i'm sorry|sorry) we *!don't *speak to *third *parties", "i *!can't (talk|speak) to *third *parties",
            "only the *account *holder can *do that *!sorry", "the *customer has to *call *herself",
            "(i'm afraid|sorry) i can *only *talk to the *customer",
            "(i'm|i am) *!not *allowed to *discuss it with *you", "(they|the customer) *must *ring us *themselves",
            "we *need to hear from the *customer *directly", "i *!cannot *discuss this with *anyone *else",
            "*data *protection i *!can't *talk to you", "*without the *customer i can *do *nothing",
            "(sorry|no) *only with the *customer *in *person", "it *has to be the *account *holder",
            "i *!can't *accept *calls for *others", "we *only *deal with the *holder",
        ),
        "call_back": (
            "(sorry|) our *system is *down (please call back|call later|)",
            "(could|can) you *call *back (later|tomorrow|)", "(please|) *call *again *tomorrow",
            "(please|) *try *again *later", "the *computers are *down (today|)",
            "the right *department is *shut (now|today|)", "you have to *ring *back (later|on monday|tomorrow)",
            "i !can't *open the *system *call *later", "my *colleague is *back *tomorrow",
            "*nobody is *here for that (today|now) *try *later", "*come *back to us *tomorrow",
            "we are *closing *call *tomorrow", "*another *day please the *system is *broken",
            "the *office *opens *again *tomorrow", "i *must *ask you to *call *later",
        ),
        "pardon": (
            "*sorry (what|) (was that|)", "(could|can) you *repeat (that|please)", "*pardon", "i *didn't *get that",
            "*say that *again (please|)", "(sorry|) i (*didn't|did *not) *hear you", "*come *again",
            "what did you *say", "(could|can) you *say that *again", "the *line is *bad *again please",
            "*once *more (please|)", "*excuse *me", "i *missed that", "a bit *louder please", "*repeat (that|please)",
        ),
        "tail": (
            "is there anything else", "(can|could) i help with anything else", "have a (nice|good|lovely) day",
            "anything else (today|)", "you will get a letter", "you will get an email about it", "okay",
            "will that be all", "that was it",
        ),
        "hum": (
            "um", "uh", "er", "so", "well", "let me see", "okay", "right", "erm", "ah", "you know",
        ),
    },
    name=_customer,
    company=_company,
)
# fmt: on
