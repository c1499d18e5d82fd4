"""Whether the values of a mask are objects or shades: told from where their pixels lie. Used for unusual masks only.

An object is a region, so most of its pixels lie in squares of 2x2 equal ones. A shade of a soft edge is a thin ring
between a lower and a higher value. A picture is neither.
"""

from itertools import combinations

import cv2
import numpy as np

from tempseg_mm.visualization.palette import color_palette

FEW = 20  # values that are taken at their word where nothing about their places speaks
REACH = np.ones((9, 9), np.uint8)  # how far from a region its soft edge may lie
ON_THE_WAY = 16  # largest distance of a shade from the straight line between the two colours that it mixes
ALIKE = 24  # values closer than this are one, where compression or blur may have changed them
MID_SHARE, ROUGHNESS = 0.5, 1.2  # a picture has more pixels between black and white, and changes faster
EVEN, EVEN_SHARE = 8, 0.75  # of the pixels of a compressed mask, so many have nearly the colour of their region
EVEN_SHARE_SHOWN = 0.43  # likewise of those outside of the most common one: not so photographs on black
MOST_EDGES, LEAST_PIXELS = 0.25, 4096  # a mask that is not tiny has fewer pixels outside of squares


def histogram(levels: np.ndarray) -> np.ndarray:
    """(256,) pixels of each value of (H, W) uint8."""
    counts, top = np.zeros(256, np.int64), int(levels.max())
    counts[top] = np.count_nonzero(levels == top)
    counts[0] = levels.size - np.count_nonzero(levels)
    if counts[0] + counts[top] in (levels.size, 2 * levels.size):  # one value beside 0, as a rule, and fast
        return counts
    return cv2.calcHist([levels], [0], None, [256], [0, 256]).ravel().astype(np.int64)


def in_regions(index: np.ndarray) -> np.ndarray:
    """Pixels that lie in a square of 2x2 equal ones.

    Args:
        index: (H, W) of any type.

    Returns:
        (H, W) bool.
    """
    across, down = index[:, 1:] == index[:, :-1], index[1:] == index[:-1]
    squares = across[1:] & across[:-1] & down[:, 1:] & down[:, :-1]
    found = np.zeros(index.shape, bool)
    for rows in (slice(None, -1), slice(1, None)):
        for columns in (slice(None, -1), slice(1, None)):
            found[rows, columns] |= squares
    return found


def flat_values(index: np.ndarray, count: int) -> np.ndarray:
    """Which values are regions: half of their pixels or more lie in squares.

    Args:
        index: (H, W) uint8 or uint16, below ``count``.
        count: of values.

    Returns:
        (count,) bool.
    """
    pixels = np.bincount(index.ravel(), minlength=count)
    flat = np.bincount(index[in_regions(index)], minlength=count)
    return (flat * 2 >= pixels) & (pixels > 0)


def ring_levels(levels: np.ndarray, is_flat: np.ndarray) -> np.ndarray:
    """Which levels are shades: no regions, and most of their pixels lie near a lower and a higher region.

    Args:
        levels: (H, W) uint8.
        is_flat: (256,) of :func:`flat_values`.

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
    """The values that stand for all those near them, the most frequent first.

    Args:
        values: (n, C) levels or colours.
        pixels: (n,) how many have each.

    Returns:
        Positions in ``values``.
    """
    kept: list = []
    for position in np.argsort(-pixels, kind='stable'):
        if not kept or np.abs(values[kept].astype(int) - values[position].astype(int)).max(axis=1).min() > ALIKE:
            kept.append(int(position))
    return np.array(kept, int)


def is_smooth_ramp(levels: np.ndarray) -> bool:
    """Whether neighbours that differ hardly do: shades that run into each other, as probabilities have it.

    Args:
        levels: (H, W) uint8.
    """
    steps = np.concatenate([np.abs(np.diff(levels.astype(np.int16), axis=axis)).ravel() for axis in (0, 1)])
    steps = steps[steps > 0]
    return steps.size > 0 and np.count_nonzero(steps <= 2) > 0.8 * steps.size


def is_patchwork(index: np.ndarray) -> bool:
    """Whether regions are as small as those of a picture with few colours.

    Args:
        index: (H, W) of any type.
    """
    return index.size >= LEAST_PIXELS and np.count_nonzero(~in_regions(index)) > MOST_EDGES * index.size


def is_picture(levels: np.ndarray) -> bool:
    """Whether this is a scene in gray rather than shades of a mask.

    Args:
        levels: (H, W) uint8.
    """
    mid = (levels > 16) & (levels < 239)
    rough = np.abs(cv2.Laplacian(levels, cv2.CV_16S))[mid]
    return bool(mid.mean() > MID_SHARE and rough.mean() > ROUGHNESS)


def without_shades(index: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Give shades between two regions to the nearer of them.

    Args:
        index: (H, W) positions in ``colors``.
        colors: (n, C) uint8.

    Returns:
        (H, W), ``index`` itself where there are no shades.
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
    """(a, b) -> (n,) bool: which shades lie on the way from flat colour a to b."""
    found = {}
    for a, b in combinations(range(len(flats)), 2):
        way = flats[b] - flats[a]
        place = ((shades - flats[a]) @ way / (way @ way)).clip(0, 1)
        on_the_way = np.linalg.norm(shades - flats[a] - place[:, None] * way, axis=1) <= ON_THE_WAY
        if on_the_way.any():
            found[a, b] = on_the_way
    return found


def flat_colors(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Find the few colours of a mask whose edges are soft, or that was compressed.

    Args:
        rgb: (H, W, 3) uint8 of many colours.

    Returns:
        (H, W) uint8 positions, (n, 3) uint8 colours; ``None`` if it is a picture.
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
    shown = index != np.bincount(index.ravel()).argmax()  # a picture before an even background is one
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
    """(H, W) uint8 position of the nearest colour, (H, W) the largest difference from it in a channel."""
    index, best = np.zeros(rgb.shape[:2], np.uint8), np.full(rgb.shape[:2], 256, np.int16)
    for position, color in enumerate(colors):
        away = np.abs(rgb.astype(np.int16) - color.astype(np.int16)).max(axis=2)
        closer = away < best
        index[closer], best[closer] = position, away[closer]
    return index, best


def are_davis(colors: np.ndarray) -> bool:
    """Whether colours are those of the palette of DAVIS, which is what they are then."""
    known = {tuple(color) for color in color_palette().tolist()}
    return all(tuple(color) in known for color in colors.tolist())


def snapped(colors: np.ndarray) -> np.ndarray:
    """Colours that were compressed, brought to the ends of the scale where they are near them."""
    return np.where(colors < 24, 0, np.where(colors > 231, 255, colors)).astype(np.uint8)
