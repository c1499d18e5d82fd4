"""Masks as object ids: the one reader behind given masks, ground truth, data sets, scoring and checks.

A :class:`MaskReader` reads the masks of one sequence, so that they have one meaning: a colour is the same object in all
of them, and so is the background. The table of meanings is in :mod:`~tempseg_mm.sources.mask_regions`.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import RLock
from typing import Any

import numpy as np

from tempseg_mm.runtime.notices import Notices

from .mask_background import background_color, border_of, surrounding
from .mask_regions import HIGHEST_ID, VOID, VOID_NOTE, Regions, histogram, refused, regions_of
from .mask_structure import flat_values, ring_levels
from .object_names import WHITE, ObjectNames
from .stored_mask import MaskValueError, StoredMask, stored_mask

MOST_OF_FRAME, SPECK = 0.9, 9  # a share; pixels
INVERTED = ('is surrounded by {color}: taken as background, and what is {other} as the object; saved the other way '
            'round, it is the object')
SURROUNDED = 'is surrounded by {color}: taken as background; saved with black around its objects, nothing is guessed'
COVERS = ('shows an object in all four corners; if that is the background, save the mask inverted')
FILLS = ('shows objects in more than 90 % of the frame; if that is the background, save the mask inverted')
TINY = 'shows object {i} in {n} pixel(s): perhaps a slip of the brush, or a shade of an edge'
RINGS = ('holds the numbers {ids} in thin rings between lower and higher ones, as soft edges have: resized by the nearest '
         'pixel, ids stay whole')
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


class MaskReader:
    """Reads the masks of one sequence.

    ::

        given = MaskReader(notices)
        given.learn(masks)               # optional: all masks there are, so that ids follow their order
        labels = given.read('00000.png').ids
        truth = given.companion()        # another set of masks of the same objects
        truth.read('gt/00000.png')

    Safe for several threads. What a mask means does not depend on when it is read, if ``masks`` names all.

    Args:
        notices: takes how masks were understood.
        masks: the masks of the sequence in order, looked at only as far as one that is read needs it.
        names: of objects, shared with another set of masks.

    Attributes:
        names: which object each colour is.
        notices: likewise.
    """

    def __init__(self, notices: Notices | None = None, masks: Sequence = (), *, names: ObjectNames | None = None
                 ) -> None:
        self.notices = Notices() if notices is None else notices
        self.names = ObjectNames() if names is None else names
        self._masks, self._learned = list(masks), 0
        self._background: Any = None  # of the set: ``'zero'``, ``'one'`` (inverted), an id or a colour
        self._has_ids: set = set()  # 'palette' and 'gray' where such masks number their objects
        self._largest = 0
        self._others = frozenset(self.names.known)  # objects that the other set has shown
        self._has_shown = False
        self._alias: dict[int, int] = {}
        self._seen_ids: set = set()
        self._lock = RLock()

    def companion(self, notices: Notices | None = None, masks: Sequence = ()) -> 'MaskReader':
        """A reader of another set of masks that shows the same objects, such as ground truth or predictions.

        Colours and numbers mean the same in both; the background is looked for anew.

        Args:
            notices: default: those of this reader.
            masks: see the class.
        """
        return MaskReader(self.notices if notices is None else notices, masks, names=self.names)

    def learn(self, masks: Sequence) -> None:
        """Look at masks before they are read, in order: what their numbers, colours and background are.

        Args:
            masks: files or arrays.

        Raises:
            OSError, MaskValueError: see :meth:`read`.
        """
        with self._lock:
            found = [(stored, regions_of(stored)) for stored in map(stored_mask, masks)]
            for stored, regions in found:
                self._note_numbers(regions)
            for stored, regions in found:
                self._labels(stored, regions, quiet=True)

    def read(self, mask: Any, *, name: str | None = None) -> Labels:
        """Read a mask.

        Args:
            mask: what :func:`~tempseg_mm.sources.stored_mask.stored_mask` takes: a file, an array, ...
            name: what it is, for notices; default: the path, or 'the array given as mask'.

        Raises:
            FileNotFoundError: if there is no such file.
            UnreadableImageError: if it cannot be decoded.
            MaskValueError: if its values say nothing sensible.
        """
        return self.labels_of(stored_mask(mask), name=name)

    def labels_of(self, stored: StoredMask, *, name: str | None = None) -> Labels:
        """As :meth:`read`, of a mask that is decoded.

        Raises:
            MaskValueError: as there.
        """
        with self._lock:
            self._learn_from_masks(1)
            regions = regions_of(stored, largest=self._largest)
            if regions.kind == 'colours' and self._learned < len(self._masks) or regions.only_255 == 'palette':
                self._learn_from_masks(len(self._masks))
            return self._labels(stored, regions, name=name)

    # --- from regions to ids ---

    def _learn_from_masks(self, count: int) -> None:
        """Looks at the first masks of the sequence, until one shows an object; or at so many of them."""
        while self._learned < min(count, len(self._masks)):
            self._learned += 1
            with suppress(OSError, ValueError):  # it is told when that mask itself is read
                stored = stored_mask(self._masks[self._learned - 1])
                regions = regions_of(stored)
                self._note_numbers(regions)
                self._labels(stored, regions, quiet=True)
            count += self._background is None and count == self._learned

    def _note_numbers(self, regions: Regions) -> None:
        if regions.kind != 'ids':
            return
        ids = np.flatnonzero(histogram(regions.index))
        ids = ids[(ids > 0) & (ids <= HIGHEST_ID)]
        self._has_ids |= {'palette'} if regions.colors is not None and len(ids) else set()
        self._has_ids |= {'several'} if len(ids) and ids[-1] > 1 else set()

    def _labels(self, stored: StoredMask, regions: Regions, *, quiet: bool = False, name: str | None = None) -> Labels:
        say = _Teller(None if quiet else self.notices, name or stored.source.removeprefix('mask '))
        for note in regions.notes:
            say(note)
        self._note_numbers(regions)
        if stored.pixels.dtype == np.uint8 and not regions.declared and regions.kind == 'object':
            self._largest = max(self._largest, int(stored.pixels.max()))
        if regions.only_255 and self._has_ids & {'several', *({'palette'} & {regions.only_255})}:
            say(VOID_NOTE)
            return Labels(np.zeros_like(regions.index), regions.index.astype(bool))
        labels = dict(object=self._of_object, ids=self._of_ids, colours=self._of_colors)[regions.kind](
            stored, regions, say)
        if not quiet:
            self._tell_what_is_odd(labels.ids, say)
        return labels

    def _of_object(self, stored: StoredMask, regions: Regions, say: '_Teller') -> Labels:
        index = regions.index
        if not index.any():
            return Labels(index)
        if self._is_inverted(index, 'one', declared=regions.declared):
            say(INVERTED.format(color='white', other='black'))
            index = 1 - index
        known = self._same_as_known(WHITE not in self.names.colors and not self.names.numbers)
        if known is not None:
            self.names.colors[WHITE] = known
        i = self.names.id_of_the_object()
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
        if around and self._background in (None, key):
            self._background = key
            return True
        if self._background is None:
            self._background = 'zero'
        return self._background == key and around is None

    def _of_ids(self, stored: StoredMask, regions: Regions, say: '_Teller') -> Labels:
        index, around = regions.index, None
        ids = np.flatnonzero(histogram(index)).tolist()
        numbers = [i for i in ids if i]
        if len(numbers) == 1 and ids[0] == 0 and self._is_inverted(index, numbers[0]):
            say(INVERTED.format(color=numbers[0], other=0))
            index = np.where(index == 0, np.uint8(numbers[0]), np.uint8(0))
        elif numbers and ids[0] > 0 and len(ids) > 1 and self._background in (None, around := surrounding(index)):
            if around is not None:
                self._background = around
                say(SURROUNDED.format(color=around).replace('black', '0'))
                index = np.where(index == around, np.uint8(0), index)
                numbers.remove(around)
        elif numbers and self._background is None:
            self._background = 'zero'
        known = self._same_as_known(len(numbers) == 1 and numbers[0] not in self.names.numbers and
                                    numbers[0] not in self.names.colors.values())
        if known is not None and known != numbers[0]:
            self._alias[numbers[0]] = known
            say(NO_NUMBER.format(i=known).replace('without a number', f'with the number {numbers[0]}'))
        table = {i: self._alias.get(i) or self._as_gray(i, regions) for i in numbers}
        if any(table[i] != i for i in numbers):
            index = _replaced(index, table)
        self.names.add_numbers(table.values(), regions.colors)
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

    def _of_colors(self, stored: StoredMask, regions: Regions, say: '_Teller') -> Labels:
        index, colors = regions.index, regions.colors
        used = np.flatnonzero(histogram(index))
        shown = {int(i): tuple(colors[i].tolist()) for i in used}
        ground = background_color(index, colors)
        kept = [i for i, color in shown.items() if color == self._background]
        if self._background == 'zero':
            kept = [i for i, color in shown.items() if max(color) <= 8]
        if kept and (ground is None or self._background == 'zero' or max(shown[ground]) > 8):
            ground = kept[0]
        if ground is None and len(shown) > 1:
            raise refused(stored, f'has no background: none of its {len(shown)} colours is black, and none surrounds '
                                  'the others')
        if ground is not None:
            is_black = max(shown[ground]) <= 8
            if not is_black:
                say(SURROUNDED.format(color=self.names.text(shown[ground])))
            if self._background is None and len(shown) > 1:
                self._background = 'zero' if is_black else shown[ground]
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

    def _tell_what_is_odd(self, ids: np.ndarray, say: '_Teller') -> None:
        counts = histogram(ids)
        objects = ids.size - counts[0]
        if objects > MOST_OF_FRAME * ids.size:
            say(FILLS)
        elif objects and all((ids[0, 0], ids[0, -1], ids[-1, 0], ids[-1, -1])):
            say(COVERS)
        for i in np.flatnonzero((counts > 0) & (counts < SPECK)):
            if i and ids.size > 4096:
                say(TINY.format(i=i, n=counts[i]))


@dataclass(frozen=True)
class _Teller:
    """Adds notices about one mask."""
    notices: Notices | None
    name: str

    def __call__(self, sentence: str) -> None:
        if self.notices is not None:
            self.notices.add(sentence, file=self.name)


def _replaced(index: np.ndarray, table: dict) -> np.ndarray:
    lookup = np.arange(256, dtype=np.uint8)
    lookup[list(table)] = list(table.values())
    return lookup[index]
