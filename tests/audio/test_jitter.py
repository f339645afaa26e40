"""The jitter buffer: nothing in order waits, holes cost 40 ms once, and its line has no seams."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.jitter import Gap, GapReason, JitterBuffer, JitterError, JitterSettings, Sound

Item = Sound[int] | Gap
TICKS = 160


def sound(n: int) -> Sound[int]:
    return Sound(n * TICKS, TICKS, n)


def drive(
    packets: list[tuple[int, float]], until_s: float = 0.0, first: int = 0, buffer: JitterBuffer[int] | None = None
) -> tuple[list[tuple[float, Item]], JitterBuffer[int]]:
    """Feeds (number, arrival) and asks whenever something is due: (time out, item)."""
    buffer = buffer or JitterBuffer[int]()
    out: list[tuple[float, Item]] = []

    def ask_until(now_s: float) -> None:
        while (due_s := buffer.due_s) is not None and due_s < now_s:
            got = buffer.get(due_s + 1e-9)
            assert got, "what is due is there"
            out.extend((due_s, item) for item in got)

    for number, arrival_s in sorted(packets, key=lambda p: p[1]):
        ask_until(arrival_s)
        buffer.put((first + number) & 0xFFFF, (first * 977 + number * TICKS) & 0xFFFFFFFF, number, arrival_s)
        out.extend((arrival_s, item) for item in buffer.get(arrival_s))
    ask_until(until_s)
    return out, buffer


def on_time(count: int, *, without: tuple[int, ...] = (), transit_s: float = 0.05) -> list[tuple[int, float]]:
    return [(n, n * 0.02 + transit_s) for n in range(count) if n not in without]


def assert_seamless(items: list[Item]) -> None:
    assert items[0].first_tick == 0
    for before, after in itertools.pairwise(items):
        assert after.first_tick == before.first_tick + before.n_ticks
    assert all(item.n_ticks > 0 for item in items)


def test_nothing_in_order_waits() -> None:
    out, buffer = drive(on_time(50))
    assert out == [(at_s, sound(n)) for n, at_s in on_time(50)]
    assert (buffer.lost, buffer.late) == (0, 0)


def test_a_swap_is_put_right() -> None:
    out, _ = drive([(0, 0.0), (2, 0.02), (1, 0.03), (3, 0.06)])
    assert out == [(0.0, sound(0)), (0.03, sound(1)), (0.03, sound(2)), (0.06, sound(3))]


def test_one_lost_packet_costs_40_ms_once_and_leaves_no_delay() -> None:
    out, buffer = drive(on_time(100, without=(20,)))
    ((at_s, gap),) = [(at_s, item) for at_s, item in out if isinstance(item, Gap)]
    assert gap == Gap(20 * TICKS, TICKS, GapReason.LOST)
    # The wait for a hole after 22 packets without any disorder, from the arrival of the packet behind it.
    assert at_s == pytest.approx(21 * 0.02 + 0.05 + 0.04 * 0.998**22)
    delays = [at_s - item.payload * 0.02 - 0.05 for at_s, item in out if isinstance(item, Sound)]
    assert max(delays) <= 0.04
    assert max(delays[25:]) == pytest.approx(0.0), "lasting delay"
    assert buffer.lost == 1


@pytest.mark.parametrize("every", [100, 33, 10, 4, 2])
def test_a_fixed_loss_pattern_leaves_no_lasting_delay(every: int) -> None:
    lost = tuple(n for n in range(1_000) if n % every == every - 1)
    out, buffer = drive(on_time(1_000, without=lost))
    assert_seamless([item for _, item in out])
    heard = [item.payload for _, item in out if isinstance(item, Sound)]
    assert heard == [n for n in range(1_000) if n not in lost][: len(heard)]
    assert len(heard) + len(lost) >= 997
    assert buffer.lost >= len(lost) - 2
    for at_s, item in out:
        if isinstance(item, Sound):
            assert at_s - item.payload * 0.02 - 0.05 <= 0.041


def test_bursts_of_loss_are_one_gap() -> None:
    out, buffer = drive(on_time(40, without=tuple(range(10, 15))))
    assert [item for _, item in out if isinstance(item, Gap)] == [Gap(10 * TICKS, 5 * TICKS, GapReason.LOST)]
    assert buffer.lost == 5


def test_waiting_adapts_to_the_disorder_of_the_stream() -> None:
    _, calm = drive(on_time(1_500))
    assert calm.wait_s == 0.005
    shaken = [(n, n * 0.02 + (0.044 if n % 50 == 7 else 0.0)) for n in range(1_500)]
    out, buffer = drive(shaken)
    assert buffer.wait_s == pytest.approx(0.03, abs=0.004), "24 ms late, a quarter more, sinking"
    assert buffer.late == 0
    assert [item for _, item in out] == [sound(n) for n in range(1_500)]


def test_too_late_is_dropped_but_teaches() -> None:
    settings = JitterSettings(most_wait_ms=30, least_wait_ms=5)
    buffer = JitterBuffer[int](settings)
    drive(on_time(1_500), buffer=buffer)
    assert buffer.wait_s == 0.005
    late = [(n, n * 0.02 + 0.05 + (0.036 if n == 1_510 else 0.0)) for n in range(1_500, 1_520)]
    out, _ = drive(late, buffer=buffer)
    assert Gap(1_510 * TICKS, TICKS, GapReason.LOST) in [item for _, item in out]
    assert buffer.late == 1
    assert buffer.wait_s == pytest.approx(0.02, abs=0.001), "16 ms after its successor, a quarter more"


def test_duplicates_are_dropped() -> None:
    out, buffer = drive([(0, 0.0), (0, 0.001), (1, 0.02), (3, 0.03), (3, 0.031), (2, 0.032)])
    assert [item for _, item in out] == [sound(n) for n in range(4)]
    assert buffer.late == 2


@pytest.mark.parametrize("first", [65_530, 65_535, 0x7FFF])
def test_counters_wrap(first: int) -> None:
    packets = on_time(20)
    packets[6], packets[7] = (7, packets[6][1]), (6, packets[7][1])
    buffer = JitterBuffer[int]()
    out: list[Item] = []
    for number, arrival_s in packets:
        buffer.put((first + number) & 0xFFFF, (2**32 - 800 + number * TICKS) % 2**32, number, arrival_s)
        out += buffer.get(arrival_s)
    assert out == [sound(n) for n in range(20)]


def test_a_sender_that_stays_silent_is_no_loss() -> None:
    buffer = JitterBuffer[int]()
    buffer.put(0, 0, 0, 0.0)
    buffer.put(1, 5 * TICKS, 1, 0.1)
    assert buffer.get(0.1) == [sound(0), Gap(TICKS, 4 * TICKS, GapReason.SILENT), Sound(5 * TICKS, TICKS, 1)]
    assert buffer.lost == 0


def test_when_nothing_comes_time_goes_on() -> None:
    out, buffer = drive(on_time(10), until_s=1.0)
    gaps = [(at_s, item) for at_s, item in out if isinstance(item, Gap)]
    assert gaps[0][0] == pytest.approx(0.05 + 10 * 0.02 + 0.2)
    assert gaps[0][1] == Gap(10 * TICKS, 8 * TICKS, GapReason.STARVED)
    assert_seamless([item for _, item in out])
    back, _ = drive([(n, 1.0) for n in range(10, 48)] + [(48, 1.02)], buffer=buffer)
    assert [item for _, item in back if isinstance(item, Sound)] == [sound(n) for n in range(42, 49)]
    assert buffer.late == 32, "what was replaced by silence comes too late"
    assert_seamless([item for _, item in out + back])


def test_a_stall_shorter_than_that_loses_nothing() -> None:
    packets = [(n, max(n * 0.02, 0.55) if n >= 20 else n * 0.02) for n in range(60)]
    out, buffer = drive(packets)
    assert [item for _, item in out] == [sound(n) for n in range(60)]
    assert out[-1][0] == pytest.approx(59 * 0.02), "and the delay is gone when the stall is"
    assert buffer.late == 0


def test_one_stray_packet_is_dropped_and_two_are_a_new_stream() -> None:
    buffer = JitterBuffer[int]()
    for n in range(10):
        buffer.put(n, n * TICKS, n, n * 0.02)
    assert len(buffer.get(0.18)) == 10
    buffer.put(40_000, 7, 99, 0.19)
    assert buffer.get(0.19) == []
    buffer.put(10, 10 * TICKS, 10, 0.2)
    assert buffer.get(0.2) == [sound(10)]
    buffer.put(50_000, 1_000_000, 0, 0.3)
    buffer.put(50_001, 1_000_000 + TICKS, 1, 0.32)
    buffer.put(50_002, 1_000_000 + 2 * TICKS, 2, 0.34)
    assert buffer.get(0.34) == [
        Gap(11 * TICKS, 800, GapReason.RESTARTED),
        Sound(11 * TICKS + 800, TICKS, 1),
        Sound(12 * TICKS + 800, TICKS, 2),
    ]
    assert buffer.late == 2


def test_timestamps_that_leap_are_a_new_stream_too() -> None:
    for leap in (3_600 * 8_000, -3_600 * 8_000):
        buffer = JitterBuffer[int]()
        for n in range(20):
            buffer.put(n, (1 << 31) + n * TICKS + (leap if n >= 10 else 0), n, n * 0.02)
        assert buffer.get(0.38) == [sound(n) for n in range(20)][10:] or buffer.lost == 10
        buffer.put(20, (1 << 31) + 20 * TICKS + leap, 20, 0.4)
        assert buffer.get(0.4)[-1].n_ticks == TICKS


def test_a_buffer_that_nobody_empties_is_bounded() -> None:
    buffer = JitterBuffer[int](JitterSettings(most_packets=8))
    for n in range(100):
        buffer.put(n, n * TICKS, n, n * 0.02)
    items = buffer.get(2.0)
    assert items == [Gap(0, 92 * TICKS, GapReason.LOST), *(sound(n) for n in range(92, 100))]
    assert buffer.lost == 92


def test_clocks_may_drift_apart() -> None:
    packets = [(n, n * 0.02 * 1.004 + 0.05) for n in range(4_000)]
    out, buffer = drive(packets)
    assert [item for _, item in out] == [sound(n) for n in range(4_000)], "0.3 s apart at the end"
    assert buffer.late == 0


def test_packets_of_other_lengths() -> None:
    buffer = JitterBuffer[bytes](JitterSettings(clock_hz=48_000, packet_ticks=960))
    buffer.put(0, 0, b"a", 0.0, n_ticks=1_920)
    buffer.put(1, 1_920, b"b", 0.04)
    assert buffer.get(0.04) == [Sound(0, 1_920, b"a"), Sound(1_920, 960, b"b")]
    assert JitterBuffer[int]().due_s is None
    assert JitterBuffer[int]().get(5.0) == []


def test_a_packet_that_overlaps_the_one_before_is_dropped() -> None:
    buffer = JitterBuffer[int]()
    buffer.put(0, 0, 0, 0.0, n_ticks=2 * TICKS)
    buffer.put(1, TICKS, 1, 0.02)
    buffer.put(2, 2 * TICKS, 2, 0.04)
    assert buffer.get(0.04) == [Sound(0, 2 * TICKS, 0), sound(2)]
    assert buffer.late == 1


def test_errors_name_the_value() -> None:
    buffer = JitterBuffer[int]()
    with pytest.raises(JitterError, match="packet 65536 at 0; expected 16 and 32 bits"):
        buffer.put(65_536, 0, 0, 0.0)
    with pytest.raises(JitterError, match="packet 1 at -1"):
        buffer.put(1, -1, 0, 0.0)
    with pytest.raises(JitterError, match="packet 1 holds 0 ticks"):
        buffer.put(1, 0, 0, 0.0, n_ticks=0)
    with pytest.raises(JitterError, match="clock 0 Hz"):
        JitterSettings(clock_hz=0)
    with pytest.raises(JitterError, match="wait 50 to 40 ms"):
        JitterSettings(least_wait_ms=50)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 0.15)), min_size=1, max_size=120),
    st.integers(0, 65_535),
    st.floats(0, 2),
)
def test_whatever_the_network_does_the_line_is_seamless(
    fates: list[tuple[bool, float]], first: int, rest_s: float
) -> None:
    packets = [(0, 0.0)] + [(n + 1, (n + 1) * 0.02 + late_s) for n, (lost, late_s) in enumerate(fates) if not lost]
    out, buffer = drive(packets, until_s=len(fates) * 0.02 + rest_s, first=first)
    items = [item for _, item in out]
    assert_seamless(items)
    heard = [item.payload for item in items if isinstance(item, Sound)]
    assert heard == sorted(set(heard))
    assert all(item.first_tick == item.payload * TICKS for item in items if isinstance(item, Sound))
    assert len(heard) + buffer.late + len(buffer._held) == len(packets), "each packet is heard, late or still held"
    for at_s, item in out:
        if isinstance(item, Sound):
            arrived_s = dict(packets)[item.payload]
            assert at_s <= arrived_s + 0.0401, "no packet waits longer than 40 ms"
