"""The training recipe, one command: simulated calls are learned as they come, the model's own calls are corrected.

    python -m policies.learned.train.recipe --steps 4000 --seed 0 --out runs/core

New calls are never seen twice. Hidden matrices by Muon, embedding and norms by AdamW, flat and then linear to zero over
the last part of the run; a model before that anneal talks nonsense. The run goes in rounds: while one round is learned,
a coach plays calls with the weights that the round began with, and an expert corrects them (`corrections`); they are
learned in the rounds after. Calls follow from the seed and the number of steps, not from the speed of the machine nor
from the number of processes. Where there is a GPU it is used, a larger model (``--size``) and more processes
(``--makers --coaches``) are worth their time there; none of it is needed. This is a worker: it may read the clock.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from random import Random

import numpy as np
import torch

from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.coach import Coach
from policies.learned.train.companies import vocabulary as companies
from policies.learned.train.dialogue import Line, expert_call
from policies.learned.train.export import export, restore
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.learner import Batch, Learner, batches, learning_rate, padded
from policies.learned.train.lessons import Lessons, row_of, texts
from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.learned.train.supply import Supply
from policies.learned.train.vocabulary import extend_vocabulary, learn_vocabulary, said_words

__all__ = ["SIZES", "grown", "heldout_rows", "main", "train"]

SAVE_EVERY_S = 240.0

SIZES: Mapping[str, CoreShape] = {
    "boxed": CoreShape(),
    "large": CoreShape(
        hidden_size=192, num_hidden_layers=8, num_attention_heads=3, num_key_value_heads=1, intermediate_size=576
    ),
}
"""Shapes to begin with from nothing, 1.3 and 3.6 million parameters at 1,152 entries."""


def heldout_rows(tokenizer: Tokenizer, calls: int = 48) -> list[Batch]:
    """Front-desk calls with unseen wordings and names and 5 % word errors; only what the agent writes counts."""
    rng = Random(99_991)
    rows = [row_of(expert_call(rng, wordings=HELDOUT, line=Line(0.05)), tokenizer, rng) for _ in range(calls)]
    rows.sort(key=lambda row: len(row.ids))
    rows = [row._replace(weights=np.where(row.weights >= 0.99, row.weights, 0).astype(np.float32)) for row in rows]
    return [padded(rows[at : at + 12]) for at in range(0, calls, 12)]


def train(options: argparse.Namespace) -> None:
    """Run the recipe for `options.steps`; checkpoints on the way, the finished folder at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    init = Path(options.init) if options.init else None
    model = _begin(init, out / "tokenizer.json", options.vocabulary, SIZES[options.size]).to(options.device)
    learner = Learner(model, out, options.lr, options.lr_embedding)
    if options.resume and (out / "checkpoint.pt").exists():
        learner.resume()
    # a resumed run must not see its calls again: the seed moves with the steps made
    rng = Random(options.seed * 1_000_003 + learner.steps)
    supply = Supply(out, options.seed, first=learner.blocks, makers=options.makers)
    lessons = Lessons(supply, rng, corrected_share=options.corrected_share, rounds_kept=options.rounds_kept)
    words = sorted({*said_words(), *companies.said_words()})
    played = {"calls": options.round_calls, "processes": options.coaches}
    coach = Coach(out, words, options.seed, **played) if options.round_calls else None
    shape = {"parameters": sum(p.numel() for p in model.parameters()), **asdict(model.shape)}
    print(json.dumps({"device": str(learner.device), **shape}), flush=True)
    try:
        _run(options, learner, lessons, supply, batches(lessons, rng, options.batch_tokens), coach)
    finally:
        supply.close()
        if coach is not None:
            coach.close()
    learner.save()
    export(model, out)
    (out / "lexicon.txt").write_text("\n".join(words) + "\n", "utf-8")


def _device(name: str) -> torch.device:
    """`name`, or for ``auto`` the GPU where there is one; an error of the command line for one that is not there."""
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise argparse.ArgumentTypeError(
            f"{name}: torch {torch.__version__} sees no GPU here; leave it out for the CPU"
        )
    return torch.device(name if name != "auto" else "cuda" if torch.cuda.is_available() else "cpu")


