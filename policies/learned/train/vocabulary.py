"""Learn the vocabulary: byte-level BPE of 1,024 entries over simulated calls, role tokens first.

More entries would only memorise names (notes), so the text it is learned from has invented names. Needs the
``tokenizers`` package; at run time `core.tokenizer` reads the file without it.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
from tokenizers import Tokenizer as Library

from policies.learned.core.tokenizer import WORD_PATTERN
from policies.learned.train.dialogue import Line, expert_call
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES
from policies.trajectory import ROLE_TOKENS, Role

__all__ = ["learn_vocabulary", "said_words"]


def learn_vocabulary(path: Path, *, size: int = 1024, calls: int = 6000, seed: int = 7) -> None:
    """Write ``tokenizer.json`` to `path`, learned from `calls` simulated calls."""
    library = Library(models.BPE())
    library.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    library.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(ROLE_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rng = Random(seed)
    texts = (f" {segment.text}" for _ in range(calls) for segment in expert_call(rng).segments if segment.text)
    library.train_from_iterator(texts, trainer)
    library.save(str(path))


def said_words(*, calls: int = 3000, seed: int = 11) -> list[str]:
    """The words of the agent's own style, sorted: all that the expert says but names, days, hours and places.

    Values come into speech from the note, the offer and the card; here they would let a wrong one be said.
    """
    rng = Random(seed)
    values = {*DAYS, *PARTS, *(time.split()[0] for time in TIMES), "six", "seven"}
    words: set[str] = set()
    for _ in range(calls):
        call = expert_call(rng, line=Line())
        own_name = set(call.caller.goal.name.split())
        for segment in call.segments[2:]:
            if segment.role in (Role.SAY, Role.FILLER):
                words.update(
                    word
                    for word in segment.text.replace(",", "").replace(".", "").replace("?", "").split()
                    if word not in own_name
                )
    # "which one" is no time of day
    return sorted((words | {"thirty"}) - values | {"one"})
