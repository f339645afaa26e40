"""Rows and slabs: what is given back is used again, and no call ever sees another's positions."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from policies.learned.core.cache import Cache, CachePool
from policies.learned.core.model import CoreModel
from tests.policies.learned.core.test_model import MODEL, TOLERANCE, ids_of, small_model


def pool() -> CachePool:
    return CachePool(layers=2, kv_heads=1, head_dim=4)


def places(caches: list[Cache]) -> list[tuple[int, int]]:
    """(which slab, which row) of each cache."""
    slabs: list[object] = []
    for cache in caches:
        if cache.row.slab not in slabs:
            slabs.append(cache.row.slab)
    return [(slabs.index(cache.row.slab), cache.row.index) for cache in caches]


def test_calls_are_neighbours_and_a_ninth_opens_a_second_slab() -> None:
    held = pool()
    caches = [Cache(held) for _ in range(9)]
    assert places(caches) == [*((0, row) for row in range(8)), (1, 0)]


def test_a_closed_calls_row_is_the_next_to_be_taken() -> None:
    held = pool()
    caches = [Cache(held) for _ in range(4)]
    del caches[1]
    gc.collect()
    caches.append(Cache(held))
    assert places(caches) == [(0, 0), (0, 2), (0, 3), (0, 1)]


def test_a_slab_that_nobody_uses_is_let_go() -> None:
    held = pool()
    caches = [Cache(held) for _ in range(20)]
    assert len(held._slabs[256]) == 3
    del caches[8:]
    gc.collect()
    assert [len(slab.free) for slab in held._slabs[256]] == [0]
    caches.clear()
    gc.collect()
    assert held._slabs[256] == []


def test_a_call_that_grows_moves_and_leaves_its_row_to_others() -> None:
    held = pool()
    one, two = Cache(held), Cache(held)
    one.grow(256)
    one.row.data[..., :256, :] = np.arange(256, dtype=np.float32)[:, None]
    before = one.nbytes
    assert one.grow(1) == 256
    assert one.nbytes == 2 * before
    assert (one.row.data[..., :256, 0] == np.arange(256)).all()
    three = Cache(held)
    assert places([two, three]) == [(0, 1), (0, 0)]


def test_a_row_that_a_fork_still_reads_is_nobody_elses() -> None:
    """A thread forks while another lets the cache grow: the row it copies from must not be handed out meanwhile."""
    held = pool()
    cache = Cache(held)
    cache.grow(256)
    read = cache.row
    cache.grow(1)
    other = Cache(held)
    assert other.row.slab is read.slab
    assert other.row.index == 1
    del read
    gc.collect()
    assert Cache(held).row.index == 0


def alone(model: CoreModel, cache: Cache, id_: int) -> np.ndarray:
    return model.extend(cache.fork(), [id_])


@pytest.mark.parametrize("missing", [(), (2,), (0, 3, 4), (1, 2, 3, 5, 6, 7, 8, 9)])
def test_a_step_of_decoding_calls_equals_each_alone_whatever_rows_they_hold(missing: tuple[int, ...]) -> None:
    """Unequal lengths, rows with gaps between them, two slabs of one length and one of another."""
    model = small_model()
    caches = [model.new_cache() for _ in range(12)]
    for number, cache in enumerate(caches):
        model.extend(cache, ids_of(number, 3 + 17 * number if number != 6 else 300))
    calls = [(cache, [number]) for number, cache in enumerate(caches) if number not in missing][::-1]
    wanted = [alone(model, cache, ids[0]) for cache, ids in calls]
    for row, other in zip(model.step(calls), wanted, strict=True):
        assert row == pytest.approx(other, abs=TOLERANCE)


def test_what_a_former_call_left_in_a_row_weighs_nothing() -> None:
    model = small_model()
    former = [model.new_cache() for _ in range(2)]
    for cache in former:
        model.extend(cache, ids_of(1, 200))
        cache.row.data[:] *= 1e6
    del cache
    former.clear()
    gc.collect()
    short, long = model.new_cache(), model.new_cache()
    model.extend(short, ids_of(2, 4))
    model.extend(long, ids_of(3, 90))
    together = model.step([(short, [1]), (long, [2])])
    assert together[0] == pytest.approx(MODEL.extend(MODEL.new_cache(), [*ids_of(2, 4), 1]), abs=TOLERANCE)
    assert together[1] == pytest.approx(MODEL.extend(MODEL.new_cache(), [*ids_of(3, 90), 2]), abs=TOLERANCE)


def test_calls_that_outgrow_their_rows_within_a_step_are_found_where_they_went() -> None:
    model = small_model()
    calls = []
    for number in range(5):
        cache = model.new_cache()
        model.extend(cache, ids_of(number, 256 if number % 2 else 20))
        calls.append((cache, [number]))
    wanted = [alone(model, cache, ids[0]) for cache, ids in calls]
    for row, other in zip(model.step(calls), wanted, strict=True):
        assert row == pytest.approx(other, abs=TOLERANCE)
    assert [cache.length for cache, _ in calls] == [21, 257, 21, 257, 21]
