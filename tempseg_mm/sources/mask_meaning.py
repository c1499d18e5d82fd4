"""Decides for a whole set of masks which value is the background and which object each other value is.

Two sets of one run (given masks, ground truth) share their ids by one
:class:`~tempseg_mm.sources.object_names.ObjectNames`.
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

MOST_OF_FRAME = 0.9  # share of the frame above which objects are reported as probably inverted
SPECK = 9  # objects of fewer pixels are reported
INVERTED = ('is surrounded by {color}, so {color} was taken as background and {other} as the object; save the mask '
            'inverted to swap them')
SURROUNDED = ('is surrounded by {color}, so {color} was taken as background; save the mask with black around its '
              'objects to make it clear')
COVERS = 'shows an object in all four corners; if that is the background, save the mask inverted'
FILLS = 'shows objects in more than 90 % of the frame; if that is the background, save the mask inverted'
TINY = 'shows object {i} in fewer than 9 pixels: this may be a slip of the brush, or a shade of an edge'
RINGS = ('holds the numbers {ids} in thin rings between lower and higher numbers, as soft edges do; resize masks by '
         'the nearest pixel to keep their ids')
REORDERED = ('has a palette with the colours of other masks in another order, so its colours count and not its '
             'numbers; save all masks with one palette to make them agree')
NO_NUMBER = 'shows one object without a number, which was taken as object {i}'


@dataclass(frozen=True)
class Labels:
    """The object of each pixel.

    Attributes:
        ids: (H, W) uint8: 0 for background and void pixels, 1 to 255 for the objects.
        void: (H, W) bool, pixels that are not scored; ``None`` without such pixels.
    """
    ids: np.ndarray
    void: np.ndarray | None = None


class SetMeaning:
    """Remembers the masks of one set (given masks or ground truth) and reads the next one with the same meaning.

    Args:
        names: ids of colours.

    Attributes:
        background: background of all masks of the set: 'zero' (0 or black), 'one' (the mask of one object is inverted),
            a number, or a colour; ``None`` before the first mask with an object.
        largest: largest value in 8-bit masks of one object so far, which scales masks in shades.
    """

    def __init__(self, names: ObjectNames) -> None:
        self.names, self.background, self.largest = names, None, 0
        # 'palette': a mask with a palette holds ids; 'several': the first mask with an object holds several ids
        self._has_ids: set = set()
        self._is_begun = False
        self._others = frozenset(names.known)  # objects that the other set showed before
        self._has_shown = False
        self._alias: dict[int, int] = {}
        self._seen_ids: set = set()

    def note_numbers(self, regions: Regions) -> None:
        """Note whether the masks number their objects. This decides what 255 alone means in a later mask.

        It means void if the first mask with an object numbers several, or if both masks have a palette.
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
        """Note the colours of numbered objects, so that masks with the same colours but no numbers mean them."""
        if regions.kind == 'ids':
            numbers = [i for i in np.flatnonzero(histogram(regions.index)).tolist() if i]
            palette = _palette_of(regions, numbers)
            if not self.names.by_palette(palette):
                self.names.add_palette(palette)

    def labels(self, stored: StoredMask, regions: Regions, say: 'Teller') -> Labels:
        """Return the object ids of a mask.

        Args:
            stored: the mask as it was stored.
            regions: the values of the mask, from :func:`~tempseg_mm.sources.mask_regions.regions_of`.
            say: receives notices about the mask.

        Raises:
            MaskValueError: if the mask does not agree with the other masks.
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
            raise refused(stored, f'shows one object without a number, but other masks use the numbers {ids}: save it '
                                  'with the number of its object')
        if i != 1:
            say(NO_NUMBER.format(i=i))
        self._has_shown = True
        return Labels(index if i == 1 else index * np.uint8(i))

    def _is_inverted(self, index: np.ndarray, key: Any, *, declared: bool = False) -> bool:
        """Return True if 0 is the object and the other value of (H, W) the background; remember this for the set."""
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
        for i in (i for i in numbers if i in self._alias):  # also if an alias was learned while notices were off
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
            raise refused(stored, f'has no background: none of its {len(shown)} colours is black or surrounds the '
                                  'others')
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
        """Return the only object of the other set, if the first object of this set has no known number or colour."""
        if not is_one_unknown or self._has_shown or len(self._others) != 1 or self.names.known != self._others:
            return None
        return next(iter(self._others))


def _palette_of(regions: Regions, numbers: list) -> dict:
    """Return number -> colour (red, green, blue) of a mask with a palette; empty without one."""
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
    """Adds notices about the mask ``name``; if ``notices`` is ``None``, it ignores them."""
    notices: Notices | None
    name: str

    def __call__(self, sentence: str) -> None:
        if self.notices is not None:
            self.notices.add(sentence, file=self.name)


def _replaced(index: np.ndarray, table: dict) -> np.ndarray:
    lookup = np.arange(256, dtype=np.uint8)
    lookup[list(table)] = list(table.values())
    return lookup[index]
