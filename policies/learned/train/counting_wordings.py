"""How a far party asks for counting, reading out and adding: pieces by act, for training and set aside.

Notation as in `wordings`. Slots hold number words: ``{first} {last}`` of a count, ``{by}`` its steps (``by fives``),
``{few} {many}`` a step in singular and plural, ``{sum}`` numbers with joints, ``{figures}`` digits. No piece stands in
both sets.
"""

from __future__ import annotations

from policies.learned.train.names import training_name
from policies.learned.train.wordings import Wordings

__all__ = ["COUNTING", "COUNTING_UNSEEN", "JOINTS", "JOINTS_UNSEEN"]

JOINTS = (
    "plus",
    "plus",
    "and",
    "and",
    "with",
    "then",
    "and a",
    "plus a",
    "and on top",
    "as well as",
    "together with",
    "and next",
)
"""Words between numbers to add, in training."""
JOINTS_UNSEEN = ("plus", "and", "and then", "and also")
"""The same for held-out wordings."""

# fmt: off
COUNTING = Wordings(
    pieces={
        "count_to": (
            "(can|could|would|will) you (please |)count (up |)to {last} (for me|aloud|out loud|)",
            "count (up |)to {last}",
            "please count (up |)to {last}", "(just |)count from one to {last}",
            "i('d like| want| need) you to count to {last}",
            "count (from one |)(up |all the way |)to {last} please", "let me hear you count to {last}",
            "(i'd like|i want) to hear the numbers (up |)to {last}", "say the numbers (from one |)(up |)to {last}",
            "give me the numbers (from one |)to {last}", "one to {last} please",
            "(how about|what about) counting to {last}",
            "can you do one to {last}", "count me (up |)to {last}", "tell me all (the |)numbers (up |)to {last}",
            "now (count |)to {last}", "(and |)then count (up |)to {last}", "count until {last}", "go (up |)to {last}",
            "please say all numbers from one to {last}", "start at one and count to {last}",
            "(are you able to|can you) count to {last}",
            "start counting and stop at {last}", "let's count (together |)to {last}", "(do|do me) a count to {last}",
            "we play hide and seek so count to {last}", "my kid wants you to count to {last}",
            "count slowly to {last}",
        ),
        "count_range": (
            "count from {first} to {last}", "(can|could|would|will) you (please |)count from {first} (up |)to {last}",
            "please count from {first} (up |on |)to {last}", "count up from {first} to {last}",
            "{first} to {last} please",
            "(say|give me|tell me|list) (all |)the numbers from {first} to {last}",
            "start at {first} and (count|go) (up |)to {last}",
            "i('d like| want| need) you to count from {first} (up |)to {last}",
            "all numbers between {first} and {last} please",
            "go from {first} (up |)to {last}", "start (with|from) {first} and stop at {last}",
            "from {first} to {last} please",
            "(now |and now |)count from {first} until {last}",
            "begin (at|with) {first} and count (on |)(up |)to {last}",
            "let me hear the numbers from {first} to {last}", "can you do {first} to {last}",
            "what comes from {first} to {last}",
            "count on from {first} (up |)to {last}", "the numbers from {first} (up |)to {last}",
        ),
        "count_by_to": (
            "count {by} (up |)to {last}", "count (up |)to {last} {by}",
            "(can|could|would) you (please |)count {by} to {last}",
            "please count (up |)to {last} {by}", "now {by} (up |)to {last}", "go (up |)to {last} {by}",
            "{by} to {last} please",
            "(say|give me) the numbers {by} (up |)to {last}", "i want you to count {by} (up |)to {last}",
        ),
        "count_by_range": (
            "count from {first} to {last} {by}", "count {by} from {first} (up |)to {last}",
            "(can|could|would) you (please |)count from {first} to {last} {by}",
            "please go from {first} to {last} {by}",
            "start at {first} and go {by} (up |)to {last}", "(say|give me) the numbers from {first} to {last} {by}",
            "now {by} from {first} to {last}",
        ),
        "by": (
            "by {many}", "in {many}", "in steps of {few}", "in {few} steps", "by {few}", "with steps of {few}",
            "{few} at a time",
        ),
        "down": (
            "count down from {first}", "(can|could|would) you (please |)count (down|backwards) from {first}",
            "please count backwards from {first}", "count (backwards|down) from {first}( to one|)",
            "backwards from {first} please",
            "(do|give me|start) a countdown from {first}", "countdown from {first} please",
            "from {first} (down|back) to one",
            "start at {first} and count (down|backwards)", "now (down|backwards) from {first}",
            "go down from {first} to one",
            "i want a countdown from {first}", "count back from {first}",
        ),
        "down_to": (
            "count down from {first} to {last}", "count (backwards|down) from {first} (down |)to {last}",
            "(can|could|would) you (please |)count (down|backwards) from {first} to {last}",
            "go down from {first} to {last}",
            "start at {first} and count (down|backwards) to {last}", "from {first} down to {last} please",
            "(say|give me) the numbers from {first} down to {last}", "now (down|backwards) from {first} to {last}",
        ),
        "down_by": (
            "count down from {first} to {last} {by}", "count (down|backwards) {by} from {first} to {last}",
            "(can|could|would) you (please |)count down from {first} {by} to {last}",
            "go down {by} from {first} to {last}",
            "start at {first} and go down {by} to {last}",
        ),
        "digits": (
            "read me {figures}", "(please |)read out {figures}",
            "(can|could|would|will) you (please |)read (me |back |out |){figures}",
            "read {figures} (back |)(to me|for me|please|)", "repeat {figures}", "please repeat {figures}",
            "(now |)read back {figures}",
            "(can|could) you repeat (the number |){figures}", "say {figures}", "please say {figures} (again|for me|)",
            "the number is {figures} (can|could|please) (you |)read it back",
            "my number is {figures} (please |)read it (back|out)",
            "(i have|here is) a number {figures} (please |)read it (to me|out|back)",
            "read (out |)the digits {figures}",
            "(please |)read the number {figures}", "tell me the digits {figures}", "spell out the number {figures}",
            "i('d like| want) you to read {figures}", "(say|read) this number {figures}",
            "take this number {figures} and read it back",
            "the code is {figures} (please |)read it (back|out)", "(just |)read this code (back |){figures}",
        ),
        "sum": (
            "what is {sum}", "what's {sum}", "how much is {sum}", "(please |)add {sum}",
            "(can|could|would|will) you (please |)add {sum}",
            "add up {sum}", "(please |)add {sum} (for me|together|)", "i('d like| want| need) to add {sum}",
            "{sum} please",
            "what do you get for {sum}", "what does {sum} (make|come to|give)",
            "(tell me|i want to know) what {sum} is",
            "the sum of {sum}", "what is the sum of {sum}", "give me the sum of {sum}", "{sum} (makes|is) what",
            "{sum} is how much",
            "(can|could) you tell me {sum}", "how much do {sum} make", "sum up {sum}", "(please |)work out {sum}",
            "{sum} what is that",
            "i have {sum} how (much|many) is that", "i need the total of {sum}", "(now |and )what about {sum}",
            "calculate {sum}",
        ),
        "go_on": (
            "go on", "please go on", "carry on", "sorry go on", "(please |)continue", "keep going",
            "(oh |)sorry (please |)go on",
            "no no go on", "(ok |)and then", "yes go on please", "go ahead", "i'm listening go on", "and further",
            "sorry carry on please",
        ),
        "stop": (
            "stop", "please stop", "(ok |)that's enough", "(ok |okay )stop", "enough", "stop it please",
            "thank you that's enough",
            "you can stop", "all right stop", "that will do", "stop there", "(that is |that's )fine stop",
        ),
        "hello": (
            "hello", "hi", "hi there", "good morning", "hey", "hello are you there", "good afternoon", "hello there",
            "yes hello",
        ),
        "thanks": (
            "thank you", "thanks", "great thank you", "(very |)good", "that's right", "wonderful", "thanks a lot",
            "perfect", "nice",
            "ok thanks", "well done", "thank you (very much|so much)", "great", "that was (good|great|right)",
            "lovely",
        ),
        "bye": (
            "bye", "goodbye", "thank you (good|)bye", "that's all (thank you|thanks|)", "(ok |)bye bye",
            "no thanks (good|)bye",
            "thanks (good|)bye", "that was all", "that's it goodbye", "nothing else thank you", "no that's all",
            "have a nice day bye",
        ),
        "other": (
            "what's the weather like", "can you sing", "tell me a joke", "who are you", "what can you do",
            "how old are you",
            "book me a table", "where is my order", "what time is it", "i need a doctor", "do you like music",
            "call my brother",
            "play some music", "can you dance", "what is your name", "i am hungry", "are you a person",
            "send me an email",
        ),
        "opener": (
            "ok", "okay", "well", "so", "right", "now", "alright", "hi", "hello", "hey", "yes", "good", "and", "next",
            "fine",
            "listen", "thanks", "thank you", "great", "i have a question", "one more thing", "let's see",
            "here we go",
        ),
        "tail": (
            "please", "for me", "if you can", "thanks", "thank you", "now", "will you", "would you",
            "if you don't mind", "slowly",
        ),
    },
    name=training_name,
)
"""Wordings of training."""

