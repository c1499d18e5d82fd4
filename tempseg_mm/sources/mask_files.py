"""Masks as object ids: the one reader behind given masks, ground truth, data sets, scoring and checks.

A :class:`MaskReader` reads the masks of one sequence, so that they have one meaning: a colour is the same object in all
of them, and so is the background. The table of meanings is in :mod:`~tempseg_mm.sources.mask_regions`.
"""

from collections.abc import Sequence
from contextlib import suppress
from threading import RLock
from typing import Any

from tempseg_mm.runtime.notices import Notices

from .mask_meaning import Labels, SetMeaning, Teller
from .mask_regions import regions_of
from .object_names import ObjectNames
from .stored_mask import StoredMask, stored_mask

__all__ = ['Labels', 'MaskReader']

QUIET = Teller(None, '')


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
        self._meaning = SetMeaning(self.names)
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
            for _, regions in found:
                self._meaning.note_numbers(regions)
                self._meaning.note_palette(regions)
            for stored, regions in found:
                self._meaning.labels(stored, regions, QUIET)

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
            regions = regions_of(stored, largest=self._meaning.largest)
            if regions.kind == 'colours' and self._learned < len(self._masks) or regions.only_255 == 'palette':
                self._learn_from_masks(len(self._masks))
            say = Teller(self.notices, name or stored.source.removeprefix('mask '))
            return self._meaning.labels(stored, regions, say)

    def _learn_from_masks(self, count: int) -> None:
        """Looks at the first masks of the sequence, until one shows an object; or at so many of them."""
        while self._learned < min(count, len(self._masks)):
            self._learned += 1
            with suppress(OSError, ValueError):  # it is told when that mask itself is read
                stored = stored_mask(self._masks[self._learned - 1])
                regions = regions_of(stored)
                self._meaning.note_numbers(regions)
                self._meaning.labels(stored, regions, QUIET)
            count += self._meaning.background is None and count == self._learned
