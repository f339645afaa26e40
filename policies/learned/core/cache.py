"""Keys and values of many calls, side by side: exact rollback, fork and growth, and shared matmuls for decoding.

Calls of like length stand as rows of one slab, so that a step over many of them reads every row in one numpy call
instead of one call after the other. A call that outgrows its row moves to a longer one. This file knows positions; it
refuses to know what stands in them.
"""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cache", "CachePool", "CoreModelError", "Row", "Slab"]

Floats = NDArray[np.float32]

_POSITIONS = 256
"""Positions of the shortest rows, 0.75 MB at 6 layers and one key/value head of 64; the next are twice as long."""
_ROWS = 8
"""Rows of a slab: more neighbours for a shared step, more memory that waits for the second call. The first row takes
the memory of all, 6 MB of the shortest: numpy asks for huge pages, and long rows are 1.3 times quicker in them."""


class CoreModelError(ValueError):
    """A folder that this forward pass cannot run, or input outside of its range."""


class Slab:
    """Rows of one length: `data` is float32[layers, 2, rows, kv heads, positions, head_dim].

    Zeroed, because a shared matmul also runs over positions that are not in use: their weight is 0, and 0 times
    whatever stood in that memory may be NaN.
    """

    __slots__ = ("data", "free", "positions")

    def __init__(self, layers: int, kv_heads: int, positions: int, head_dim: int) -> None:
        self.data: Floats = np.zeros((layers, 2, _ROWS, kv_heads, positions, head_dim), np.float32)
        self.positions = positions
        self.free = list(range(_ROWS))


class Row:
    """One row in use, given back when nobody refers to it any more: a thread that still reads it keeps it."""

    __slots__ = ("_pool", "index", "slab")

    def __init__(self, pool: CachePool, slab: Slab, index: int) -> None:
        self._pool, self.slab, self.index = pool, slab, index

    def __del__(self) -> None:
        self._pool.give_back(self.slab, self.index)

    @property
    def data(self) -> Floats:
        """float32[layers, 2, kv heads, positions, head_dim], a view."""
        return self.slab.data[:, :, self.index]


class CachePool:
    """Hands out rows, the lowest free one first, so that calls are neighbours.

    A row may be taken in one thread and given back in another: each change of a list is one operation of the
    interpreter.
    """

    def __init__(self, layers: int, kv_heads: int, head_dim: int) -> None:
        self._sizes = layers, kv_heads, head_dim
        self._slabs: dict[int, list[Slab]] = {}

    def take(self, positions: int) -> Row:
        """A row for that many positions or more."""
        length = _POSITIONS
        while length < positions:
            length *= 2
        slabs = self._slabs.setdefault(length, [])
        for slab in list(slabs):
            try:
                return Row(self, slab, heappop(slab.free))
            except IndexError:
                continue
        layers, kv_heads, head_dim = self._sizes
        slab = Slab(layers, kv_heads, length, head_dim)
        row = Row(self, slab, heappop(slab.free))
        slabs.append(slab)
        return row

    def give_back(self, slab: Slab, index: int) -> None:
        """The row is free; a slab that nobody uses is let go."""
        heappush(slab.free, index)
        slabs = self._slabs[slab.positions]
        if len(slab.free) == _ROWS and slab in slabs:
            slabs.remove(slab)


class Cache:
    """Keys and values of one call: a row, and how many of its positions count.

    Positions from `length` on are garbage that the next extension overwrites, so rollback costs nothing.
    """

    __slots__ = ("_length", "_pool", "row")

    def __init__(self, pool: CachePool, positions: int = 0) -> None:
        self._pool = pool
        self.row = pool.take(positions)
        self._length = 0

    @property
    def length(self) -> int:
        """Positions in use."""
        return self._length

    @property
    def nbytes(self) -> int:
        """Memory of this call's row."""
        return self.row.data.nbytes

    def truncate(self, length: int) -> None:
        """Forget everything from position `length` on. Raises `CoreModelError` when there is less than that."""
        if not 0 <= length <= self._length:
            raise CoreModelError(
                f"cannot truncate to {length}: the cache holds {self._length} positions; extend it first"
            )
        self._length = length

    def fork(self, length: int | None = None) -> Cache:
        """An independent copy of the used part, or of its first `length` positions.

        With `length` it may be called while another thread extends this cache beyond that: those positions stand.
        """
        row, used = self.row, self._length if length is None else length
        other = type(self)(self._pool, used)
        other.row.data[..., :used, :] = row.data[..., :used, :]
        other._length = used
        return other

    def reserve(self, more: int) -> None:
        """Make room for `more` positions; the call may move to a longer row."""
        if self._length + more > self.row.slab.positions:
            row, used = self._pool.take(self._length + more), self._length
            row.data[..., :used, :] = self.row.data[..., :used, :]
            self.row = row

    def grow(self, more: int) -> int:
        """Make room for `more` positions and count them as used; gives the first of them."""
        self.reserve(more)
        start = self._length
        self._length = start + more
        return start
