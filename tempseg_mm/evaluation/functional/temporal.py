"""Temporal instability T of DAVIS 2016. Called by the metric; relies on contours, shape contexts and their matching."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import numpy as np

from .binary_mask import as_binary_mask
from .contour_matching import context_cost, matching_cost, shape_contexts
from .contours import crack_loops
from .polyline import resample, simplify

Convention = Literal['matlab', 'python']
SCALE = 5  # of published values, against the bare cost
TOLERANCES = (0.05, 1.5)  # pixels, of the two passes that thin a contour
SPACING = 3  # pixels, largest gap between points of a contour


class TemporalInstability(NamedTuple):
    """T over one sequence.

    Attributes:
        mean: over the pairs that have a value; NaN where none has.
        per_pair: one value a pair of consecutive masks; NaN where one of the two has no contour.
    """
    mean: float
    per_pair: list[float]


class InstabilityChain:
    """T mask by mask; keeps the shape contexts of the last mask, which serve both its pairs, and no mask.

    Args:
        convention: see :func:`temporal_instability`.

    Raises:
        ValueError: an unknown convention.
    """

    def __init__(self, convention: Convention = 'matlab') -> None:
        if convention not in get_args(Convention):
            raise ValueError(f'convention must be one of {", ".join(get_args(Convention))}, got {convention!r}')
        self.convention = convention
        self._shape: tuple[int, ...] | None = None
        self._contexts: np.ndarray | None = None

    def step(self, mask: np.ndarray) -> float | None:
        """Take the next mask.

        Args:
            mask: (H, W) bool or 0/1 integers, of the size of those before.

        Returns:
            5 × the matching cost to the mask before; NaN where one of the two has no contour; ``None`` for the first.

        Raises:
            ValueError: another rank, size or other values.
        """
        mask = as_binary_mask(mask)
        is_first, before = self._shape is None, self._contexts
        if not is_first and mask.shape != self._shape:
            raise ValueError(f'masks of one sequence must have one size, got {mask.shape} after {self._shape}')
        self._shape, self._contexts = mask.shape, _mask_contexts(mask, self.convention)
        if is_first:
            return None
        if before is None or self._contexts is None:
            return float('nan')
        return SCALE * matching_cost(context_cost(before, self._contexts))


def temporal_instability(masks: Iterable[np.ndarray], convention: Convention = 'matlab') -> TemporalInstability:
    """Temporal instability T of DAVIS 2016 (Perazzi et al., CVPR 2016, section 4.1); smaller is steadier.

    The longest contour of each mask is thinned, resampled, and described by shape contexts; T of a pair is 5 × the mean
    χ² cost of the points matched in order. The benchmark's sequence of N frames is GT_0, R_1, ..., R_{N-2}: the first
    annotation, then the results without the last. That is what to pass for published numbers.

    Args:
        masks: (T, H, W) bool or 0/1 integers, or an iterable of (H, W); at least two. Taken one by one.
        convention: 'matlab': as the published numbers were computed. 'python': as the benchmark's Python code has it,
            which measures angles from the column axis, rounds points to float32 and, of equally long contours, takes
            the first; there GT_0 is left out.

    Returns:
        T ≥ 0 of T - 1 pairs and their mean. Masks whose contours have fewer than three corners, empty ones and single
        pixels among them, have none: their pairs are NaN and left out of the mean.

    Raises:
        ValueError: fewer than two masks, sizes that differ, values other than 0 and 1, an unknown convention.
    """
    chain = InstabilityChain(convention)
    values = [chain.step(mask) for mask in masks]
    if len(values) < 2:
        raise ValueError(f'temporal instability needs at least two masks, got {len(values)}')
    known = [value for value in values[1:] if not np.isnan(value)]
    return TemporalInstability(float(np.mean(known)) if known else float('nan'), values[1:])


def _mask_contexts(mask: np.ndarray, convention: Convention) -> np.ndarray | None:
    contour = main_contour(mask, last_of_equals=convention == 'python')
    if contour is None:
        return None
    if convention == 'python':
        contour = contour[:, ::-1].astype(np.float32)
    return shape_contexts(resample(contour, SPACING))


def main_contour(mask: np.ndarray, *, last_of_equals: bool = False) -> np.ndarray | None:
    """The contour with the most corners after thinning, outer borders clockwise, holes the other way.

    Args:
        mask: (H, W) bool.
        last_of_equals: of contours with equally many corners take the last of :func:`crack_loops`, else the first.

    Returns:
        (n, 2) float64 (row, column) of corners of pixels, the first again at the end; ``None`` where no contour keeps
        three corners.
    """
    best, best_rank, best_is_outer = None, (3, 0), True
    loops = enumerate(crack_loops(mask))
    for place, (loop, is_outer) in sorted(loops, key=lambda entry: len(entry[1].corners), reverse=True):
        if len(loop) // 2 + 2 < best_rank[0]:  # thinned points lie two steps apart or more: this loop cannot win
            break
        points = loop.astype(np.float64)
        for tolerance in TOLERANCES:
            points = simplify(points, tolerance)
        rank = (len(points), place if last_of_equals else -place)
        if len(points) > 3 and rank > best_rank:
            best, best_rank, best_is_outer = points, rank, is_outer
    if best is None:
        return None
    (y, x), (next_y, next_x) = best[:-1].T, best[1:].T
    is_clockwise = ((next_y - y) * (next_x + x)).sum() > 0
    return best if is_clockwise == best_is_outer else best[::-1]
