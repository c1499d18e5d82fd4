"""Says what the values of a mask mean: one table for given masks, ground truth, data sets, scoring and checks.

The first row that fits applies. If another reading is possible, a note says which one was taken.

======================================  ===============================================================================
stored values                           meaning
======================================  ===============================================================================
alpha that varies or is 0 everywhere    a cut-out: pixels of at least half of the largest alpha are the object. Flat
                                        colours or numbers tell several apart. Refused if no pixel is transparent.
other constant alpha                    ignored; the rest of the table applies
a palette with a black entry 0          the indices are object ids
a palette of shades, or other entry 0   its colours, as in the rows of colours, unless entry 0 surrounds everything
one bit per pixel, booleans             true is the object
floats                                  0 to 1: probabilities, 0.5 or more is the object; whole numbers: as integers
one value beside 0                      one object, with this number if it is below 255, else without a number
0 and numbers up to 63                  object ids; 255 beside them is void, which is no object and not scored
numbers in rings around a region        soft edges: half of the largest value or more is the object. If there are
                                        several objects, a pixel goes to the nearer one.
numbers up to 255 that form regions     object ids
other numbers                           probabilities, read like soft edges; pictures are refused
a JPEG with one channel                 soft edges; several gray levels are read as colours
gray in three channels                  one channel
at most 254 flat colours                one object per colour. Shades on edges go to the nearer colour; pictures are
                                        refused.
======================================  ===============================================================================

The background is 0 or black, unless another value surrounds everything (:mod:`~tempseg_mm.sources.mask_background`).
:mod:`~tempseg_mm.sources.object_names` gives colours their objects. Void pixels have no known class (PASCAL VOC).
"""

from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from tempseg_mm.visualization.palette import color_palette

from .mask_background import surrounding
from .mask_structure import (
    FEW,
    are_davis,
    flat_colors,
    flat_values,
    histogram,
    is_patchwork,
    is_picture,
    is_smooth_ramp,
    ring_levels,
    snapped,
    without_shades,
)
from .stored_mask import WHAT_MASKS_ARE, MaskValueError, StoredMask

HIGHEST_ID = 63  # numbers up to this one are always ids
VOID = 255
NEARLY_BLACK = 8
GRAYS = (64, 128, 192)  # gray levels in the palette of DAVIS
SOFT = ('has soft edges, so half of the largest value or more was taken as the object; save it with only 0 and 255 to '
        'make it clear')
SHADES = ('holds shades, which were taken as probabilities: half of the largest value or more is the object; numbers '
          'of objects must be flat regions with one value each')
NEAREST = ('has soft edges between its colours, so each pixel went to the nearest flat colour; save it as PNG without '
           'smoothing to make it clear')
CUT_OUT = 'is a cut-out, so what is not transparent was taken as object; save it without alpha to use its colours'
VOID_NOTE = ('holds 255 beside the numbers of objects, which was taken as void (no object); give it another number if '
             'it is an object')


@dataclass(frozen=True)
class Regions:
    """The values of a mask, before its background and the ids of its objects are settled.

    Attributes:
        kind: 'object' (one object without a number), 'ids' or 'colours'.
        index: (H, W) uint8: 0 and 1 for 'object', ids for 'ids', positions in ``colors`` for 'colours'.
        colors: (n, 3) uint8 RGB for 'colours'; (256, 3) for 'ids' from a palette; else ``None``.
        void: (H, W) bool; ``None`` without void pixels.
        notes: notices about the mask.
        only_255: 'palette' or 'gray' if 255 is the only value beside 0, which other masks may make void; else ''.
        declared: whether the mask itself marks its background, by alpha.
    """
    kind: str
    index: np.ndarray
    colors: np.ndarray | None = None
    void: np.ndarray | None = None
    notes: tuple = field(default=())
    only_255: str = ''
    declared: bool = False


