"""The training recipe, one command and one process: calls are simulated, packed and learned as they come.

    python -m policies.learned.train.recipe --minutes 60 --seed 0 --out runs/front_desk

No call is ever seen twice. Hidden matrices by Muon, embedding and norms by AdamW, flat and then linear to zero over
the last half of the time; a model before that anneal talks nonsense. This is a worker: it may read the clock.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np
import torch
from torch.nn import functional

from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Call, Line, expert_call
from policies.learned.train.export import export, restore
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.learned.train.muon import Muon
from policies.learned.train.vocabulary import learn_vocabulary, said_words

__all__ = ["Row", "batches", "main", "row_of"]

Row = tuple[np.ndarray, np.ndarray]
"""Token ids int64[n] and the loss weight of each token float32[n]."""

SLIP_RATE = 0.07
"""Share of fresh values that the expert notes wrongly; about every sixth call holds such a slip."""
STUMBLE_RATE = 0.04
"""Share of turns that go wrong as a whole, see `expert.Expert`."""
RESTLESS = 1.8
"""How much more often than in a test a caller does something else than answer, see `simulator.Caller`."""
POOL_CALLS = 512
"""Calls sorted by length at a time, so that a batch holds calls of one length and little padding."""


def row_of(call: Call, tokenizer: Tokenizer) -> Row:
    """Ids of the whole call and the weight of each of them."""
    ids: list[int] = []
    weights: list[float] = []
    for segment, weight in zip(call.segments, call.weights, strict=True):
        ids.append(tokenizer.special[str(segment.role)])
        weights.append(weight.role)
        words = tokenizer.encode(" " + segment.text) if segment.text else []
        ids += words
        weights += [weight.words] * len(words)
        if segment.close is not None:
            ids.append(tokenizer.special[str(segment.close)])
            weights.append(weight.close)
    return np.array(ids, np.int64), np.array(weights, np.float32)


def training_call(rng: Random) -> Call:
    """One call of the training stream."""
    return expert_call(rng, slip_rate=SLIP_RATE, stumble_rate=STUMBLE_RATE, restless=RESTLESS)


def batches(
    tokenizer: Tokenizer, rng: Random, batch_tokens: int, longest: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Endless batches of ids and weights, [rows, length] each, about `batch_tokens` with padding."""
    while True:
        pool = [row_of(training_call(rng), tokenizer) for _ in range(POOL_CALLS)]
        pool = sorted(((ids[:longest], weights[:longest]) for ids, weights in pool), key=lambda row: len(row[0]))
        groups: list[list[Row]] = [[]]
        for row in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(row[0]) > batch_tokens:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        for group in groups:
            yield padded(group)


def padded(rows: list[Row]) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows as two tensors [rows, longest]; padding has weight 0."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    weights = torch.zeros(len(rows), length)
    for index, (row, weight) in enumerate(rows):
        ids[index, : len(row)] = torch.from_numpy(row)
        weights[index, : len(row)] = torch.from_numpy(weight)
    return ids, weights


