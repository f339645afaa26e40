"""How callers say things in training: pieces by act, as large a variety as one hand can write.

Wording variety is the first limit of the core model (notes: poor templates 0.02, rich ones 0.85 on unseen wordings), so
this file is long on purpose. It knows words only; goals, noise and labels stand elsewhere. `heldout` has the same
shape with other pieces, and no piece may stand in both.

Notation: ``(a|b|)`` one of, may nest; ``{day} {part} {time} {name}`` the value, ``{old}`` a value that is being
corrected; ``*word`` carries the meaning of the act: while one such word survives the noise, the act is understood;
``!word`` is never lost, because without it the rest would say the opposite ("that is not right").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from policies.learned.train.names import training_name

__all__ = ["TRAINED", "Wordings"]


@dataclass(frozen=True, slots=True)
class Wordings:
    """Pieces by act, and where names come from. Two sets of wordings must have the same acts."""

    pieces: Mapping[str, tuple[str, ...]]
    name: Callable[[Random], str]


# fmt: off
TRAINED = Wordings(
    pieces={
        "hello": (
            "hello", "hi", "hi there", "hello there", "good morning", "good afternoon", "yes hello", "morning",
            "hey", "hi good morning", "oh hello", "yeah hi", "hello how are you", "good day", "oh hi there",
        ),
        "book": (
            "(i would like|i'd like|i want|i need|i'd love) to *book (an *appointment|a *visit|a time|something|)",
            "(can|could|may) i *book (an *appointment|a *visit|a slot|myself in|)",
            "(can|could|may) i (get|have|make|arrange) an *appointment", "i (need|want) an *appointment",
            "i need to (*see|visit) (the *doctor|a *doctor|someone)",
            "(i'm|i am) calling to (*book|make|*schedule|arrange) (an *appointment|a *visit)",
            "(i'd like|i would like|i want|i was hoping) to (make|get|*schedule|set up) (an *appointment|a *visit)",
            "(is it possible|would it be possible) to (*book|get) (an *appointment|a *visit|a slot)",
            "(do you have|have you got) (anything|something|any *appointments|any *openings|a *slot) *free",
            "(i'd like|i want|i would like) to *come *in", "(can|could) i *come *in", "(can|could) you *fit me *in",
            "i was wondering if i could (*book|make|get) (an *appointment|a *visit)",
            "i (have|got) (a bad tooth|a sore throat|back pain|a fever) and need (an *appointment|to *see someone)",
            "(could|can|would) you *book (me in|an *appointment for me|me a *visit)",
            "*booking (an *appointment|a *visit) please", "(an|one) *appointment please", "*book me in",
            "(i'm|i am) looking (to *book|for an *appointment|for a *visit)",
            "i'd like an *appointment (with the doctor|)",
            "i (think|guess) i need (an *appointment|a check up *appointment)",
            "it's about *booking (an *appointment|a *visit)", "we need an *appointment",
            "(just|) (want|wanted) to *book (a check up|a *visit|something)", "i need a *check *up",
            "(are there|is there) (any *slots|any *appointments|an *opening) (left|)",
        ),
        "cancel": (
            "(i would like|i'd like|i want|i need|i have) to *cancel (my appointment|my visit|an appointment|)",
            "(can|could|may) i *cancel (my appointment|my visit|a booking|)",
            "(i'm|i am) calling to *cancel (my appointment|my visit|an appointment|)",
            "(please|) *cancel my (appointment|visit|booking)",
            "i (can't|cannot) *make *it to my (appointment|visit)", "i (won't|will not) be able to *make *it",
            "i (need|have) to *call *off my (visit|appointment)",
            "it's about *cancelling (my visit|my appointment|an appointment)",
            "(can|could) you *cancel (a visit|my appointment|something) for me",
            "*cancel (it|an appointment) please", "i'd like my (appointment|visit) *cancelled",
            "something came up so i need to *cancel", "i (have|got) an appointment but i (can't|cannot) *come",
        ),
        "hours": (
            "what are your *opening *hours", "when are you *open", "what *time do you *close", "when do you *close",
            "(could|can) you tell me your *hours", "how late are you *open", "(are|when are) you *open today",
            "what *hours are you *open", "(from when|until when) are you *open", "what are your *hours",
            "what time do you *open in the morning", "your *opening *times please", "how long are you *open",
        ),
        "other": (
            "(how much|what) does (it|a visit|a check up) *cost", "do you take (my|any) *insurance",
            "where can i *park", "is there *parking", "(can|could) i get (my|a) *prescription",
            "what is your *address", "(can|could) i *speak to (the doctor|a *human|a *person|someone *real)",
            "are my *test *results (in|ready)", "i need a *refill", "do you do *x *rays",
            "can you *connect me to the *nurse", "do you sell *glasses", "(can|could) i *move my appointment",
            "i want to *reschedule", "can you send me the *bill", "is the *doctor a *woman", "do you treat *dogs",
            "i lost my *umbrella there", "what is your *email",
        ),
        "day": (
            "{day}", "on {day}", "{day} please", "(this|the coming) {day}",
            "{day} (would be|is) (good|best|fine|great|ok|perfect)",
            "(maybe|perhaps|let's say|how about|what about) (on|) {day}",
            "{day} if (possible|that's possible|you can|that works)", "for {day}",
            "(any time|some time|sometime) (on|) {day}",
            "i (would prefer|prefer|was thinking of|was thinking) {day}",
            "{day} (works|suits me|works for me|works best)", "i (can|could) (do|come|make) (on|) {day}",
            "(do you have|have you got|is there) anything (on|for|) {day}", "{day} i (think|guess|suppose)",
            "(the best day|the day) (is|would be) {day}", "it (has|needs) to be {day}", "only {day} works",
            "could we (do|say|try) {day}", "then {day}", "{day} then", "i'm free (on|) {day}",
            "(can|could|may) (i|we|it) (come|be|have|get) {day}",
            "(would|will|does) (it|that) (work|go) on {day}",
            "(i|we) (need|want|hope for|wish for|choose|pick|like) {day}",
            "(put|take|write) me (on|for|down for) {day}",
            "(on|for|by|around) {day} (i|we) (am|are) (free|off)",
            "{day} (and|but) (only|just) (that|then)",
            "(so|and|well|oh) {day}",
        ),
        "day_part": (
            "{day} {part}", "{day} in the {part}", "on {day} {part}", "on {day} in the {part}", "{part} on {day}",
            "{day} {part} please", "(maybe|how about|perhaps) {day} {part}",
            "{day} (sometime|any time) in the {part}", "(in the|some) {part} on {day}",
            "{day} but only in the {part}", "{day} preferably in the {part}",
            "{day} {part} (would be|is) (good|best|great)", "i (can|could) (do|come) {day} {part}",
        ),
        "part": (
            "in the {part}", "{part}", "(the|a) {part} (would be|is) (better|best|good)", "{part} please",
            "(do you have|have you got|is there) (anything|something) in the {part}",
            "i (prefer|would prefer) the {part}", "only in the {part}", "(rather|better) in the {part}",
            "what about the {part}", "{part} (works|suits me) (better|best)", "(any time|some time) in the {part}",
            "is the {part} possible", "then the {part}",
        ),
        "time": (
            "{time}", "at {time}", "{time} please", "{time} (is|would be|sounds) (good|fine|great|ok|perfect|best)",
            "(i'll|i will|let me|let's) take {time}", "(the|) {time} (one|works|works for me|suits me)",
            "let's (do|say) {time}", "(maybe|how about|perhaps|then) {time}", "(around|about) {time}", "{time} then",
            "i (can|could) (do|make) {time}", "make it {time}", "(can|could) i (have|get|take) {time}",
            "i'd (like|prefer|go for) {time}", "give me {time}", "put me down for {time}", "i think {time}",
            "(we|you) (can|could|may|should) (say|do|make it|take|write) {time}",
            "(i|we) (choose|pick|want|need|prefer|like) {time}",
            "(the|that) {time} (slot|visit|is okay|sounds fine)",
            "(so|and|well|oh|okay|yes) {time}",
            "{time} (is|would be) (all right|lovely|wonderful|nice)",
            "(put|write|note) (me|down|it) (for|at|) {time}",
        ),
        "ordinal": (
            "the {ordinal} one", "the {ordinal} (one|) please", "(i'll|i will|let me) take the {ordinal}",
            "{ordinal} one", "the {ordinal} (works|is good|is fine|sounds good|suits me)",
            "let's (do|take) the {ordinal} one", "(maybe|then) the {ordinal} one",
        ),
        "any_time": (
            "(*either|*any) is fine", "*whichever", "i *don't *mind", "*any of (those|them)", "*whatever you have",
            "*any time is (good|ok)", "it *doesn't *matter",
        ),
        "other_day": (
            "none of (those|them) *another *day maybe", "(do you have|is there) anything on *another *day",
            "that (doesn't|won't) work is there *another *day", "(can|could) we try a *different *day",
            "*another *day please", "(those|these) (don't|won't) work for me *other *days",
        ),
        "name": (
            "{name}", "my name is {name}", "my name's {name}", "it's {name}", "it is {name}", "the name is {name}",
            "this is {name}", "{name} please", "(i'm|i am) {name}", "{name} is (my|the) name", "for {name}",
            "under {name}", "{name} speaking", "(that's|that is|it would be) {name}", "it's for {name}",
            "(yes|sure|ok) {name}", "i'm called {name}", "the name's {name}", "(last|family) name {name}",
            "my (last|family) name is {name}", "you can put {name}", "put it under {name}",
            "(mister|missus|miss) {name}", "sure it's {name}", "my surname is {name}", "name of {name}",
            "(write|note|take) (me|it|us) (down|) (as|for|on|with) {name}",
            "(they|people|friends|you can|you may) (call|know) me (as|) {name}",
            "(my|the) (full|first|last|family|own) name (is|was|would be) {name}",
            "(that|it|this) (will|should|must) be {name}",
            "(the|my) (booking|visit|appointment) is for {name}",
            "(i|we) (am|are) (the|) {name} (family|)",
            "{name} (it is|is it|again|as usual)",
            "(you|i) (speak|am speaking|talk) (to|with|as) {name}",
            "(please|just|simply) {name}",
            "(well|so|oh|ah) {name}",
            "(and|) my name (here|again|) is {name}",
            "i (sign|come|register) as {name}",
            "{name} (on|at|in) the (phone|telephone|paper)",
            "(with|by|of|from|as|to) {name}",
        ),
        "name_aside": (
            "my name is {name}", "this is {name}", "it's {name}", "for {name}", "{name} speaking", "{name} here",
            "the name is {name}", "under {name}", "(i'm|i am) {name}", "it's for {name}", "my name's {name}",
            "(here|hello) is {name}",
            "{name} (calling|on the phone)",
            "(i am|i'm) called {name}",
            "(with|of|from) {name}",
        ),
        "yes": (
            "*yes", "*yeah", "*yep", "*yes please", "*yes (that's|that is) *right", "(that's|that is) *right",
            "*correct", "(that's|that is) *correct", "*yes *exactly", "*exactly", "*yes *correct", "*sure",
            "*yes (that's|that is) (fine|good|it|perfect)", "*perfect", "*absolutely",
            "*yes (go ahead|do that|please do)", "*mhm *yes", "*right", "*yes *sure", "*okay *yes",
            "(sounds|that sounds) *good", "*ok", "*okay", "*yes it is", "*yep (that's|that is) (it|right)",
            "*yeah (that's|that is) *fine", "that *works", "*yes that *works", "*yup", "*all *right *yes",
            "(*yes|*yeah|*yep|*right|*okay) (that's|that is|it's) what i (wanted|asked for|said)",
            "(oh|um|well|ah|so) (*yes|*yeah|*correct|*right)",
            "(*yes|*yeah) (all|everything|that) (is|sounds) (correct|fine|right|good)",
            "(that's|that is|this is) (all|absolutely|perfectly|quite) (*right|*correct|*fine)",
            "(*please|*yes) (do it|go ahead|book it|do so)",
            "(*great|*wonderful|*lovely|*excellent|*fantastic) (yes|thank you|thanks|)",
            "*definitely",
            "*indeed (it is|yes|)",
            "i *agree",
            "(*yes|*yeah|*yep) (thanks|thank you|of course|it is|you are right|my dear)",
            "*of *course",
        ),
        "no": (
            "*!no", "*!nope", "*!no (that's|that is) *!not (right|correct)",
            "(that's|that is) *!not (right|correct|it)", "*!no (that's|that is) *!wrong", "(that's|that is) *!wrong",
            "*!no sorry", "*!not *!quite", "*!no it (isn't|is *!not)", "*!no *!no", "(er|oh|well) *!no",
            "*!no you got that *!wrong", "*!nope *!not right", "that *!isn't right", "*!no i don't think so",
            "*!not really",
            "(no|nope|oh|well|hmm|wait|sorry|) (that|this|it) (is|was) *!not what i (meant|wanted|told you|asked)",
            "(*!no|*!nope|oh *!no|well *!no|ah *!no) (you heard me *!wrong|that's *!not it|that's a *!mistake|listen)",
            "(there is|there's|that's) a *!mistake (in it|there|in that)",
            "*!no *!no (that's|it's|this is) all *!wrong",
            "(you|you've|i think you) (got|heard|wrote|have) (that|it|something) *!wrong",
            "(hmm|well|um) *!not exactly",
            "(that|it) (does|did) *!not sound right",
            "*!no please *!don't",
            "(absolutely|definitely|certainly) *!not",
            "*!no i did *!not say that",
            "(hold on|hey|oh) (that's|that is|this is) *!incorrect",
            "*!never",
            "*!no (way|sir|madam|thank you|it's different)",
        ),
        "nothing_else": (
            "*no (thanks|thank you)", "*no (that's|that is|that was) (all|it|everything)",
            "(that's|that is|that was) *all", "*nothing else", "*no (thanks|thank you) (that's|that is) (all|it)",
            "*no i'm (good|fine)", "(i think|) that *was *it", "*no nothing", "*nope", "*no", "i'm *good thanks",
            "(that's|that is) *everything (thanks|thank you|)", "*no that will be *all",
            "(*no|*nope) (not today|not now|nothing|really)",
            "(i'm|we're) (*done|*finished|all *set)",
            "(that|this) (will|would) be *all",
            "i don't need *anything *else",
            "*no (i am|we are) (fine|good|happy)",
            "*no more questions",
        ),
        "bye": (
            "*bye", "*goodbye", "*bye *bye", "*bye now", "*goodbye then", "have a (good|nice) day *bye",
            "see you *bye", "thanks *bye", "thank you *goodbye", "talk to you later *bye",
            "thanks so much *bye *bye",
            "(good|nice|lovely) (day|evening|weekend) *bye",
            "(i|we) have to go *bye",
            "(well|so|right|okay) (then|) (*bye|*goodbye)",
            "until then *bye",
        ),
        "give_up": (
            "never *mind then *bye", "*forget it", "oh then *never *mind *goodbye", "i'll call *back *later *bye",
            "ok i'll try *elsewhere *goodbye", "leave it then *bye",
        ),
        "day_fix": (
            "it should be {day}", "{day}", "i said {day}", "i meant {day}", "{day} not {old}", "not {old} {day}",
            "on {day}", "the day is {day}", "make (it|that) {day}", "(it's|it is) {day}", "it's {day} not {old}",
            "i wanted {day}", "the day should be {day}", "change it to {day}",
            "(the|my) (right|correct|real) day is {day}",
            "(please|not that) {day}",
            "(put|write|take|book) {day}",
            "you (got|have|heard) the day wrong it's {day}",
            "(i need|i want) {day}",
        ),
        "time_fix": (
            "it should be {time}", "{time}", "i said {time}", "i meant {time}", "{time} not {old}",
            "not {old} {time}", "at {time}", "make (it|that) {time}", "(it's|it is) {time}", "i wanted {time}",
            "the time should be {time}", "change it to {time}",
            "(the|my) (right|correct|real) time is {time}",
            "(please|not that) {time}",
            "(put|write|take|book) {time}",
            "you (got|have|heard) the time wrong it's {time}",
            "(i need|i want) {time}",
        ),
        "name_fix": (
            "my name is {name}", "{name}", "(it's|it is) {name}", "i said {name}", "{name} not {old}",
            "not {old} {name}", "the name is {name}", "the name should be {name}", "it's {name} not {old}",
            "(that's|that is) {name}", "with the name {name}", "i'm {name}",
            "(that|it) (is|was) {name}",
            "(write|spell|say) {name}",
            "(my|the) (real|right|correct) name is {name}",
            "(please|no|not that) {name}",
            "you (got|have) the name wrong it's {name}",
            "i am called {name}",
        ),
        "hold": (
            "*hang *on", "*one *moment please", "(*just|) a *moment", "let me *check my (calendar|diary|schedule)",
            "*hold *on (a second|)", "(just|) a *second", "*wait a (second|minute)", "*one *second",
            "let me (*see|*think|*look)", "*give me a (moment|second|minute)", "*bear *with me",
            "let me *ask my (wife|husband|mother)", "*hang *on a (second|minute)",
        ),
        "pardon": (
            "(sorry|) (could|can) you (*repeat|say) that *again", "*pardon", "*what did you say", "sorry *what",
            "*say that *again (please|)", "i (didn't|did not) *hear you", "*come *again", "*what was that",
            "(could|can) you *repeat (that|please)",
            "(i|we) (can't|cannot|could not) *understand",
            "(too|very) (quiet|fast) *again",
            "(please|) *once *more",
            "*excuse me",
            "*which ones *again",
        ),
        "fix_mark": (
            "*no", "*sorry", "*actually", "*no *wait", "*i *mean", "*no *sorry", "*or *rather", "*wait *no",
            "*no *make *that",
        ),
        "hum": (
            "um", "uh", "er", "well", "so", "like", "you know", "erm", "hmm", "ah", "let's see", "okay so",
        ),
        "tail": (
            "please", "thanks", "thank you", "if possible", "if that's ok", "if you can", "that would be great",
            "thank you very much", "as soon as you can", "if that works for you", "that would be nice",
        ),
        "junk": (
            "what", "huh", "the dog stop it", "can you hear me", "i am on the train", "it is so loud here",
            "put that down", "not you sorry", "where is my pen", "oh the kettle", "is this the", "come here",
            "shh quiet", "turn the radio down",
        ),
    },
    name=training_name,
)
# fmt: on
