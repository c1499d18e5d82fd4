"""Temporal instability T of DAVIS 2016, from contours, shape contexts and their matching."""

from collections.abc import Iterable
from typing import Literal, NamedTuple, get_args

import numpy as np

from .binary_mask import as_binary_mask
from .contour_matching import context_cost, matching_cost, shape_contexts
from .contours import crack_loops
from .polyline import resample, simplify

Convention = Literal['matlab', 'python']
SCALE = 5  # factor of published values relative to the matching cost
TOLERANCES = (0.05, 1.5)  # tolerances of the two passes that thin a contour, pixels
SPACING = 3  # largest gap between points of a contour, pixels


class TemporalInstability(NamedTuple):
    """T over one sequence.

    Attributes:
        mean: mean over the pairs that have a value; NaN if none has.
        per_pair: one value per pair of consecutive masks; NaN if one of the two has no contour.
    """
    mean: float
    per_pair: list[float]


class InstabilityChain:
    """Computes T mask by mask. It keeps only the shape contexts of the last mask, which both of its pairs use.

    Args:
        convention: see :func:`temporal_instability`.

    Raises:
        ValueError: for an unknown convention.
    """

    def __init__(self, convention: Convention = 'matlab') -> None:
        if convention not in get_args(Convention):
            raise ValueError(f'convention must be one of {", ".join(get_args(Convention))}, got {convention!r}')
        self.convention = convention
        self._shape: tuple[int, ...] | None = None
        self._contexts: np.ndarray | None = None

    def step(self, mask: np.ndarray) -> float | None:
        """Compare the next mask with the one before.

        Args:
            mask: (H, W) bool or 0/1 integers, of the size of the earlier masks.

        Returns:
            5 × the matching cost to the mask before. NaN if one of the two has no contour; ``None`` for the first mask.

        Raises:
            ValueError: if it does not have two dimensions, has another size, or values other than 0 and 1.
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
    """Compute the temporal instability T of DAVIS 2016 (Perazzi et al., CVPR 2016, section 4.1); smaller is steadier.

    The longest contour of each mask is thinned, resampled, and described by shape contexts. T of a pair is 5 × the mean
    χ² cost of the points matched in order. For a sequence of N frames the benchmark uses the masks GT_0, R_1, ...,
    R_{N-2}: the first annotation, then the results without the last. Pass these to obtain published numbers.

    Args:
        masks: (T, H, W) bool or 0/1 integers, or an iterable of (H, W); at least two. They are read one by one.
        convention: 'matlab': as the published numbers were computed. 'python': as in the benchmark's Python code, which
            measures angles from the column axis, rounds points to float32, prefers another of equally long contours
            (see :func:`main_contour`), and leaves out GT_0.

    Returns:
        T ≥ 0 of T - 1 pairs and their mean. A mask whose contours have fewer than three corners, such as an empty mask
        or a single pixel, has no contour: its pairs are NaN and left out of the mean.

    Raises:
        ValueError: if there are fewer than two masks, sizes differ, values are not 0 and 1, or the convention is
            unknown.
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
    """Find the contour with the most corners after thinning. Outer borders run clockwise, holes the other way.

    Args:
        mask: (H, W) bool.
        last_of_equals: among equally long contours take the last one of
            :func:`~tempseg_mm.evaluation.functional.contours.crack_loops` instead of the first.

    Returns:
        (n, 2) float64 (row, column) of pixel corners; the last equals the first. ``None`` if none keeps three corners.
    """
    best, best_rank, best_is_outer = None, (3, 0), True
    loops = enumerate(crack_loops(mask))
    for place, (loop, is_outer) in sorted(loops, key=lambda entry: len(entry[1].corners), reverse=True):
        if len(loop) // 2 + 2 < best_rank[0]:  # thinned points are at least two steps apart: this loop cannot win
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