def regions_of(stored: StoredMask, *, largest: int = 0) -> Regions:
    """Apply the table of this module to a mask.

    Args:
        stored: the mask.
        largest: largest value in earlier masks of the sequence. Half of it is the threshold of soft edges and 8-bit
            probabilities, unless this mask has a larger value.

    Raises:
        MaskValueError: if the values make no sense as a mask.
    """
    if stored.is_cut_out:
        return _cut_out(stored, largest)
    if stored.palette is not None:
        return _of_palette(stored, largest)
    if stored.pixels.ndim == 3:
        return _of_colors(stored, largest)
    return _of_numbers(stored, largest)


def refused(stored: StoredMask, what: str) -> MaskValueError:
    """Return the error for a mask whose values make no sense; ``what`` is the predicate of its sentence."""
    return MaskValueError(f'{stored.source} {what}; {WHAT_MASKS_ARE}')


def _cut_out(stored: StoredMask, largest: int) -> Regions:
    lowest, highest = int(stored.alpha.min()), int(stored.alpha.max())
    if highest and lowest > NEARLY_BLACK:
        raise refused(stored, f'has alpha from {lowest} to {highest}, so it is nowhere transparent')
    opaque = (stored.alpha.astype(np.int16) * 2 >= highest) & (stored.alpha > 0)
    if stored.palette is not None and not (stored.alpha[stored.pixels != 0] < 255).any():
        return _of_palette(replace(stored, pixels=stored.pixels * opaque, alpha=None), largest)
    alone = Regions('object', opaque.astype(np.uint8), notes=(CUT_OUT,), declared=True)
    if not highest:
        return replace(alone, notes=('is wholly transparent, so it shows no object; save it without alpha to use its '
                                     'colours',))
    below = stored.levels if stored.palette is not None else stored.pixels
    if below.dtype != np.uint8:
        return alone
    inside = below[opaque & (stored.alpha == highest)].reshape(-1, 1 if below.ndim == 2 else 3)
    values = np.unique(inside, axis=0) if len(inside) <= 4096 or len(np.unique(inside[::97], axis=0)) <= FEW else inside
    values = values[values.any(axis=1)] if len(values) <= FEW else values
    is_gray_one = len(values) == 1 and values.min() == values.max() > HIGHEST_ID
    if not 0 < len(values) <= FEW or is_gray_one:
        return alone
    flat = below * (opaque if below.ndim == 2 else opaque[..., None])
    shown = regions_of(StoredMask(np.ascontiguousarray(flat), lossy=stored.lossy, source=stored.source),
                       largest=largest)
    return replace(shown, notes=(*shown.notes, CUT_OUT))


def _of_palette(stored: StoredMask, largest: int) -> Regions:
    pixels, palette = stored.pixels, stored.palette
    used = np.flatnonzero(histogram(pixels))
    colors = palette[used]
    as_ids = Regions('ids', pixels, palette)
    numbered = used[used != VOID]  # void may have any colour
    if (palette[numbered] == color_palette()[numbered]).all():
        return _with_void(as_ids, used)
    if (colors == used[:, None]).all():
        return _of_numbers(replace(stored, palette=None), largest)
    if len(used) > 1 and are_davis(colors):  # DAVIS's colours in another order, so the indices mean nothing
        return _of_colors(replace(stored, pixels=palette[pixels], palette=None), largest)
    if len(used) > 2 and is_patchwork(pixels):
        raise refused(stored, f'has a palette of {len(used)} colours in small patches, as in a picture')
    if palette[0].max() <= NEARLY_BLACK:
        if len(np.unique(colors, axis=0)) == len(used) > 2 and \
                (without_shades(pixels, palette) != pixels).any():
            return _of_colors(replace(stored, pixels=palette[pixels], palette=None), largest)
        return _with_void(as_ids, used)
    if surrounding(pixels) == 0:
        return replace(_with_void(as_ids, used), notes=(
            f'has a palette whose entry 0, {tuple(palette[0].tolist())}, surrounds everything, so it was taken as '
            'background',))
    return _of_colors(replace(stored, pixels=palette[pixels], palette=None), largest)


