"""A third set of wordings, in another hand: what the recogniser of the front desk is told to expect of callers.

The trained and the held-out pieces were written by one person, who makes the same turns of phrase in both. These
are taken from ``examples/front_desk/phrases.txt``, written by somebody else before any model was measured, and only
marked here with what carries their meaning. Lines whose act the simulator does not know ("monday or tuesday") are left
out. Figures that are quoted should be of this set.
"""

from __future__ import annotations

from policies.learned.train.heldout import heldout_name
from policies.learned.train.wordings import Wordings

__all__ = ["SECOND_HAND"]

SECOND_HAND = Wordings(
    pieces={
        "hello": ("(hello|hi|good morning|good afternoon|hey|yes hi)", "(hello|hi|good morning) there"),
        "book": (
            "(i'm calling|i am calling|i called|just calling) (about|for|to make|to get) an *appointment",
            "i (need|want|have) to (*see|talk to|*come in and see) (a *doctor|the *doctor|somebody|someone)",
            "i (would like|want|need|was hoping) to (*book|make|arrange|get|set up) (an *appointment|a *visit)",
            "i'd (like|love) to (*come in|be *seen|come by|make an *appointment) (please|sometime|this week|)",
            "(can|could|may) i (please|) (make|get|have|book) an *appointment (please|with the doctor|this week|)",
            "do you (have|still have) (any|some) (*openings|*appointments|*slots) (this week|left|for me|)",
            "my (doctor|mother|husband|wife|boss) (told|asked|wants) me to (*come in|call you|make an *appointment)",
            "it's (not|kind of|pretty) urgent (but|so) (i'd like|we want) to (*come in|be *seen) (soon|this week)",
            "(yes|okay|so|well|all right) (i'd|i would|we'd) like (to *book|to *come in|a *visit|an *appointment)",
        ),
        "cancel": (
            "i (need|want|have|would like) to (*cancel|*call off|*drop) (my|an|the) (appointment|booking|visit)",
            "i (*can't|*cannot|*won't) (make|come to|keep) (my|the) (appointment|visit)",
            "(i wanted|i was hoping) to (have|get) (my|the) (appointment|visit) (*cancelled|*canceled|*taken out)",
            "(please|can you|could you) *cancel (my|the) appointment",
        ),
        "hours": (
            "(when|what time|how late|until when) (are you *open|do you *open|do you *close|are you there)",
            "(what are|can you tell me) your (opening *hours|*hours|office *hours)",
        ),
        "other": (
            "(how much|what) does (it|a visit|that) *cost",
            "(do you take|is it covered by) (*insurance|my *insurance|credit *cards)",
            "(what's your *address|how do i *get there|where can i *park|is there *parking)",
            "(can i|could i) (talk|speak) to (a *nurse|a *person|*somebody|*someone)",
            "(i need|can i get) (a *prescription|a *refill|my test *results|my *results|a *note for work)",
        ),
        "day": (
            "{day} (please|then|is fine|is good|works|would be good|would work|if possible|if you can)",
            "(on|this|next|for|make it|how about|maybe|let's do|let's say) {day}",
            "(how about|what about|maybe|could we do|would) {day} (work|be possible|be okay|)",
            "(oh|i guess|i think|probably|then|well) {day} (then|i guess|should be fine|should work|)",
            "(that|it) (would have to|has to|should|will|can|could) be (on|) {day} (for me|please|)",
            "{day} (is|would be|might be|could be) (better|best|easier|the best day|all i can do) (for me|for us|)",
            "(if|when) you (have|had|got) (something|anything|a time) (on|for) {day} (i'll take it|that'd be great|)",
        ),
        "day_part": (
            "{day} {part} (please|if possible|would be best|)",
            "i (would like|want|need) to (come in|come by|be seen|see the doctor) {day} {part}",
        ),
        "part": (
            "(in the|this|some time in the|preferably in the|early|late) {part}",
            "{part} (please|is better|works better|would be better|is fine|)",
            "(i prefer|i'd prefer|i would rather have|better) (the|a|in the) {part}",
            "(i'm|we're) (only|usually|always) (free|off|available) (in the|the whole) {part}",
        ),
        "time": (
            "{time} (please|is fine|is good|works|would be good|would be great|is perfect|sounds good|then)",
            "(at|around|about|maybe|make it|let's do|i'll take|i would take|give me|i'd like|how about) {time}",
            "(i'll|i will|let me|i would) (take|have|go for|go with|do) (the|) {time} (one|please|then|)",
            "(oh|i guess|i think|then|well) {time} (then|i guess|should be fine|should work|)",
            "{time} (is|was|would be|might be) (better|best|what i want|what i said|the one|early enough|okay)",
            "(we|i) (can|could|will|might) (be there|come|make it|get there) (at|by|for) {time}",
            "(it's|that's) (got to be|going to be|probably) {time}",
        ),
        "ordinal": ("(the|i'll take the|let's do the) {ordinal} (one|time|slot|) (please|works|is good|)",),
        "any_time": ("(*any of those|*either one|*whichever) (is fine|works|you have)",),
        "other_day": ("(is|do you have) (anything|something) on (*another *day|a *different *day)",),
        "name": (
            "(my name is|the name is|the name's|my last name is|last name) {name}",
            "(it's|this is|i'm|i am|that's|that would be|for|under) {name}",
            "(put it|book it|make it) (under|in the name of|for) {name}",
            "(yes|sure|okay) (it's|my name is|the name is) {name}",
            "(mister|missus|miss|doctor) {name}",
            "(of course|sure|right|well|oh) (it's|i'm|this is|the name is) {name}",
            "(you can|please|just) (write|put|use|take) (down|in|) {name}",
            "(everybody|people|they) (calls|call) me {name}",
        ),
        "name_aside": ("my name is {name}", "it's {name} here", "this is {name}", "for {name}"),
        "yes": (
            "*yes",
            "(*yes|*yeah|*yep|*yup|*sure|*okay|*right|*correct|*exactly|*perfect|*absolutely)",
            "(*yes|*yeah|*okay|*sure) (please|thanks|thank you|please do|go ahead|that's right|that's correct|perfect)",
            "(*yes|*yeah|) (that's|that is) (*right|*correct|*fine|*good|*great|*perfect|*it|*okay)",
            "(that|that time|that one) (*works|*sounds good|*sounds great|would be *great|is *fine)",
            "(that|it|this) (would|will|should) (be *fine|be *great|*work|*work for me|*do|*do nicely)",
            "(you've|you have) *got (it|the name|the day|the time) *right",
        ),
        "no": (
            "(*!no|*!nope|*!no *!no) (that's *!wrong|that's *!not right|that is *!not right|i'm sorry|sorry|)",
            "(oh|um|) (*!no|*!no that *!isn't|that *!isn't) (right|what i wanted|what i asked for|quite right)",
            "(that's|that is) (*!wrong|*!not right|*!not correct|*!not what i said|*!not it)",
            "(you've|you have) *got (it|that) *!wrong",
        ),
        "nothing_else": (
            "(*that's all|*that is all|*that's it|*that's everything|*nothing else|*no that's all) (thanks|thank you|)",
        ),
        "bye": (
            "(thank you|thanks|okay|great|) (*goodbye|*bye|*bye bye)",
            "(thank you|thanks|okay|great) (have a nice day|take care) *bye",
        ),
        "give_up": ("(never *mind|*forget it|i'll call *back later|i'll try again *later) (thanks|bye)",),
        "day_fix": ("(i said|i meant|it's|it is) {day}", "(on|) {day} (please|not {old})", "i asked for {day}"),
        "time_fix": ("(i said|i meant|it's|it is) {time}", "(at|) {time} please", "make it {time}"),
        "name_fix": ("(the name is|my name is|it's) {name} (not {old}|)", "(i said|i meant) {name}"),
        "hold": (
            "(*hold on|*hang on|one *moment|just a *moment|one *second|*wait a moment|*wait) (please|let me check|)",
            "(give me|just|wait|i need) (a|one) (*minute|*second|*moment) (please|)",
            "let me (*check|*look at|*see|*get|*find) (my calendar|my diary|my schedule|a pen)",
        ),
        "pardon": (
            "(sorry|pardon|excuse me|what) (*what was that|*what did you say|*say that again|i *didn't get that)",
            "(could|can) you (*repeat that|*say that again|*say the times again) (please|)",
        ),
        "fix_mark": ("*no", "*sorry", "or *no", "i *mean", "*no *wait", "*no make it", "*actually"),
        "hum": ("um", "uh", "er", "well", "so", "let's see", "let me think"),
        "tail": ("please", "if possible", "if you can", "thank you"),
        "junk": ("you are breaking up", "i'm still here", "we're on the bus", "i can't hear you very well"),
    },
    name=heldout_name,
)
