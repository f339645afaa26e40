"""The echo guard on made sounds: the ring of what was sent, the delay, the gain, and somebody else's voice."""

from __future__ import annotations

from typing import Any

import numpy as np

from audio.echo import NEEDS_SAMPLES, EchoGuard, EchoSettings, FarEnd

WINDOW = 512


def babble(seed: int, n_samples: int) -> Any:
    """float64[n]: syllables of 60 to 300 ms of noise in changing bands, as loud as speech at -20 dBFS, with gaps."""
    random = np.random.default_rng(seed)
    out = np.zeros(n_samples)
    first = 0
    while first < n_samples:
        length = 2 * int(random.integers(480, 2_400))
        hz = np.fft.rfftfreq(length, 1 / 16_000)
        shape = sum(np.exp(-(((hz - random.uniform(200, 3_300)) / 250) ** 2)) for _ in range(2))
        sound = np.fft.irfft(np.fft.rfft(random.standard_normal(length)) * shape) * np.hanning(length)
        sound *= 3_276 / sound.std()
        out[first : first + length] = sound[: n_samples - first]
        first += length + int(random.integers(0, 1_600))
    return out


def line(delay: int = 2_500, gain: float = 0.25, n_samples: int = 32_000) -> tuple[Any, Any]:
    """int16[n] of a far end that begins to speak after half a second, and its echo over a quiet line."""
    far = np.concatenate((np.zeros(8_000), babble(1, n_samples - 8_000)))
    near = np.random.default_rng(9).standard_normal(n_samples) * 10
    near[delay:] += gain * far[:-delay]
    return far.astype(np.int16), near


def explained(guard: EchoGuard, ring: FarEnd, far: Any, near: Any) -> list[bool]:
    """The guard's answer for each window."""
    near = near.astype(np.int16)
    found = []
    for end in range(WINDOW, len(near) + 1, WINDOW):
        ring.add(far[end - WINDOW : end], end - WINDOW)
        found.append(guard.explains(near[max(0, end - NEEDS_SAMPLES) : end], end))
    return found


def loud(sound: Any, level: float = 1_000) -> list[int]:
    """The windows that hold sound of that mean size."""
    return [n for n in range(len(sound) // WINDOW) if np.abs(sound[n * WINDOW : (n + 1) * WINDOW]).mean() > level]


def test_the_ring_keeps_two_seconds_in_their_places() -> None:
    ring, sent = FarEnd(), np.arange(1, 60_001).astype(np.int16)
    for first in range(0, 60_000, 320):
        ring.add(sent[first : first + 320], first)
    end = 60_160  # the last frame was short, and is
    assert np.array_equal(ring.between(40_000, 59_000), sent[40_000:59_000])
    assert not ring.between(0, 1_000).any(), "forgotten"
    assert not ring.between(60_000, end).any(), "not sent yet"
    ring.add(sent[:320], 61_000)
    assert not ring.between(60_000, 61_000).any(), "nothing was sent between"
    assert np.array_equal(ring.between(60_900, 61_400)[100:420], sent[:320])
    ring.add(sent[:320], 500_000)
    assert np.count_nonzero(ring.between(500_320 - 32_768, 500_320)) == 320
    assert (ring.sounded_after(500_319), ring.sounded_after(500_320)) == (True, False)


def test_an_echo_is_explained_and_its_delay_and_loss_are_found() -> None:
    far, near = line()
    ring = FarEnd()
    guard = EchoGuard(ring)
    found = explained(guard, ring, far, near)
    assert np.mean([found[n] for n in loud(near, 200)]) > 0.95
    assert guard.lag_hops in (9, 10), "2,500 samples are 9.8 hops"
    assert abs(guard.gain_db + 12) < 2


def test_somebody_else_over_the_echo_is_not_explained() -> None:
    far, near = line()
    other = babble(2, 12_800)
    near[16_000:28_800] += other
    ring = FarEnd()
    found = explained(EchoGuard(ring), ring, far, near)
    theirs = [32 + n for n in loud(other)[1:]]  # 32 windows are the 16,000 samples before it
    assert np.mean([found[n] for n in theirs]) < 0.15


def test_without_an_echo_nothing_is_explained() -> None:
    far, _ = line()
    near = np.random.default_rng(9).standard_normal(len(far)) * 10
    near[16_000:28_800] += babble(2, 12_800)
    ring = FarEnd()
    guard = EchoGuard(ring)
    found = explained(guard, ring, far, near)
    assert not any(found[n] for n in loud(near) if n > 32), "the window where it begins may be silence"


def test_where_we_are_silent_nothing_is_asked() -> None:
    ring = FarEnd()
    guard = EchoGuard(ring, EchoSettings(longest_ms=160))
    near = babble(3, NEEDS_SAMPLES).astype(np.int16)
    assert not guard.explains(near, 32_000)
    ring.add(near[:320], 10_000)
    assert guard.possible(10_320 + 160 * 16)
    assert not guard.possible(10_320 + 160 * 16 + 1_024)
    assert guard.sounds(10_320)
    assert not guard.sounds(10_320 + 512)


def test_on_a_line_that_was_quiet_while_we_spoke_more_likeness_is_asked_for() -> None:
    far, near = line()
    noisy = (near + np.random.default_rng(4).standard_normal(len(near)) * 250).astype(np.int16)
    first = []
    for quiet_windows in (0, 100):
        ring = FarEnd()
        ring.add(far[:12_800], 0)
        guard = EchoGuard(ring)
        for _ in range(quiet_windows):
            guard.quiet()
        ends = range(10_752, 12_800, WINDOW)
        first.append(next(end for end in ends if guard.explains(noisy[:end][-NEEDS_SAMPLES:], end)))
    assert first[0] < first[1], "believed in later"


def test_a_sound_louder_than_what_we_sent_is_no_echo() -> None:
    far, near = line(gain=1.0)
    ring = FarEnd()
    found = explained(EchoGuard(ring), ring, far // 20, near)
    assert np.mean([found[n] for n in loud(near)]) < 0.1, "it would be 26 dB louder"


def test_a_line_that_lost_its_count_is_compared_afresh() -> None:
    far, near = line()
    ring = FarEnd()
    guard = EchoGuard(ring)
    explained(guard, ring, far[:16_000], near[:16_000])
    ring.add(far[16_000:24_000], 16_000)
    near = near.astype(np.int16)
    for end in (20_480 + 100, 21_000, 20_992, 23_040):
        assert guard.explains(near[end - NEEDS_SAMPLES : end], end) == EchoGuard(ring).explains(
            near[end - NEEDS_SAMPLES : end], end
        )