def _with_void(regions: Regions, used: np.ndarray) -> Regions:
    """Decide what 255 is in a mask of ids: void beside ids up to 63, alone an object without a number, else an id."""
    encoding = 'gray' if regions.colors is None else 'palette'
    ids = used[used > 0]
    if ids.tolist() == [VOID]:
        return Regions('object', (regions.index == VOID).view(np.uint8), only_255=encoding, notes=regions.notes)
    if len(ids) and ids[-1] == VOID and ids[-2] <= HIGHEST_ID:
        void = regions.index == VOID
        return replace(regions, index=np.where(void, np.uint8(0), regions.index), void=void,
                       notes=(*regions.notes, VOID_NOTE))
    return regions


def _of_numbers(stored: StoredMask, largest: int) -> Regions:
    pixels = stored.pixels
    if pixels.dtype == bool:
        return Regions('object', np.ascontiguousarray(pixels).view(np.uint8))
    if pixels.dtype.kind == 'f':
        if not (np.isfinite(pixels).all() and pixels.min() >= 0):
            raise refused(stored, 'holds negative or non-finite numbers; floats must be numbers of objects, or '
                                  'probabilities between 0 and 1')
        whole = (pixels == np.floor(pixels)).all()
        if pixels.max() <= 1:
            note = () if whole else ('holds probabilities, so 0.5 or more was taken as the object',)
            return Regions('object', (pixels >= 0.5).astype(np.uint8), notes=note)
        if not whole and not 128 <= pixels.max() <= 255.5:
            raise refused(stored, 'holds fractions and numbers above 1; floats must be whole numbers of objects, or '
                                  'probabilities between 0 and 1')
        pixels = np.round(pixels).astype(np.int64)
    if pixels.dtype.kind not in 'ui':
        raise refused(stored, f'must hold booleans or numbers, got {pixels.dtype}')
    if pixels.dtype != np.uint8:
        if pixels.min() < 0 or pixels.max() > 255:
            return _of_wide_numbers(replace(stored, pixels=pixels), largest)
        pixels = pixels.astype(np.uint8)
    return _of_levels(replace(stored, pixels=np.ascontiguousarray(pixels)), largest)


