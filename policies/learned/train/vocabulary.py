"""Learn the vocabulary: byte-level BPE over simulated calls, role tokens first; extend it for a new scenario.

More entries would only memorise names (notes), so the text it is learned from has invented names. Learning anew needs
the ``tokenizers`` package; at run time `core.tokenizer` reads the file without it. Extending keeps every id and merge
and adds merges behind them, so that a trained model keeps what it knows.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from random import Random

from policies.learned.core.tokenizer import WORD_PATTERN, Tokenizer
from policies.learned.train.dialogue import Line, expert_call
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES
from policies.trajectory import ROLE_TOKENS, Role

__all__ = ["extend_vocabulary", "learn_vocabulary", "said_words"]


def learn_vocabulary(path: Path, texts: Iterable[str], *, size: int) -> None:
    """Write ``tokenizer.json`` with `size` entries to `path`, learned from `texts`."""
    from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
    from tokenizers import Tokenizer as Library

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
    library.train_from_iterator(texts, trainer)
    library.save(str(path))


def extend_vocabulary(old: Path, new: Path, texts: Iterable[str], *, size: int) -> None:
    """Write `old` with merges for `texts` added until it has `size` entries; roles get their present names.

    `old`, `new`: ``tokenizer.json`` files. Raises `ValueError` when there is nothing to add.
    """
    tokenizer = Tokenizer.load(old)
    data = json.loads(old.read_text("utf-8"))
    vocabulary: dict[str, int] = data["model"]["vocab"]
    names = {id_: text for text, id_ in vocabulary.items()}
    pattern = re.compile(WORD_PATTERN)
    words = Counter(word for text in texts for word in pattern.findall(text))
    spelled = [(tokenizer.encode(word), count) for word, count in words.items()]
    if len(vocabulary) >= size:
        raise ValueError(f"{old} has {len(vocabulary)} entries already; ask for more than {size}")
    while len(vocabulary) < size:
        pairs: defaultdict[tuple[int, int], int] = defaultdict(int)
        for ids, count in spelled:
            for pair in pairwise(ids):
                pairs[pair] += count
        if not pairs:
            raise ValueError(f"the texts make no more than {len(vocabulary)} entries; {size} were asked for")
        # the smallest pair among equals, so that the file follows from the texts alone
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        id_, text = len(vocabulary), names[best[0]] + names[best[1]]
        vocabulary[text], names[id_] = id_, text
        data["model"]["merges"].append([names[best[0]], names[best[1]]])
        spelled = [(_joined(ids, best, id_), count) for ids, count in spelled]
    for id_ in range(len(ROLE_TOKENS)):
        del vocabulary[names[id_]]
    vocabulary |= {role: id_ for id_, role in enumerate(ROLE_TOKENS)}
    for token in data["added_tokens"]:
        token["content"] = ROLE_TOKENS[token["id"]]
    data["model"]["vocab"] = dict(sorted(vocabulary.items(), key=lambda item: item[1]))
    new.write_text(json.dumps(data, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _joined(ids: list[int], pair: tuple[int, int], joined: int) -> list[int]:
    """`ids` with each `pair` as one."""
    out: list[int] = []
    for id_ in ids:
        if out and (out[-1], id_) == pair:
            out[-1] = joined
        else:
            out.append(id_)
    return out


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
