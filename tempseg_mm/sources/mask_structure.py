"""Tells whether the values of a mask are objects, shades or a picture, from the places of their pixels.

An object is a region, so most of its pixels lie in squares of 2x2 equal pixels. A shade of a soft edge is a thin ring
between a lower and a higher value. A picture is neither. Only unusual masks need these tests.
"""

from itertools import combinations

import cv2
import numpy as np

from tempseg_mm.visualization.palette import color_palette

FEW = 20  # up to this many values are taken as ids or colours if their places do not say what they are
REACH = np.ones((9, 9), np.uint8)  # a soft edge may lie this far from its region
ON_THE_WAY = 16  # largest distance of a shade from the straight line between the two colours that it mixes
ALIKE = 24  # values that differ by at most this count as one value after compression or blur
MID_SHARE, ROUGHNESS = 0.5, 1.2  # a picture has a larger share of middle grays, and a larger mean Laplacian in them
EVEN, EVEN_SHARE = 8, 0.75  # in a compressed mask, this share of pixels is within EVEN of the colour of its region
EVEN_SHARE_SHOWN = 0.43  # the same for pixels outside of the most common region; photographs on black have less
MOST_EDGES, LEAST_PIXELS = 0.25, 4096  # a mask of this many pixels has at most this share outside of 2x2 squares


def histogram(levels: np.ndarray) -> np.ndarray:
    """Count the pixels of each value of (H, W) uint8; returns (256,) int64."""
    counts, top = np.zeros(256, np.int64), int(levels.max())
    counts[top] = np.count_nonzero(levels == top)
    counts[0] = levels.size - np.count_nonzero(levels)
    if counts[0] + counts[top] in (levels.size, 2 * levels.size):  # usually one value beside 0: this is fast
        return counts
    return cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def in_regions(index: np.ndarray) -> np.ndarray:
    """Return (H, W) bool, True for pixels in a square of 2x2 equal pixels; ``index`` is (H, W) of any type."""
    across, down = index[:, 1:] == index[:, :-1], index[1:] == index[:-1]
    squares = across[1:] & across[:-1] & down[:, 1:] & down[:, :-1]
    found = np.zeros(index.shape, bool)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            found[rows, columns] |= squares
    return found


def flat_values(index: np.ndarray, count: int) -> np.ndarray:
    """Find the values that form regions: half of their pixels or more lie in squares of 2x2.

    Args:
        index: (H, W) uint8 or uint16, values below ``count``.
        count: number of values.

    Returns:
        (count,) bool.
    """
    pixels = np.bincount(index.ravel(), minlength=count)
    flat = np.bincount(index[in_regions(index)], minlength=count)
    return (flat * 2 >= pixels) & (pixels > 0)


def ring_levels(levels: np.ndarray, is_flat: np.ndarray) -> np.ndarray:
    """Find the levels that are shades: no regions, and half of their pixels or more lie near a lower and a higher one.

    Args:
        levels: (H, W) uint8.
        is_flat: (256,) bool, the levels that form regions, from :func:`flat_values`.

    Returns:
        (256,) bool.
    """
    flat = is_flat[levels]
    lower = cv2.erode(np.where(flat, levels, 255).astype(np.uint8), REACH)
    higher = cv2.dilate(np.where(flat, levels, 0).astype(np.uint8), REACH)
    between = np.bincount(levels[(lower < levels) & (levels < higher)], minlength=256)
    pixels = np.bincount(levels.ravel(), minlength=256)
    return ~is_flat & (pixels > 0) & (between * 2 >= pixels)


