"""The training recipe, one command: simulated calls are learned as they come, the model's own calls are corrected.

    python -m policies.learned.train.recipe --steps 4000 --seed 0 --out runs/core

New calls are never seen twice. Hidden matrices by Muon, embedding and norms by AdamW, flat and then linear to zero over
the last part of the run; a model before that anneal talks nonsense. The run goes in rounds: while one round is learned,
a second process plays calls with the weights that the round began with, and an expert corrects them (`corrections`);
they are learned in the rounds after. Everything follows from the seed and the number of steps, not from the speed of
the machine. This is a worker: it may read the clock.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from policies.learned.core.model import CoreConfig
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies import vocabulary as companies
from policies.learned.train.dialogue import Line, expert_call
from policies.learned.train.export import export, restore, tensors_of
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.lessons import Lessons, Row, corrected_rows, row_of, texts
from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.learned.train.muon import Muon
from policies.learned.train.vocabulary import extend_vocabulary, learn_vocabulary, said_words

__all__ = ["Batch", "batches", "main", "padded", "weighted_loss"]

POOL_ROWS = 512
"""Rows sorted by length at a time, so that a batch holds calls of one length and little padding."""
LONGEST_ROW = 640
"""Tokens of a row; what stands behind them is cut. Calls are 300 tokens long, longer ones are loops."""
SAVE_EVERY_S = 240.0

Rows = tuple[list[Row], int]


class Batch(NamedTuple):
    """Rows side by side, [rows, longest] each; see `Row`."""

    ids: torch.Tensor
    wanted: torch.Tensor
    weights: torch.Tensor


def batches(lessons: Lessons, rng: Random, batch_tokens: int) -> Iterator[Batch]:
    """Endless batches, about `batch_tokens` each with padding."""
    while True:
        pool = sorted(lessons.draw(POOL_ROWS, LONGEST_ROW), key=lambda row: len(row.ids))
        groups: list[list[Row]] = [[]]
        for row in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(row.ids) > batch_tokens:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        for group in groups:
            yield padded(group)


def padded(rows: list[Row]) -> Batch:
    """Rows as tensors [rows, longest]; padding has weight 0."""
    length = max(len(row.ids) for row in rows)
    batch = Batch(
        torch.zeros(len(rows), length, dtype=torch.int64),
        torch.zeros(len(rows), length, dtype=torch.int64),
        torch.zeros(len(rows), length),
    )
    for index, row in enumerate(rows):
        length = len(row.ids)
        batch.ids[index, :length] = torch.from_numpy(row.ids)
        batch.wanted[index, :length] = torch.from_numpy(row.wanted)
        batch.weights[index, :length] = torch.from_numpy(row.weights)
    return batch


def weighted_loss(model: TorchCore, batch: Batch) -> torch.Tensor:
    """Mean next-token loss in nats, by weight."""
    hidden = model.hidden(batch.ids[:, :-1])
    weights = batch.weights[:, 1:].reshape(-1)
    used = weights.nonzero().squeeze(1)
    logits = functional.linear(hidden.reshape(-1, hidden.shape[-1])[used], model.embedding.weight)
    losses = functional.cross_entropy(logits, batch.wanted[:, 1:].reshape(-1)[used], reduction="none")
    return (losses * weights[used]).sum() / weights.sum()


def heldout_rows(tokenizer: Tokenizer, calls: int = 48) -> list[Batch]:
    """Front-desk calls with unseen wordings and names and 5 % word errors; only what the agent writes counts."""
    rng = Random(99_991)
    rows = [row_of(expert_call(rng, wordings=HELDOUT, line=Line(0.05)), tokenizer, rng) for _ in range(calls)]
    rows.sort(key=lambda row: len(row.ids))
    rows = [row._replace(weights=np.where(row.weights >= 0.99, row.weights, 0).astype(np.float32)) for row in rows]
    return [padded(rows[at : at + 12]) for at in range(0, calls, 12)]


def heldout_loss(model: TorchCore, tests: list[Batch]) -> float:
    """Mean loss on `tests`, by weight."""
    with torch.no_grad():
        losses = [(weighted_loss(model, batch).item(), batch.weights[:, 1:].sum().item()) for batch in tests]
    return sum(loss * weight for loss, weight in losses) / sum(weight for _, weight in losses)


def learning_rate(done: float, step: int, anneal: float = 0.5) -> float:
    """Factor on the learning rates: 30 steps of warm-up, flat, linear to zero over the last `anneal` of the run."""
    return min(1.0, (step + 1) / 30, max(0.0, (1.0 - done) / anneal))


class Learner:
    """Model, optimisers and progress of one run, and its checkpoint in `out`."""

    def __init__(self, model: TorchCore, out: Path, lr: float, lr_embedding: float) -> None:
        self.model, self._out = model, out
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
        others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
        self._optimisers: dict[str, tuple[torch.optim.Optimizer, float]] = {
            "muon": (Muon(matrices, lr=lr), lr),
            "adam": (torch.optim.AdamW(others, lr=lr_embedding, betas=(0.9, 0.95), weight_decay=0.0), lr_embedding),
        }
        self.steps = self.tokens = 0
        self.seconds = 0.0

    def learn(self, batch: Batch, factor: float) -> float:
        """One step at `factor` of the learning rates; gives the loss before it."""
        loss = weighted_loss(self.model, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser, rate in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad()
        self.steps += 1
        self.tokens += int((batch.ids != 0).sum())
        return loss.item()

    def save(self) -> None:
        """Write the checkpoint; never half of one."""
        state: dict[str, Any] = {name: one.state_dict() for name, (one, _) in self._optimisers.items()}
        progress = {"steps": self.steps, "tokens": self.tokens, "seconds": self.seconds}
        torch.save(state | {"model": self.model.state_dict(), "progress": progress}, self._out / "checkpoint.new")
        (self._out / "checkpoint.new").replace(self._out / "checkpoint.pt")

    def resume(self) -> None:
        """Go on from the checkpoint in `out`."""
        saved = torch.load(self._out / "checkpoint.pt", weights_only=True)
        self.model.load_state_dict(saved["model"])
        for name, (optimiser, _) in self._optimisers.items():
            optimiser.load_state_dict(saved[name])
        self.steps, self.tokens = saved["progress"]["steps"], saved["progress"]["tokens"]
        self.seconds = saved["progress"]["seconds"]


class Coach:
    """The second process: plays and corrects one round's calls at a time, with the weights it is handed."""

    def __init__(self, out: Path, words: list[str], seed: int, calls: int) -> None:
        self._out, self._words, self._seed, self._calls = out, words, seed, calls
        self._workers = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._round: Future[Rows] | None = None

    def turn(self, model: TorchCore, number: int) -> Rows:
        """The last round's rows, once they are done; starts round `number` with the weights of `model`."""
        rows: Rows = self._round.result() if self._round is not None else ([], 0)
        config = CoreConfig(**{name: getattr(model.shape, name) for name in CoreConfig.__dataclass_fields__})
        tensors = {name: array.copy() for name, array in tensors_of(model).items()}
        arguments = (config, tensors, str(self._out), self._words, self._seed * 1009 + number, self._calls)
        self._round = self._workers.submit(corrected_rows, *arguments)
        return rows

    def close(self) -> None:
        """End the process; a round in progress is dropped."""
        self._workers.shutdown(wait=False, cancel_futures=True)


