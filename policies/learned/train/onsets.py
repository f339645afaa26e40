"""Trains the ear for backchannels (`policies.onset`) on synthetic speech and writes its weights as a module of numbers.

    python -m policies.learned.train.onsets --clips FOLDER --out policies/onset_weights.py

Clips are made by `onset_speech` and kept in FOLDER. Each is heard several times, at several levels, in noise, half of
them through an 8 kHz mu-law line, and cut where the real detector says that speech began. Voices and phrases that are
held out are never trained on; the report is of them. numpy alone, a few minutes on one core.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray

from audio.engines.silero.worker import Job, Model, State
from audio.frame import RATE_HZ
from audio.g711 import decode_mulaw, encode_mulaw
from audio.resample import resample
from audio.vad import WINDOW_SAMPLES, Edge, EdgeDetector, EdgeKind, refine
from policies import onset
from policies.learned.train.onset_speech import HELD_VOICES, Clip, is_core, is_held, load, undecided

__all__ = ["Heard", "hear", "rates", "train", "write"]

Net = tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float
]

LOOK = onset.LOOK_MS * RATE_HZ // 1000
SILENCE = 6_400
"""0.4 s of line noise before each clip: the detector has settled by then."""
LOOK_BACK_WINDOWS = 5
"""As the ears of the call do (`agent_runtime.listening`)."""
JITTER = 160
"""The detector places an onset within about 10 ms; one more copy of each clip is cut that much beside it."""
TIMES_HEARD = 3
HIDDEN, NETS = 8, 4
"""Four nets of 8 hidden units are trained apart and joined to one of 32: single ones differ too much (a fifth of the
``uh-huh`` of an unknown voice, one way or the other)."""
STEPS, BATCH, RATE, DECAY, DROPPED = 1_200, 512, 0.01, 1e-3, 0.1


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """Onsets: `heads` int16[n, 2080], `label` 1.0 for a backchannel, and the clip that each is of."""

    heads: NDArray[np.int16]
    label: NDArray[np.float64]
    clips: tuple[Clip, ...]


def hear(clips: Sequence[Clip], rng: np.random.Generator, model: Model, times: int = TIMES_HEARD) -> Heard:
    """The onsets of `clips` as the detector finds them, each heard `times` times; those it misses are left out."""
    heads, kept = [], []
    for first in range(0, len(clips), 64):
        for _ in range(times):
            some = clips[first : first + 64]
            lines = [_on_the_line(clip.pcm, rng) for clip in some]
            jobs = [Job(line[: len(line) // WINDOW_SAMPLES * WINDOW_SAMPLES], State.fresh()) for line in lines]
            for clip, line, answer in zip(some, lines, model.run(jobs).value, strict=True):
                start = _start(line, answer.probabilities)
                if start is None or start + LOOK + JITTER > len(line):
                    continue
                for at in (start, start + int(rng.integers(-JITTER, JITTER))):
                    heads.append(line[at : at + LOOK])
                    kept.append(clip)
    return Heard(np.array(heads), np.array([float(clip.backchannel) for clip in kept]), tuple(kept))


def _on_the_line(pcm: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    """A clip at a level (RMS) of -34 to -12 dBFS in noise of -78 to -45 dBFS, anywhere in the detector's grid."""
    lead = SILENCE + int(rng.integers(0, WINDOW_SAMPLES))
    sound = np.concatenate((np.zeros(lead), pcm * 10 ** (rng.uniform(-14, 8) / 20), np.zeros(1_600)))
    noise = rng.normal(0, 32_768 * 10 ** (rng.uniform(-78, -45) / 20), len(sound))
    if rng.random() < 0.5:
        noise = 0.6 * np.convolve(noise, (1.0, 0.9, 0.7, 0.4), "same")
    line = np.clip(np.round(sound + noise), -32_768, 32_767).astype(np.int16)
    if rng.random() < 0.5:
        line = resample(decode_mulaw(encode_mulaw(resample(line, RATE_HZ, 8_000))), 8_000, RATE_HZ)
    return line


def _start(line: NDArray[np.int16], probabilities: NDArray[np.float32]) -> int | None:
    detector = EdgeDetector()
    for number, probability in enumerate(probabilities):
        edge = detector.push(float(probability), number * WINDOW_SAMPLES)
        if edge is not None and edge.kind is EdgeKind.START:
            return _refined(edge, line).sample if edge.decided_sample > SILENCE else None
    return None


def _refined(edge: Edge, line: NDArray[np.int16]) -> Edge:
    first = max(0, edge.sample - LOOK_BACK_WINDOWS * WINDOW_SAMPLES)
    return refine(edge, line[first : edge.decided_sample], first)


# --- training ----------------------------------------------------------------------------------------------------


def train(heard: Heard, rng: np.random.Generator, nets: int = NETS, steps: int = STEPS) -> Net:
    """The joined net. Beginnings of all lengths are learned, half of them whole."""
    # from 50 ms to 130 ms in steps of 20
    levels = np.stack([onset.band_levels(heard.heads[:, : LOOK - 320 * cut]) for cut in range(onset.N_STEPS - 1)])
    mean = np.nanmean(levels, axis=(0, 1))
    scale = 1 / (np.nanstd(levels, axis=(0, 1)) + 0.1)
    normed = np.nan_to_num((levels - mean) * scale)
    weight = np.array([_weight(clip) for clip in heard.clips])
    parts = [_one(normed, heard.label, weight, rng, steps) for _ in range(nets)]
    inner, inner_bias, outer = (np.concatenate([part[n] for part in parts], axis=-1) for n in range(3))
    return mean, scale, inner, inner_bias, outer / nets, float(np.mean([part[3][0] for part in parts]))