def weighted_loss(model: TorchCore, ids: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mean next-token loss in nats, by weight."""
    hidden = model.hidden(ids[:, :-1])
    wanted = weights[:, 1:].reshape(-1)
    used = wanted.nonzero().squeeze(1)
    logits = functional.linear(hidden.reshape(-1, hidden.shape[-1])[used], model.embedding.weight)
    losses = functional.cross_entropy(logits, ids[:, 1:].reshape(-1)[used], reduction="none")
    return (losses * wanted[used]).sum() / wanted.sum()


def heldout_rows(tokenizer: Tokenizer, calls: int = 48) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Calls with unseen wordings and names and 5 % word errors; only what the agent writes counts."""
    rng = Random(99_991)
    rows = [row_of(expert_call(rng, wordings=HELDOUT, line=Line(0.05)), tokenizer) for _ in range(calls)]
    rows.sort(key=lambda row: len(row[0]))
    rows = [(ids, np.where(weights >= 0.99, weights, 0).astype(np.float32)) for ids, weights in rows]
    return [padded(rows[at : at + 12]) for at in range(0, calls, 12)]


def learning_rate(done: float, step: int, anneal: float = 0.5) -> float:
    """Factor on the learning rates: 30 steps of warm-up, flat, linear to zero over the last `anneal` of the run."""
    return min(1.0, (step + 1) / 30, max(0.0, (1.0 - done) / anneal))


def train(options: argparse.Namespace) -> None:
    """Run the recipe for `options.minutes`; writes a checkpoint every 5 minutes and the folder at the end."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    out = Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "tokenizer.json").exists():
        if options.init:
            (out / "tokenizer.json").write_bytes((Path(options.init) / "tokenizer.json").read_bytes())
        else:
            learn_vocabulary(out / "tokenizer.json")
    tokenizer = Tokenizer.load(out / "tokenizer.json")
    model = restore(Path(options.init)) if options.init else TorchCore(CoreShape(vocab_size=tokenizer.size))
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
    muon = Muon(matrices, lr=options.lr)
    adam = torch.optim.AdamW(others, lr=options.lr_embedding, betas=(0.9, 0.95), weight_decay=0.0)
    progress = {"step": 0, "tokens": 0, "seconds": 0.0, "pool": 0}
    if options.resume and (out / "checkpoint.pt").exists():
        saved = torch.load(out / "checkpoint.pt", weights_only=True)
        model.load_state_dict(saved["model"])
        muon.load_state_dict(saved["muon"])
        adam.load_state_dict(saved["adam"])
        progress = saved["progress"]
    # a resumed run must not see its calls again: the seed moves with the steps made
    rng = Random(options.seed * 1_000_003 + int(progress["step"]))
    source = batches(tokenizer, rng, options.batch_tokens, model.shape.max_position_embeddings)
    tests = heldout_rows(tokenizer)
    begun = time.monotonic() - progress["seconds"]
    saved_at = time.monotonic()
    smooth = None
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters()), **asdict(model.shape)}), flush=True)
    while True:
        progress["seconds"] = time.monotonic() - begun
        done = progress["seconds"] / (60.0 * options.minutes)
        if done >= 1.0:
            break
        factor = learning_rate(done, int(progress["step"]), options.anneal)
        for optimiser, rate in ((muon, options.lr), (adam, options.lr_embedding)):
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
        ids, weights = next(source)
        loss = weighted_loss(model, ids, weights)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        muon.step()
        adam.step()
        muon.zero_grad()
        adam.zero_grad()
        progress["step"] += 1
        progress["tokens"] += int((ids != 0).sum())
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if progress["step"] % 25 == 0:
            print(_line(progress, smooth, begun, factor), flush=True)
        if progress["step"] % 250 == 0:
            print(f"  held-out agent loss {heldout_loss(model, tests):.4f}", flush=True)
        if time.monotonic() - saved_at > 300:
            saved_at = time.monotonic()
            _save(out, model, muon, adam, progress)
    _save(out, model, muon, adam, progress)
    export(model, out)
    (out / "lexicon.txt").write_text("\n".join(said_words()) + "\n", "utf-8")
    print(
        f"{_line(progress, smooth or 0.0, begun, 0.0)} held-out agent loss {heldout_loss(model, tests):.4f}", flush=True
    )


def heldout_loss(model: TorchCore, tests: list[tuple[torch.Tensor, torch.Tensor]]) -> float:
    """Mean loss on `tests`, by weight."""
    with torch.no_grad():
        losses = [(weighted_loss(model, ids, weights).item(), weights[:, 1:].sum().item()) for ids, weights in tests]
    return sum(loss * weight for loss, weight in losses) / sum(weight for _, weight in losses)


def _line(progress: dict[str, float], loss: float, begun: float, factor: float) -> str:
    seconds = time.monotonic() - begun
    return (
        f"step {int(progress['step'])} tokens {progress['tokens'] / 1e6:.2f}M seconds {seconds:.0f} "
        f"tok/s {progress['tokens'] / seconds:.0f} lr x{factor:.2f} loss {loss:.4f}"
    )


def _save(out: Path, model: TorchCore, muon: Muon, adam: torch.optim.Optimizer, progress: dict[str, float]) -> None:
    state = {"model": model.state_dict(), "muon": muon.state_dict(), "adam": adam.state_dict(), "progress": progress}
    torch.save(state, out / "checkpoint.new")
    (out / "checkpoint.new").replace(out / "checkpoint.pt")


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.recipe", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--minutes", type=float, default=60.0, help="wall time to train, simulation included")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", required=True, help="folder for the model and its checkpoint")
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in --out")
    parser.add_argument("--init", default="", help="start from the weights and vocabulary of a finished run's folder")
    parser.add_argument("--anneal", type=float, default=0.5, help="share of the run in which the rates fall to zero")
    parser.add_argument("--lr", type=float, default=0.02, help="of hidden matrices (Muon)")
    parser.add_argument("--lr-embedding", type=float, default=0.004, help="of embedding and norms (AdamW)")
    parser.add_argument("--batch-tokens", type=int, default=4608, help="tokens of a batch, padding included")
    train(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