def _begin(init: Path | None, vocabulary: Path, size: int, shape: CoreShape) -> TorchCore:
    """The model to start from, and its vocabulary in the file `vocabulary`, which is made where it is missing."""
    if init is None:
        if not vocabulary.exists():
            learn_vocabulary(vocabulary, texts(6000, seed=7), size=size)
        return TorchCore(replace(shape, vocab_size=size))
    old = Tokenizer.load(init)
    if not vocabulary.exists():
        if old.size < size:
            extend_vocabulary(init / "tokenizer.json", vocabulary, texts(6000, seed=7), size=size)
        else:
            vocabulary.write_bytes((init / "tokenizer.json").read_bytes())
    return grown(restore(init), old, Tokenizer.load(vocabulary))


def grown(model: TorchCore, old: Tokenizer, new: Tokenizer) -> TorchCore:
    """`model` with a row for each id that `new` has beyond `old`: the mean of the rows that spelled it before."""
    if new.size == old.size:
        return model
    state = model.state_dict()
    rows = [state["embedding.weight"]]
    for id_ in range(old.size, new.size):
        rows.append(rows[0][old.encode(new.decode([id_]))].mean(0, keepdim=True))
    wider = TorchCore(replace(model.shape, vocab_size=new.size))
    wider.load_state_dict(state | {"embedding.weight": torch.cat(rows)})
    return wider


def _run(
    options: argparse.Namespace,
    learner: Learner,
    lessons: Lessons,
    supply: Supply,
    source: Iterator[Batch],
    coach: Coach | None,
) -> None:
    tests = heldout_rows(Tokenizer.load(options.out))
    begun = saved = time.monotonic()
    before_s = learner.seconds
    smooth = 0.0
    while learner.steps < options.steps:
        if coach is not None and learner.steps % options.round_steps == 0 and learner.steps >= options.coached_from:
            played = coach.turn(learner.model, learner.steps // options.round_steps)
            if played.rows:
                lessons.correct(played.rows)
                each = played.mistakes / len(played.rows)
                print(f"  corrected {len(played.rows)} calls, {each:.2f} mistakes a call", flush=True)
        factor = learning_rate(learner.steps / options.steps, learner.steps, options.anneal)
        loss = learner.learn(next(source), factor)
        smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
        learner.seconds, learner.blocks = before_s + time.monotonic() - begun, supply.opened
        if learner.steps % options.report_steps == 0:
            print(
                f"step {learner.steps} tokens {learner.tokens / 1e6:.2f}M seconds {learner.seconds:.0f} "
                f"tok/s {learner.tokens / learner.seconds:.0f} lr x{factor:.2f} loss {smooth:.4f}",
                flush=True,
            )
        if learner.steps % (10 * options.report_steps) == 0 or learner.steps == options.steps:
            print(f"  held-out agent loss {learner.loss(tests):.4f}", flush=True)
        if time.monotonic() - saved > SAVE_EVERY_S:
            saved = time.monotonic()
            learner.save()


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.recipe", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--steps", type=int, default=4000, help="optimiser steps of the whole run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="folder for the model and its checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--init", default="", help="start from the weights and vocabulary of a finished run's folder")
    parser.add_argument("--vocabulary", type=int, default=1152, help="entries of the vocabulary; --init grows up to it")
    parser.add_argument("--size", choices=SIZES, default="boxed", help="of a model from nothing")
    parser.add_argument("--device", type=_device, default="auto", help="cpu, cuda, or auto: the GPU where there is one")
    parser.add_argument("--makers", type=int, default=0, help="processes that make new calls; 0: the learner's own")
    parser.add_argument("--coaches", type=int, default=1, help="processes that play and correct calls")
    parser.add_argument("--anneal", type=float, default=0.5, help="share of the run in which the rates fall to zero")
    parser.add_argument("--lr", type=float, default=0.02, help="of hidden matrices (Muon)")
    parser.add_argument("--lr-embedding", type=float, default=0.004, help="of embedding and norms (AdamW)")
    parser.add_argument("--batch-tokens", type=int, default=4096, help="tokens of a batch, padding included")
    parser.add_argument("--round-steps", type=int, default=150, help="steps between two rounds of corrected calls")
    parser.add_argument("--coached-from", type=int, default=0, help="step of the first round: babble is slow to play")
    parser.add_argument("--round-calls", type=int, default=160, help="calls played and corrected a round; 0: none")
    parser.add_argument("--rounds-kept", type=int, default=3, help="rounds whose corrected calls are drawn from")
    parser.add_argument("--report-steps", type=int, default=25, help="steps between two lines of the report")
    parser.add_argument("--corrected-share", type=float, default=0.4, help="share of corrected calls among the rows")
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
