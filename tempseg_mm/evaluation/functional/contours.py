"""Outlines of a mask along the edges of its pixels. Called by the temporal measure; relies on NumPy only."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

DOWN, LEFT, UP, RIGHT = range(4)
STEPS = np.array([[1, 0], [0, -1], [-1, 0], [0, 1]])  # (row, column)
# On which side of a corner a crack of each direction lies, as a place in the order up, left, down, right.
SIDE_LEAVING, SIDE_ARRIVING = np.array([2, 1, 0, 3]), np.array([0, 3, 2, 1])
# Sizes of the hash map of libstdc++; with more junctions than the last of them nothing is comparable any more.
HASH_SIZES = frozenset((
    2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 103, 109, 113, 127,
    137, 139, 149, 157, 167, 179, 193, 199, 211, 227, 241, 257, 277, 293, 313, 337, 359, 383, 409, 439, 467, 503, 541,
    577, 619, 661, 709, 761, 823, 887, 953, 1031))


class CrackLoop(NamedTuple):
    """A closed loop of pixel edges ("cracks").

    Attributes:
        corners: (n + 1, 2) int64, one corner of pixels a crack, (row, column) in 0..H and 0..W; the first again at the
            end.
        is_outer: an outer border, not the border of a hole.
    """
    corners: np.ndarray
    is_outer: bool


class _Arc(NamedTuple):
    """Cracks from one junction to the next; ``forward``: with the object on the left hand."""
    cracks: list[int]
    forward: bool
    begin: int
    end: int


def crack_loops(mask: np.ndarray) -> list[CrackLoop]:
    """All borders between object and background; beyond the image is background.

    A loop starts at the upper end of its first vertical crack in raster order and walks down it.

    Where pixels touch by a corner only, at a junction, four cracks meet; loops turn there, do not cross, and come to a
    junction once. How they part there is the order in which the benchmark's code happens to walk. It numbers the arcs
    between junctions from the last junction in raster order to the first, at each by the sides up, left, down, right.
    From junctions in the order of :func:`_order_of_keys` it takes the arc of the lowest number that turns, and cuts off
    a loop as soon as it is back at a junction on its way. Such a loop starts there.

    Args:
        mask: (H, W) bool.

    Returns:
        The loops in the benchmark's order, last in raster order first as a rule.
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
    """Order in which the hash map that the benchmark's code was run with gives out keys 0..n-1.

    They come last in, first out. When it has as many entries as one of its sizes it has just been rebuilt, and all but
    the last come first in, first out.
    """
    return [n - 1, *range(n - 1)] if n in HASH_SIZES else [*reversed(range(n))]


class _Cracks:
    """Cracks of a mask as a graph that is walked once.

    Cracks have the object on the left hand. ``following`` and ``preceding`` name the next crack of each; -1 - k stands
    for junction k, whose two leaving and two arriving cracks are in ``leaving`` and ``arriving``.
    """

    def __init__(self, mask: np.ndarray) -> None:
        self.starts, self.directions = _directed_cracks(mask)
        self.ends = self.starts + STEPS[self.directions]
        width = mask.shape[1] + 1
        start_keys, end_keys = self.starts @ (width, 1), self.ends @ (width, 1)
        # As many cracks leave a corner as arrive, so in order of corners one list continues the other.
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
        """All arcs between junctions, in the benchmark's order."""
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
        """Loops of the cracks not in an arc, in raster order: their cracks and whether they are walked forward."""
        vertical = np.argsort(self.raster)[:np.count_nonzero(self.raster < np.iinfo(np.int64).max)]
        for crack in vertical.tolist():
            if not self.seen[crack]:
                forward = bool(self.directions[crack] == DOWN)
                yield self._walk(crack, forward)[0], forward

    def is_outer(self, loop: list[int]) -> bool:
        """Whether the object lies to the right of the first vertical crack."""
        return bool(self.directions[loop[np.argmin(self.raster[loop])]] == DOWN)

    def _walk(self, crack: int, forward: bool) -> tuple[list[int], int]:
        """Cracks up to a junction (a negative number) or to the first crack again; and what comes there."""
        step, seen, walked = self.following if forward else self.preceding, self.seen, []
        while crack >= 0 and not seen[crack]:
            seen[crack] = 1
            walked.append(crack)
            crack = step[crack]
        return walked, crack


class _Arcs:
    """Arcs between junctions, taken away as loops are cut from them."""

    def __init__(self, arcs: list[_Arc]) -> None:
        self.arcs = arcs
        self.left: dict[int, set[int]] = {}  # numbers of the arcs at each junction
        for i, arc in enumerate(arcs):
            for junction in (arc.begin, arc.end):
                self.left.setdefault(junction, set()).add(i)

    def loops_from(self, start: int) -> Iterator[tuple[list[int], bool]]:
        """Loops met by walking from a junction until nothing is left there: cracks, and whether walked forward."""
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
        """Cracks of the first arc that goes on from a junction, and the junction it leads to."""
        i = min(i for i in self.left[junction] if self._is_forward(i, junction) == forward)  # others lie straight on
        arc = self.arcs[i]
        self.left[arc.begin].discard(i)
        self.left[arc.end].discard(i)
        return (arc.cracks, arc.end) if arc.begin == junction else (arc.cracks[::-1], arc.begin)

    def _is_forward(self, i: int, junction: int) -> bool:
        return self.arcs[i].forward == (self.arcs[i].begin == junction)


def _directed_cracks(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(M, 2) corner at which each crack starts and (M,) direction, with the object on the left hand."""
    padded = np.pad(mask, 1).astype(np.int8)
    across, down = np.diff(padded, axis=1)[1:-1], np.diff(padded, axis=0)[:, 1:-1]  # [H, W+1], [H+1, W]
    starts, directions = [], []
    for edges, value, direction, shift in ((across, 1, DOWN, (0, 0)), (down, 1, LEFT, (0, 1)),
                                           (across, -1, UP, (1, 0)), (down, -1, RIGHT, (0, 0))):
        starts.append(np.argwhere(edges == value) + shift)
        directions.append(np.full(len(starts[-1]), direction))
    return np.concatenate(starts), np.concatenate(directions)