def train(options: argparse.Namespace) -> None:
    """Run the recipe for `options.steps`; checkpoints on the way, the finished folder at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    model = _begin(Path(options.init) if options.init else None, out / "tokenizer.json", options.vocabulary)
    tokenizer = Tokenizer.load(out)
    learner = Learner(model, out, options.lr, options.lr_embedding)
    if options.resume and (out / "checkpoint.pt").exists():
        learner.resume()
    # a resumed run must not see its calls again: the seed moves with the steps made
    rng = Random(options.seed * 1_000_003 + learner.steps)
    lessons = Lessons(tokenizer, rng, corrected_share=options.corrected_share)
    source = batches(lessons, rng, options.batch_tokens)
    words = sorted({*said_words(), *companies.said_words()})
    coach = Coach(out, words, options.seed, options.round_calls) if options.round_calls else None
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), **asdict(model.shape)}), flush=True)
    try:
        _run(options, learner, lessons, source, coach, heldout_rows(tokenizer))
    finally:
        if coach is not None:
            coach.close()
    learner.save()
    export(model, out)
    (out / "lexicon.txt").write_text("\n".join(words) + "\n", "utf-8")


def _begin(init: Path | None, vocabulary: Path, size: int) -> TorchCore:
    """The model to start from, and its vocabulary in the file `vocabulary`, which is made where it is missing."""
    if init is None:
        if not vocabulary.exists():
            learn_vocabulary(vocabulary, texts(6000, seed=7), size=size)
        return TorchCore(CoreShape(vocab_size=size))
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
    source: Iterator[Batch],
    coach: Coach | None,
    tests: list[Batch],
) -> None:
    begun = saved = time.monotonic()
    before_s = learner.seconds
    smooth = 0.0
    while learner.steps < options.steps:
        if coach is not None and learner.steps % options.round_steps == 0:
            rows, mistakes = coach.turn(learner.model, learner.steps // options.round_steps)
            if rows:
                lessons.correct(rows)
                print(f"  corrected {len(rows)} calls, {mistakes / len(rows):.2f} mistakes a call", flush=True)
        factor = learning_rate(learner.steps / options.steps, learner.steps, options.anneal)
        loss = learner.learn(next(source), factor)
        smooth = 0.98 * smooth + 0.02 * loss if smooth else loss
        learner.seconds = before_s + time.monotonic() - begun
        if learner.steps % 25 == 0:
            print(
                f"step {learner.steps} tokens {learner.tokens / 1e6:.2f}M seconds {learner.seconds:.0f} "
                f"tok/s {learner.tokens / learner.seconds:.0f} lr x{factor:.2f} loss {smooth:.4f}",
                flush=True,
            )
        if learner.steps % 250 == 0 or learner.steps == options.steps:
            print(f"  held-out agent loss {heldout_loss(learner.model, tests):.4f}", flush=True)
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
    parser.add_argument("--anneal", type=float, default=0.5, help="share of the run in which the rates fall to zero")
    parser.add_argument("--lr", type=float, default=0.02, help="of hidden matrices (Muon)")
    parser.add_argument("--lr-embedding", type=float, default=0.004, help="of embedding and norms (AdamW)")
    parser.add_argument("--batch-tokens", type=int, default=4096, help="tokens of a batch, padding included")
    parser.add_argument("--round-steps", type=int, default=150, help="steps between two rounds of corrected calls")
    parser.add_argument("--round-calls", type=int, default=160, help="calls played and corrected a round; 0: none")
    parser.add_argument("--corrected-share", type=float, default=0.4, help="share of corrected calls among the rows")
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
