"""Reads masks as object ids. Given masks, ground truth, data sets, scoring and checks all use this one reader.

A :class:`MaskReader` reads all masks of one sequence with one meaning: a colour is the same object in all of them, and
the background is the same value. The table of meanings is in :mod:`~tempseg_mm.sources.mask_regions`.
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
        given.learn(masks)               # optional: look at all masks first, so that ids follow their order
        labels = given.read('00000.png').ids
        truth = given.companion()        # for another set of masks of the same objects
        truth.read('gt/00000.png')

    A reader is safe for several threads. If ``masks`` names all masks, the meaning of a mask does not depend on when it
    is read.

    Args:
        notices: receives how masks were understood; default: a new one.
        masks: the masks of the sequence in order. The reader opens only as many as a mask that is read requires.
        names: ids of colours, shared with another set of masks; default: a new one.

    Attributes:
        names: ids of colours, :class:`~tempseg_mm.sources.object_names.ObjectNames`.
        notices: the notices given, or the new ones.
    """

    def __init__(self, notices: Notices | None = None, masks: Sequence = (), *, names: ObjectNames | None = None
                 ) -> None:
        self.notices = Notices() if notices is None else notices
        self.names = ObjectNames() if names is None else names
        self._masks, self._learned = list(masks), 0
        self._meaning = SetMeaning(self.names)
        self._lock = RLock()

    def companion(self, notices: Notices | None = None, masks: Sequence = ()) -> 'MaskReader':
        """Make a reader for another set of masks of the same objects, such as ground truth or predictions.

        Colours and numbers mean the same objects in both sets. Each set has its own background. Without ``notices``,
        both readers share them.
        """
        return MaskReader(self.notices if notices is None else notices, masks, names=self.names)

    def learn(self, masks: Sequence) -> None:
        """Learn numbers, colours and background from masks, in order, before they are read.

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
            mask: a file, an array or another form that :func:`~tempseg_mm.sources.stored_mask.stored_mask` accepts.
            name: name of the mask in notices; default: its path, or 'the array given as mask'.

        Raises:
            FileNotFoundError: if there is no such file.
            UnreadableImageError: if it cannot be decoded.
            MaskValueError: if its values make no sense as a mask.
        """
        return self.labels_of(stored_mask(mask), name=name)

    def labels_of(self, stored: StoredMask, *, name: str | None = None) -> Labels:
        """Read a mask that is already decoded; see :meth:`read`."""
        with self._lock:
            self._learn_from_masks(1)
            regions = regions_of(stored, largest=self._meaning.largest)
            if regions.kind == 'colours' and self._learned < len(self._masks) or regions.only_255 == 'palette':
                self._learn_from_masks(len(self._masks))
            say = Teller(self.notices, name or stored.source.removeprefix('mask '))
            return self._meaning.labels(stored, regions, say)

    def _learn_from_masks(self, count: int) -> None:
        """Learn from the first ``count`` masks of the sequence, or from more until one of them shows an object."""
        while self._learned < min(count, len(self._masks)):
            self._learned += 1
            with suppress(OSError, ValueError):  # reading that mask itself reports the error
                stored = stored_mask(self._masks[self._learned - 1])
                regions = regions_of(stored)
                self._meaning.note_numbers(regions)
                self._meaning.labels(stored, regions, QUIET)
            count += self._meaning.background is None and count == self._learned
