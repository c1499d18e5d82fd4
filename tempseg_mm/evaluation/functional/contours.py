"""Traces the outlines of a mask along the edges of its pixels, in the order of the benchmark's code."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

DOWN, LEFT, UP, RIGHT = range(4)
STEPS = np.array([[1, 0], [0, -1], [-1, 0], [0, 1]])  # (row, column)
# Side of a corner on which a crack of each direction lies, as an index into the order up, left, down, right.
SIDE_LEAVING, SIDE_ARRIVING = np.array([2, 1, 0, 3]), np.array([0, 3, 2, 1])
# Sizes of the hash map of libstdc++. With more junctions than the last size, results are no longer comparable.
HASH_SIZES = frozenset((
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 103, 109, 113, 127,
    137, 139, 149, 157, 167, 179, 193, 199, 211, 227, 241, 257, 277, 293, 313, 337, 359, 383, 409, 439, 467, 503, 541,
    577, 619, 661, 709, 761, 823, 887, 953, 1031))


class CrackLoop(NamedTuple):
    """A closed loop of pixel edges ("cracks").

    Attributes:
        corners: (n + 1, 2) int64, one pixel corner per crack, (row, column) in 0..H and 0..W; the last equals the
            first.
        is_outer: True for an outer border, False for the border of a hole.
    """
    corners: np.ndarray
    is_outer: bool


class _Arc(NamedTuple):
    """The cracks from one junction to the next; ``forward`` if they are walked with the object on the left."""
    cracks: list[int]
    forward: bool
    begin: int
    end: int


def crack_loops(mask: np.ndarray) -> list[CrackLoop]:
    """Trace all borders between object and background; beyond the image is background.

    A loop starts at the upper end of its first vertical crack in raster order and walks down this crack.

    Where pixels touch only by a corner, four cracks meet in a junction. Loops turn there, do not cross, and pass a
    junction once. How they are separated follows the order in which the benchmark's code happens to walk. It numbers
    the arcs between junctions from the last junction in raster order to the first, and at each junction by the sides
    up, left, down, right. It starts from junctions in the order of :func:`_order_of_keys`. At each junction it takes
    the arc with the lowest number that turns, and cuts off a loop as soon as it reaches a junction on its way again.
    Such a loop starts at that junction.

    Args:
        mask: (H, W) bool.

    Returns:
        The loops in the benchmark's order. Usually the last in raster order comes first.
    """
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return []
    cracks = _Cracks(mask[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1])
    arcs, num_junctions = _Arcs(cracks.arcs()), len(cracks.leaving)
    plain = list(cracks.plain_loops())
    loops = []
    for key in _order_of_keys(num_junctions + len(plain)):
        walks = arcs.loops_from(key) if key < num_junctions else [plain[key - num_junctions]]
        for loop, forward in walks:
            corners = (cracks.starts if forward else cracks.ends)[[*loop, loop[0]]]
            loops.append(CrackLoop(corners + (rows[0], columns[0]), cracks.is_outer(loop)))
    return loops


def _order_of_keys(n: int) -> list[int]:
    """Return the order in which the hash map of the benchmark's code iterates over keys 0..n-1.

    Usually it is last in, first out. If the number of entries equals one of its sizes, it has just been rebuilt; then
    all keys but the last are first in, first out.
    """
    return [n - 1, *range(n - 1)] if n in HASH_SIZES else [*reversed(range(n))]


class _Cracks:
    """The cracks of a mask as a graph that is walked once.

    Cracks have the object on their left. ``following`` and ``preceding`` hold the next and the previous crack of each
    crack. A value -1 - k stands for junction k; its two leaving and two arriving cracks are in ``leaving`` and
    ``arriving``.
    """

    def __init__(self, mask: np.ndarray) -> None:
        self.starts, self.directions = _directed_cracks(mask)
        self.ends = self.starts + STEPS[self.directions]
        width = mask.shape[1] + 1
        start_keys, end_keys = self.starts @ (width, 1), self.ends @ (width, 1)
        # As many cracks leave a corner as arrive, so sorted by corners the two lists correspond item by item.
        leaving = np.argsort(4 * start_keys + SIDE_LEAVING[self.directions])
        arriving = np.argsort(4 * end_keys + SIDE_ARRIVING[self.directions])
        following, preceding = np.empty_like(leaving), np.empty_like(arriving)
        following[arriving], preceding[leaving] = leaving, arriving
        keys = start_keys[leaving]
        pairs = np.flatnonzero(keys[1:] == keys[:-1])[:, None] + [0, 1]  # [K, 2]
        self.leaving, self.arriving = leaving[pairs], arriving[pairs]
        following[self.arriving] = preceding[self.leaving] = -1 - np.arange(len(pairs))[:, None]
        self.following, self.preceding = following.tolist(), preceding.tolist()
        self.seen = bytearray(len(self.starts))
        # Raster order of vertical cracks by their upper end; horizontal ones come last.
        is_vertical = (self.directions == DOWN) | (self.directions == UP)
        self.raster = np.where(is_vertical, np.minimum(start_keys, end_keys), np.iinfo(np.int64).max)

    def arcs(self) -> list[_Arc]:
        """Return all arcs between junctions, in the benchmark's order."""
        arcs = []
        for junction in reversed(range(len(self.leaving))):
            ways = []
            for cracks, sides, forward in ((self.leaving, SIDE_LEAVING, True), (self.arriving, SIDE_ARRIVING, False)):
                ways += [(sides[self.directions[crack]], crack, forward) for crack in cracks[junction].tolist()]
            for _, crack, forward in sorted(ways):
                if not self.seen[crack]:
                    walked, end = self._walk(crack, forward)
                    arcs.append(_Arc(walked, forward, junction, -1 - end))
        return arcs

    def plain_loops(self) -> Iterator[tuple[list[int], bool]]:
        """Yield the loops that pass no junction, in raster order: their cracks, and whether they are walked forward."""
        vertical = np.argsort(self.raster)[:np.count_nonzero(self.raster < np.iinfo(np.int64).max)]
        for crack in vertical.tolist():
            if not self.seen[crack]:
                forward = bool(self.directions[crack] == DOWN)
                yield self._walk(crack, forward)[0], forward

    def is_outer(self, loop: list[int]) -> bool:
        """Return True if the object lies to the right of the loop's first vertical crack."""
        return bool(self.directions[loop[np.argmin(self.raster[loop])]] == DOWN)

    def _walk(self, crack: int, forward: bool) -> tuple[list[int], int]:
        """Follow cracks up to a junction (a negative number) or back to the first crack; return them and that end."""
        step, seen, walked = self.following if forward else self.preceding, self.seen, []
        while crack >= 0 and not seen[crack]:
            seen[crack] = 1
            walked.append(crack)
            crack = step[crack]
        return walked, crack