COUNTING_UNSEEN = Wordings(
    pieces={
        "count_to": (
            "do you think you could count to {last}", "i was hoping you'd count (up |)to {last}",
            "kindly count to {last}",
            "would you mind counting (up |)to {last}", "let's hear every number up to {last}",
            "run through the numbers to {last}",
            "(show|teach) my daughter how to count to {last}", "count for me and go as far as {last}",
            "count as far as {last}",
            "i'd love to hear you count to {last}", "try counting to {last}",
        ),
        "count_range": (
            "begin with {first} and end with {last}", "kindly count from {first} as far as {last}",
            "would you mind counting from {first} to {last}", "run through the numbers from {first} to {last}",
            "let's hear every number from {first} to {last}", "starting at {first} count (up |)to {last}",
            "take me from {first} to {last}", "i was hoping you'd count from {first} to {last}",
        ),
        "count_by_to": (
            "kindly count {by} as far as {last}", "would you mind counting {by} to {last}",
            "let's hear you count to {last} {by}",
            "this time {by} to {last}",
        ),
        "count_by_range": (
            "kindly count from {first} {by} to {last}", "would you mind counting from {first} to {last} {by}",
            "take me from {first} to {last} {by}",
        ),
        "by": ("counting by {many}", "in groups of {few}", "by steps of {few}", "{few} by {few}"),
        "down": (
            "would you mind counting backwards from {first}", "let's have a countdown from {first}",
            "kindly count down from {first}",
            "run backwards from {first} to one", "we launch a rocket so count down from {first}",
        ),
        "down_to": (
            "would you mind counting down from {first} to {last}", "take me down from {first} to {last}",
            "run backwards from {first} to {last}",
        ),
        "down_by": (
            "would you mind counting down from {first} to {last} {by}", "take me down from {first} to {last} {by}",
        ),
        "digits": (
            "would you mind reading {figures}", "kindly read out {figures}", "let me hear {figures} back",
            "check this number {figures}",
            "did you get {figures}", "i wrote down {figures} read it to me", "go through {figures} with me",
            "echo {figures}",
            "my account is {figures} can you say it back",
        ),
        "sum": (
            "would you mind adding {sum}", "kindly add {sum}", "put {sum} together", "do you know what {sum} is",
            "any idea what {sum} makes",
            "how much would {sum} be", "if i take {sum} what do i get", "let's add {sum}",
            "i bought things for {sum} what's the total",
            "find the total of {sum}",
        ),
        "go_on": (
            "do go on", "you may continue", "sorry about that keep going", "oh please carry on", "don't stop",
            "what comes next",
        ),
        "stop": ("you may stop now", "no more please", "hold it there", "right that's plenty", "stop stop"),
        "hello": ("good evening", "hello hello", "hi how are you", "anyone there"),
        "thanks": (
            "cheers", "brilliant thanks", "much obliged", "exactly right", "that is correct", "thank you kindly",
        ),
        "bye": (
            "see you", "bye for now", "that would be all", "i'm done thanks bye", "all good goodbye", "speak soon",
        ),
        "other": (
            "do you have a dog", "how tall is the tower", "open the window", "what did you eat", "i lost my keys",
            "who won the game",
        ),
        "opener": ("um hi", "good evening", "excuse me", "super", "alright then", "actually", "cheers", "ah"),
        "tail": ("would you kindly", "when you're ready", "cheers", "i'd be grateful", "whenever you like"),
    },
    name=training_name,
)
"""Wordings set aside: no model sees them in training."""
# fmt: on