def centres(values: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Choose values that stand for all values near them, the most frequent first.

    Args:
        values: (n, C) levels or colours.
        pixels: (n,) number of pixels of each value.

    Returns:
        Positions in ``values``.
    """
    kept: list = []
    for position in np.argsort(-pixels, kind='stable'):
        if not kept or np.abs(values[kept].astype(int) - values[position].astype(int)).max(axis=1).min() > ALIKE:
            kept.append(int(position))
    return np.array(kept, int)


def is_smooth_ramp(levels: np.ndarray) -> bool:
    """Return True if most steps between different neighbours of (H, W) uint8 are small, as in probabilities."""
    steps = np.concatenate([np.abs(np.diff(levels.astype(np.int16), axis=axis)).ravel() for axis in (0, 1)])
    steps = steps[steps > 0]
    return steps.size > 0 and np.count_nonzero(steps <= 2) > 0.8 * steps.size


def is_patchwork(index: np.ndarray) -> bool:
    """Return True if the regions of (H, W) are as small as those of a picture with few colours."""
    return index.size >= LEAST_PIXELS and np.count_nonzero(~in_regions(index)) > MOST_EDGES * index.size


def is_picture(levels: np.ndarray) -> bool:
    """Return True if (H, W) uint8 is a gray picture of a scene, not a mask with shades."""
    mid = (levels > 16) & (levels < 239)
    rough = np.abs(cv2.Laplacian(levels, cv2.CV_16S))[mid]
    return bool(mid.mean() > MID_SHARE and rough.mean() > ROUGHNESS)


def without_shades(index: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Assign each shade between two regions to the region whose colour is nearer.

    Args:
        index: (H, W) positions in ``colors``.
        colors: (n, C) uint8.

    Returns:
        (H, W) positions in ``colors``; ``index`` itself if there are no shades.
    """
    is_flat = flat_values(index, len(colors))
    flats, others = np.flatnonzero(is_flat), np.flatnonzero(~is_flat)
    if len(flats) < 2 or not len(others) or len(flats) > 64:
        return index
    mixes = _mixes(colors[others].astype(float), colors[flats].astype(float))
    rows, columns = np.nonzero(~is_flat[index])
    own = np.searchsorted(others, index[rows, columns])
    near = np.stack([cv2.dilate((index == flat).astype(np.uint8), REACH)[rows, columns] > 0 for flat in flats], axis=1)
    is_mixed = np.zeros(len(rows), bool)
    for (a, b), found in mixes.items():
        is_mixed |= near[:, a] & near[:, b] & found[own]
    mixed, pixels = (np.bincount(own[which], minlength=len(others)) for which in (is_mixed, slice(None)))
    shades = (mixed * 2 >= pixels)[own]
    if not shades.any():
        return index
    away = np.linalg.norm(colors[others][:, None].astype(float) - colors[flats][None].astype(float), axis=2)[own]
    nearest = flats[np.where(near | ~near.any(axis=1, keepdims=True), away, np.inf).argmin(axis=1)]
    mended = index.copy()
    mended[rows[shades], columns[shades]] = nearest[shades]
    return mended


def _mixes(shades: np.ndarray, flats: np.ndarray) -> dict:
    """Return (a, b) -> (n,) bool: True for shades on the straight line from flat colour a to flat colour b."""
    found = {}
    for a, b in combinations(range(len(flats)), 2):
        way = flats[b] - flats[a]
        place = ((shades - flats[a]) @ way / (way @ way)).clip(0, 1)
        on_the_way = np.linalg.norm(shades - flats[a] - place[:, None] * way, axis=1) <= ON_THE_WAY
        if on_the_way.any():
            found[a, b] = on_the_way
    return found


def flat_colors(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the few flat colours of a mask that has soft edges or was compressed.

    Args:
        rgb: (H, W, 3) uint8 with many colours.

    Returns:
        (H, W) uint8 positions of colours, and (n, 3) uint8 colours; ``None`` if it is a picture.
    """
    bins = (rgb >> 4).astype(np.int32) @ np.array([256, 16, 1], np.int32)
    pixels = np.bincount(bins.ravel(), minlength=4096)
    used = np.flatnonzero(pixels >= max(4, bins.size // 5000))
    if not len(used):
        return None
    sums = [np.bincount(bins.ravel(), rgb[..., channel].ravel(), minlength=4096)[used] for channel in range(3)]
    means = np.round(np.stack(sums, axis=1) / pixels[used, None]).astype(np.uint8)
    found = means[centres(means, pixels[used])]
    if len(found) > 3 * FEW:
        return None
    index, away = _nearest(rgb, found)
    is_flat = flat_values(np.where(away <= ALIKE, index, len(found)).astype(np.uint16), len(found) + 1)[:-1]
    if not is_flat.any() or is_flat.sum() > FEW + 1:
        return None
    found = found[is_flat]
    index, away = _nearest(rgb, found)
    shown = index != np.bincount(index.ravel()).argmax()  # a photograph on a plain background is a picture, too
    few_even = [np.count_nonzero((away <= EVEN) & part) < share * np.count_nonzero(part)
                for part, share in ((np.ones_like(shown), EVEN_SHARE), (shown, EVEN_SHARE_SHOWN))]
    if any(few_even) or is_patchwork(index):
        return None
    thick = cv2.erode((away > ALIKE).astype(np.uint8), np.ones((5, 5), np.uint8), borderValue=0)
    if np.count_nonzero(thick) > bins.size // 1000 or np.count_nonzero(away > ALIKE) > 0.3 * bins.size:
        return None
    near = np.stack([cv2.dilate(((index == i) & (away <= ALIKE)).astype(np.uint8), REACH) for i in range(len(found))])
    soft = away > ALIKE
    distances = np.linalg.norm(rgb[soft][:, None].astype(np.float32) - found[None].astype(np.float32), axis=2)
    reachable = near[:, soft].T > 0
    index[soft] = np.where(reachable | ~reachable.any(axis=1, keepdims=True), distances, np.inf).argmin(axis=1)
    return index, found


def _nearest(rgb: np.ndarray, colors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (H, W) uint8 position of the nearest colour, and (H, W) int16 largest difference from it in a channel."""
    index, best = np.zeros(rgb.shape[:2], np.uint8), np.full(rgb.shape[:2], 256, np.int16)
    for position, color in enumerate(colors):
        away = np.abs(rgb.astype(np.int16) - color.astype(np.int16)).max(axis=2)
        closer = away < best
        index[closer], best[closer] = position, away[closer]
    return index, best


def are_davis(colors: np.ndarray) -> bool:
    """Return True if all colours are in the palette of DAVIS."""
    known = {tuple(color) for color in color_palette().tolist()}
    return all(tuple(color) in known for color in colors.tolist())


def snapped(colors: np.ndarray) -> np.ndarray:
    """Move each channel of compressed colours to 0 or 255 if it is less than 24 away."""
    return np.where(colors < 24, 0, np.where(colors > 231, 255, colors)).astype(np.uint8)