def _weight(clip: Clip) -> float:
    """Hums, uh-huh, okay and yeah are what can be told by sound; other agreeing words matter less, ``okay but`` not."""
    if undecided(clip.phrase):
        return 0.0
    return 1.0 if not clip.backchannel else 1.5 if is_core(clip.phrase) else 0.3


def _one(
    normed: NDArray[np.float64],
    label: NDArray[np.float64],
    weight: NDArray[np.float64],
    rng: np.random.Generator,
    steps: int,
) -> list[NDArray[np.float64]]:
    """One net by Adam (Kingma and Ba, 2014), with weight decay and dropped inputs."""
    n_lengths, n_rows, n_inputs = normed.shape
    often = np.array([0.5] + [0.5 / (n_lengths - 1)] * (n_lengths - 1))
    net = [
        rng.normal(0, n_inputs**-0.5, (n_inputs, HIDDEN)),
        np.zeros(HIDDEN),
        rng.normal(0, HIDDEN**-0.5, HIDDEN),
        np.zeros(1),
    ]
    slow = [(np.zeros_like(part), np.zeros_like(part)) for part in net]
    for step in range(1, steps + 1):
        rows = rng.integers(0, n_rows, BATCH)
        x = normed[rng.choice(n_lengths, BATCH, p=often), rows] * (rng.random((BATCH, n_inputs)) > DROPPED)
        hidden = np.tanh(x @ net[0] + net[1])
        error = (1 / (1 + np.exp(-(hidden @ net[2] + net[3]))) - label[rows]) * weight[rows] / BATCH
        back = np.outer(error, net[2]) * (1 - hidden**2)
        slopes = [
            x.T @ back + DECAY * net[0],
            back.sum(axis=0),
            hidden.T @ error + DECAY * net[2],
            error.sum(keepdims=True),
        ]
        rate = RATE * (1 - 0.9 * step / steps)
        for part, slope, (first, second) in zip(net, slopes, slow, strict=True):
            first += 0.1 * (slope - first)
            second += 0.001 * (slope**2 - second)
            part -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return net


# --- report ------------------------------------------------------------------------------------------------------


def rates(net: Net, heard: Heard, length_ms: int = onset.LOOK_MS) -> dict[float, tuple[float, float]]:
    """{share of other speech held: (share of backchannels held, logit)} at 1, 3 and 10 %."""
    found = onset.scores(onset.band_levels(heard.heads[:, : length_ms * RATE_HZ // 1000]), *net)
    use = np.array([not undecided(c.phrase) and (is_core(c.phrase) or not c.backchannel) for c in heard.clips])
    yes, no = found[use & (heard.label == 1)], found[use & (heard.label == 0)]
    limits = {share: float(np.quantile(no, 1 - share)) for share in (0.01, 0.03, 0.1)}
    return {share: (float((yes > limit).mean()), limit) for share, limit in limits.items()}


def write(net: Net, path: Path) -> None:
    """The weights as a module of numbers in text, four digits each."""
    lines = ['"""Weights of `policies.onset`, written by `policies.learned.train.onsets`; not edited by hand."""', ""]
    names = ("MEAN", "SCALE", "INNER", "INNER_BIAS", "OUTER")
    for name, values in zip(names, net[:5], strict=True):
        flat = " ".join(f"{value:.4g}" for value in np.asarray(values).ravel())
        lines += [f'{name} = """', *wrap(flat, 118, break_on_hyphens=False), '"""']
    lines.append(f"OUTER_BIAS = {net[5]:.4g}")
    path.write_text("\n".join(lines) + "\n", encoding="ascii")


def main() -> None:
    parser = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--clips", type=Path, required=True, help="folder where the clips are kept")
    parser.add_argument("--out", type=Path, required=True, help="the module of numbers to write")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    clips, model = load(options.clips), Model()
    parts = {
        "trained on": [c for c in clips if c.voice not in HELD_VOICES and not is_held(c.phrase)],
        "new voices": [c for c in clips if c.voice in HELD_VOICES and not is_held(c.phrase)],
        "new phrases": [c for c in clips if c.voice not in HELD_VOICES and is_held(c.phrase)],
        "both new": [c for c in clips if c.voice in HELD_VOICES and is_held(c.phrase)],
    }
    heard = {name: hear(part, rng, model) for name, part in parts.items()}
    net = train(heard["trained on"], rng)
    for name, some in heard.items():
        for length_ms in (70, 90, 130):
            found = rates(net, some, length_ms)
            shown = ", ".join(f"{yes:.0%} at {share:.0%} (logit {at:.2f})" for share, (yes, at) in found.items())
            print(f"{name}, {len(parts[name])} clips, first {length_ms} ms: backchannels held {shown} of others")
    write(net, options.out)


if __name__ == "__main__":
    main()
