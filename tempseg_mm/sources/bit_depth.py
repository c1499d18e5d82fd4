"""How many of the 16 bits of a sequence's pictures are used: those of 10 or 12 bits would be nearly black otherwise."""

from collections.abc import Iterable

import numpy as np

from tempseg_mm.runtime.notices import Notices

from .image_io import bits_used, to_rgb8

WHOLE = 'save the frames with 8 bits to have it otherwise'


class BitDepth:
    """Brings the pictures of a sequence to 8 bits, all of them by one rule.

    Args:
        name: of the sequence.
        notices: told what was found.
    """

    def __init__(self, name: str, notices: Notices) -> None:
        self.name, self.notices, self.bits = name, notices, 0

    def settle(self, pictures: Iterable[np.ndarray]) -> None:
        """Look at some pictures of the sequence, far apart if that can be."""
        self.bits = bits_used(pictures)
        if self.bits < 16:
            self.notices.add(f'the frames of {self.name} are stored with 16 bits and use {self.bits} of them: '
                             f'{2 ** self.bits - 1} was taken for white; {WHOLE}')

    def rgb8(self, picture: np.ndarray, source: str) -> np.ndarray:
        """See :func:`~tempseg_mm.sources.image_io.to_rgb8`; pictures of 16 bits need :meth:`settle` before."""
        is_wide = isinstance(picture, np.ndarray) and picture.dtype == np.uint16
        if is_wide and picture.max(initial=0) >= 1 << self.bits:
            self.notices.add(f'holds values above {2 ** self.bits - 1}, which became white; {WHOLE}', file=source)
        return to_rgb8(picture, source, bits=self.bits or 16)