class _Arcs:
    """Arcs between junctions. An arc is removed when a loop uses it."""

    def __init__(self, arcs: list[_Arc]) -> None:
        self.arcs = arcs
        self.left: dict[int, set[int]] = {}  # numbers of the remaining arcs at each junction
        for i, arc in enumerate(arcs):
            for junction in (arc.begin, arc.end):
                self.left.setdefault(junction, set()).add(i)

    def loops_from(self, start: int) -> Iterator[tuple[list[int], bool]]:
        """Walk from a junction until no arc is left there and yield the loops: cracks, and whether walked forward."""
        while self.left[start]:
            forward = self._is_forward(min(self.left[start]), start)
            junction, trail, places = start, [], {}
            while True:
                places[junction] = len(trail)
                cracks, following = self._take(junction, forward)
                trail.append((junction, cracks))
                junction = following
                if junction in places:
                    cut, trail = trail[places[junction]:], trail[:places[junction]]
                    places = {passed: i for passed, i in places.items() if i < len(trail)}
                    yield [crack for _, cracks in cut for crack in cracks], forward
                    if not trail:
                        break

    def _take(self, junction: int, forward: bool) -> tuple[list[int], int]:
        """Remove the first arc that continues from a junction; return its cracks and the junction it leads to."""
        i = min(i for i in self.left[junction] if self._is_forward(i, junction) == forward)  # the others go straight
        arc = self.arcs[i]
        self.left[arc.begin].discard(i)
        self.left[arc.end].discard(i)
        return (arc.cracks, arc.end) if arc.begin == junction else (arc.cracks[::-1], arc.begin)

    def _is_forward(self, i: int, junction: int) -> bool:
        return self.arcs[i].forward == (self.arcs[i].begin == junction)


def _directed_cracks(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corner at which each crack starts, (M, 2), and its direction, (M,), with the object on the left."""
    padded = np.pad(mask, 1).astype(np.int8)
    across, down = np.diff(padded, axis=1)[1:-1], np.diff(padded, axis=0)[:, 1:-1]  # [H, W+1], [H+1, W]
    starts, directions = [], []
    for edges, value, direction, shift in ((across, 1, DOWN, (0, 0)), (down, 1, LEFT, (0, 1)),
                                           (across, -1, UP, (1, 0)), (down, -1, RIGHT, (0, 0))):
        starts.append(np.argwhere(edges == value) + shift)
        directions.append(np.full(len(starts[-1]), direction))
    return np.concatenate(starts), np.concatenate(directions)