def _of_wide_numbers(stored: StoredMask, largest: int) -> Regions:
    """Read numbers that do not fit into 8 bits."""
    pixels, values = stored.pixels, np.unique(stored.pixels)
    if values[0] >= 0 and len(values[values > 0]) == 1:
        return Regions('object', (pixels > 0).astype(np.uint8))
    if values[0] >= 0 and values[-1] <= 65535 and not (values % 257).any():
        return _of_levels(replace(stored, pixels=(pixels // 257).astype(np.uint8)), largest)
    if values[0] < 0 or len(values) <= FEW + 1:
        raise refused(stored, f'holds object ids from {values[0]} to {values[-1]}; they must be 0 to 255')
    levels = np.round(pixels * (255 / float(values[-1]))).astype(np.uint8)
    if is_picture(levels):
        raise refused(stored, 'looks like a picture, not like a mask')
    return Regions('object', (pixels.astype(np.float64) * 2 >= float(values[-1])).astype(np.uint8), notes=(SOFT,))


def _of_levels(stored: StoredMask, largest: int) -> Regions:
    """Read one channel of 8 bits."""
    levels = stored.pixels
    used = np.flatnonzero(histogram(levels))
    ids = used[used > 0]
    as_ids = Regions('ids', levels)
    if not len(ids):
        return as_ids
    if stored.lossy and len(ids) > 1:
        return _of_lossy_levels(stored, largest)
    if len(ids) == 1 or ids[-1] <= HIGHEST_ID:
        return _with_void(as_ids, used)
    is_flat = flat_values(levels, 256)
    regions, others = ids[is_flat[ids]], ids[:-1]
    if len(regions) == 0 and len(ids) <= FEW:  # too few pixels to judge by their places
        return _with_void(as_ids, used)
    if not (len(ids) > FEW and is_smooth_ramp(levels)):
        rings = ring_levels(levels, is_flat)[others]
        if np.count_nonzero(rings) * 2 < len(others) and (len(regions) >= 0.5 * len(ids) or len(ids) <= FEW):
            return _with_void(as_ids, used)
        if rings.any() and len(regions) > 1:
            return _of_several_levels(stored, largest)
    return _soft(stored, largest, SOFT if len(regions) else SHADES)


def _of_several_levels(stored: StoredMask, largest: int) -> Regions:
    """Read flat levels with shades between them: they are several objects, or one object that was blurred."""
    index = without_shades(stored.pixels, np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
    found = np.flatnonzero(histogram(index))
    if len(found) > FEW + 1 or np.diff(found).min(initial=255) <= 32 or found[0] > 0:
        return _soft(stored, largest, SOFT)
    return _with_void(Regions('ids', index, notes=(NEAREST,)), found)


def _of_lossy_levels(stored: StoredMask, largest: int) -> Regions:
    top = int(stored.pixels.max())
    if top <= HIGHEST_ID:
        raise refused(stored, f'is a JPEG of numbers up to {top}, which JPEG changes: save it as PNG')
    found = flat_colors(np.repeat(stored.pixels[..., None], 3, axis=2))
    if found is None or np.count_nonzero(found[1].max(axis=1) > 32) < 2:
        return _soft(stored, largest, SOFT)
    return Regions('colours', found[0], snapped(found[1]), notes=(NEAREST,))


def _soft(stored: StoredMask, largest: int, note: str) -> Regions:
    levels = stored.pixels
    if is_picture(levels):
        raise refused(stored, 'looks like a picture, not like a mask')
    top = max(int(levels.max()), largest)
    return Regions('object', (levels.astype(np.int16) * 2 >= top).astype(np.uint8), notes=(note,))


def _of_colors(stored: StoredMask, largest: int) -> Regions:
    rgb = np.ascontiguousarray(stored.pixels)
    if (rgb[..., 0] == rgb[..., 1]).all() and (rgb[..., 1] == rgb[..., 2]).all():
        shown = _of_levels(replace(stored, pixels=np.ascontiguousarray(rgb[..., 0])), largest)
        if shown.kind == 'ids' and shown.void is None and set(np.flatnonzero(histogram(shown.index))) <= {0, *GRAYS}:
            return replace(shown, kind='colours', colors=np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1))
        return shown
    counted = None if stored.lossy else Image.fromarray(rgb).getcolors(256)
    if counted is None:
        found = flat_colors(rgb)
        if found is None:
            raise refused(stored, 'looks like a picture or an overlay, not like a mask')
        return Regions('colours', found[0], snapped(found[1]), notes=(NEAREST,))
    colors = np.array(sorted(color for _, color in counted), np.uint8)
    packed = rgb.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32)
    index = np.searchsorted(colors.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], np.int32), packed).astype(np.uint8)
    if are_davis(colors):
        return Regions('colours', index, colors)
    mended = without_shades(index, colors)
    left = np.flatnonzero(histogram(mended))
    if is_patchwork(mended) or len(left) > FEW + 1 and \
            np.count_nonzero(flat_values(mended, len(colors))) < 0.5 * len(left):
        found = flat_colors(rgb)
        if found is None:
            raise refused(stored, f'holds {len(left)} colours that form no flat regions, as in a picture')
        return Regions('colours', found[0], snapped(found[1]), notes=(NEAREST,))
    return Regions('colours', mended, colors, notes=(NEAREST,) if mended is not index else ())
