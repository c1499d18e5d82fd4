"""One meaning for a set of masks: which value is the background, and which object each other one is.

Relies on :class:`~tempseg_mm.sources.object_names.ObjectNames`, which two sets of one run share.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from tempseg_mm.runtime.notices import Notices

from .mask_background import background_color, surrounding
from .mask_regions import HIGHEST_ID, VOID, VOID_NOTE, Regions, refused
from .mask_structure import flat_values, histogram, ring_levels
from .object_names import WHITE, ObjectNames
from .stored_mask import StoredMask

MOST_OF_FRAME, SPECK = 0.9, 9  # a share; pixels
INVERTED = ('is surrounded by {color}: taken as background, and what is {other} as the object; saved the other way '
            'round, it is the object')
SURROUNDED = 'is surrounded by {color}: taken as background; saved with black around its objects, nothing is guessed'
COVERS = ('shows an object in all four corners; if that is the background, save the mask inverted')
FILLS = ('shows objects in more than 90 % of the frame; if that is the background, save the mask inverted')
TINY = 'shows object {i} in fewer than 9 pixels: perhaps a slip of the brush, or a shade of an edge'
RINGS = ('holds the numbers {ids} in thin rings between lower and higher ones, as soft edges have: resized by the '
         'nearest pixel, ids stay whole')
REORDERED = ('has a palette with the colours of other masks in another order: its colours count, not its numbers; '
             'saved with one palette, they agree')
NO_NUMBER = 'shows one object without a number, taken as object {i}'


@dataclass(frozen=True)
class Labels:
    """Which object each pixel belongs to.

    Attributes:
        ids: (H, W) uint8, 0 the background and void pixels, 1 to 255 the objects.
        void: (H, W) bool, pixels that are not to be scored; ``None`` where there are none.
    """
    ids: np.ndarray
    void: np.ndarray | None = None


class SetMeaning:
    """What the masks of one set, given ones or ground truth, have shown so far, and what it makes of the next.

    Args:
        names: of objects.

    Attributes:
        background: 'zero', what else is the background of the masks ('one': they are inverted), or ``None``: no mask
            with an object was seen.
        largest: value of masks in shades.
    """

    def __init__(self, names: ObjectNames) -> None:
        self.names, self.background, self.largest = names, None, 0
        self._has_ids: set = set()  # 'palette': a mask with a palette holds ids; 'several': the first one holds several
        self._is_begun = False
        self._others = frozenset(names.known)  # objects that the other set has shown
        self._has_shown = False
        self._alias: dict[int, int] = {}
        self._seen_ids: set = set()

    def note_numbers(self, regions: Regions) -> None:
        """Note whether masks number their objects, which decides what 255 alone means in others.

        It is void if the first mask that shows an object numbers several, or if both have a palette.
        """
        are_ids = regions.kind == 'ids'
        ids = np.flatnonzero(histogram(regions.index)) if are_ids else np.array([int(regions.index.any())])
        ids = ids[(ids > 0) & (ids <= HIGHEST_ID)]
        if len(ids) and are_ids and regions.colors is not None:
            self._has_ids.add('palette')
        if len(ids) > 1 and not self._is_begun:
            self._has_ids.add('several')
        self._is_begun |= bool(len(ids))

    def note_palette(self, regions: Regions) -> None:
        """Note the colours of numbered objects, so that the same colours without numbers mean these."""
        if regions.kind == 'ids':
            numbers = [i for i in np.flatnonzero(histogram(regions.index)).tolist() if i]
            palette = _palette_of(regions, numbers)
            if not self.names.by_palette(palette):
                self.names.add_palette(palette)

    def labels(self, stored: StoredMask, regions: Regions, say: 'Teller') -> Labels:
        """The ids of a mask.

        Args:
            stored: the mask.
            regions: likewise.
            say: takes notices.

        Raises:
            MaskValueError: if they do not fit to the other masks.
        """
        for note in regions.notes:
            say(note)
        self.note_numbers(regions)
        if stored.pixels.dtype == np.uint8 and not regions.declared and regions.kind == 'object':
            self.largest = max(self.largest, int(stored.pixels.max()))
        if regions.only_255 and self._has_ids & {'several', *({'palette'} & {regions.only_255})}:
            say(VOID_NOTE)
            return Labels(np.zeros_like(regions.index), regions.index.astype(bool))
        labels = dict(object=self._of_object, ids=self._of_ids, colours=self._of_colors)[regions.kind](
            stored, regions, say)
        if say.notices is not None:
            _tell_what_is_odd(labels.ids, say)
        return labels

    def _of_object(self, stored: StoredMask, regions: Regions, say: 'Teller') -> Labels:
        index = regions.index
        if not index.any():
            return Labels(index)
        if self._is_inverted(index, 'one', declared=regions.declared):
            say(INVERTED.format(color='white', other='black'))
            index = 1 - index
        known = self._same_as_known(WHITE not in self.names.colors and not self.names.numbers)
        if known is not None:
            self.names.colors[WHITE] = known
        i = self.names.id_of_the_object(is_white=bool(regions.only_255))
        if i is None:
            ids = ', '.join(map(str, sorted(self.names.known)))
            raise refused(stored, f'shows one object without a number, and other masks number theirs {ids}: save it '
                                  'with the number of the object it shows')
        if i != 1:
            say(NO_NUMBER.format(i=i))
        self._has_shown = True
        return Labels(index if i == 1 else index * np.uint8(i))

    def _is_inverted(self, index: np.ndarray, key: Any, *, declared: bool = False) -> bool:
        """Whether 1, or the one id there is, is the background of (H, W) 0 and others; remembered for the set."""
        around = surrounding(index)
        if declared or index.all():
            return False
        if around and self.background in (None, key):
            self.background = key
            return True
        if self.background is None:
            self.background = 'zero'
        return self.background == key and around is None

    def _of_ids(self, stored: StoredMask, regions: Regions, say: 'Teller') -> Labels:
        index, around = regions.index, None
        ids = np.flatnonzero(histogram(index)).tolist()
        numbers = [i for i in ids if i]
        if len(numbers) == 1 and ids[0] == 0 and self._is_inverted(index, numbers[0]):
            say(INVERTED.format(color=numbers[0], other=0))
            index = np.where(index == 0, np.uint8(numbers[0]), np.uint8(0))
        elif numbers and ids[0] > 0 and len(ids) > 1 and self.background in (None, around := surrounding(index)):
            if around is not None:
                self.background = around
                say(SURROUNDED.format(color=around).replace('black', '0'))
                index = np.where(index == around, np.uint8(0), index)
                numbers.remove(around)
        elif numbers and self.background is None:
            self.background = 'zero'
        known = self._same_as_known(len(numbers) == 1 and numbers[0] not in self.names.numbers and
                                    numbers[0] not in self.names.colors.values())
        if known is not None and known != numbers[0]:
            self._alias[numbers[0]] = known
        for i in (i for i in numbers if i in self._alias):  # also where it was learned before anything was said
            say(NO_NUMBER.format(i=self._alias[i]).replace('without a number', f'with the number {i}'))
        if numbers == [VOID] and self.background == around is not None:
            self._alias[VOID] = self.names.id_of_the_object(is_white=True) or VOID
        palette = _palette_of(regions, numbers)
        if moved := self.names.by_palette(palette):
            say(REORDERED)
        table = {i: self._alias.get(i) or moved.get(i) or self._as_gray(i, regions) for i in numbers}
        if any(table[i] != i for i in numbers):
            index = _replaced(index, table)
        self.names.add_numbers(table.values())
        self.names.add_palette({table[i]: color for i, color in palette.items()})
        self._has_shown |= bool(numbers)
        new = set(numbers) - self._seen_ids
        self._seen_ids |= new
        if new and len(numbers) > 1 and say.notices is not None and not regions.notes:
            rings = np.flatnonzero(ring_levels(index, flat_values(index, 256)))
            if len(rings):
                say(RINGS.format(ids=', '.join(map(str, rings[:5])) + (', ...' if len(rings) > 5 else '')))
        return Labels(index, regions.void)

    def _as_gray(self, i: int, regions: Regions) -> int:
        return i if regions.colors is not None else self.names.colors.get((i, i, i), i)

    def _of_colors(self, stored: StoredMask, regions: Regions, say: 'Teller') -> Labels:
        index, colors = regions.index, regions.colors
        used = np.flatnonzero(histogram(index))
        shown = {int(i): tuple(colors[i].tolist()) for i in used}
        ground = background_color(index, colors)
        kept = [i for i, color in shown.items() if color == self.background]
        if self.background == 'zero':
            kept = [i for i, color in shown.items() if max(color) <= 8]
        if kept and (ground is None or self.background == 'zero' or max(shown[ground]) > 8):
            ground = kept[0]
        if ground is None and len(shown) > 1:
            raise refused(stored, f'has no background: none of its {len(shown)} colours is black, and none surrounds '
                                  'the others')
        if ground is not None:
            is_black = max(shown[ground]) <= 8
            if not is_black:
                say(SURROUNDED.format(color=self.names.text(shown[ground])))
            if self.background is None and len(shown) > 1:
                self.background = 'zero' if is_black else shown[ground]
            del shown[ground]
        known = self._same_as_known(len(shown) == 1 and self.names.find(next(iter(shown.values()))) is None)
        if known is not None:
            self.names.colors[next(iter(shown.values()))] = known
            say(NO_NUMBER.format(i=known))
        table = dict(zip(shown, self.names.ids_of(list(shown.values()), exact=not stored.lossy), strict=True))
        self._has_shown |= bool(table)
        labels = _replaced(index, {**({} if ground is None else {ground: 0}), **table})
        void = None
        if VOID in table.values() and max({*table.values()} - {VOID}, default=VOID) <= HIGHEST_ID:
            void, labels = labels == VOID, np.where(labels == VOID, np.uint8(0), labels)
        return Labels(labels, void)

    def _same_as_known(self, is_one_unknown: bool) -> int | None:
        """The one object of the other set, if this set's first object is one that has no name in it."""
        if not is_one_unknown or self._has_shown or len(self._others) != 1 or self.names.known != self._others:
            return None
        return next(iter(self._others))


def _palette_of(regions: Regions, numbers: list) -> dict:
    """Number -> colour (red, green, blue), of a mask that has a palette."""
    return {} if regions.colors is None else {i: tuple(regions.colors[i].tolist()) for i in numbers}


def _tell_what_is_odd(ids: np.ndarray, say: 'Teller') -> None:
    counts = histogram(ids)
    objects = ids.size - counts[0]
    if objects > MOST_OF_FRAME * ids.size:
        say(FILLS)
    elif objects and all((ids[0, 0], ids[0, -1], ids[-1, 0], ids[-1, -1])):
        say(COVERS)
    for i in np.flatnonzero((counts > 0) & (counts < SPECK)):
        if i and ids.size > 4096:
            say(TINY.format(i=i))


@dataclass(frozen=True)
class Teller:
    """Adds notices about one mask; none where ``notices`` is ``None``."""
    notices: Notices | None
    name: str

    def __call__(self, sentence: str) -> None:
        if self.notices is not None:
            self.notices.add(sentence, file=self.name)


def _replaced(index: np.ndarray, table: dict) -> np.ndarray:
    lookup = np.arange(256, dtype=np.uint8)
    lookup[list(table)] = list(table.values())
    return lookup[index]
