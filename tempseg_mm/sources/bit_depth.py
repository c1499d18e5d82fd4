"""Bit depth of a sequence stored with 16 bits: pictures that use 10 or 12 of them would otherwise look nearly black."""

from collections.abc import Iterable

import numpy as np

from tempseg_mm.runtime.notices import Notices

from .image_io import bits_used, to_rgb8

WHOLE = 'save the frames with 8 bits to choose another scale'


class BitDepth:
    """Converts all pictures of a sequence to 8 bits with the same scale.

    Args:
        name: name of the sequence, for notices.
        notices: receives the depth that was found.
    """

    def __init__(self, name: str, notices: Notices) -> None:
        self.name, self.notices, self.bits = name, notices, 0

    def settle(self, pictures: Iterable[np.ndarray]) -> None:
        """Find the depth from some pictures of the sequence, which should lie far apart."""
        self.bits = bits_used(pictures)
        if self.bits < 16:
            self.notices.add(f'the frames of {self.name} are stored with 16 bits and use {self.bits} of them, so '
                             f'{2 ** self.bits - 1} was taken for white; {WHOLE}')

    def rgb8(self, picture: np.ndarray, source: str) -> np.ndarray:
        """Convert a picture with :func:`~tempseg_mm.sources.image_io.to_rgb8`; 16 bits need :meth:`settle` first."""
        is_wide = isinstance(picture, np.ndarray) and picture.dtype == np.uint16
        if is_wide and picture.max(initial=0) >= 1 << self.bits:
            self.notices.add(f'holds values above {2 ** self.bits - 1}, which became white; {WHOLE}', file=source)
        return to_rgb8(picture, source, bits=self.bits or 16)
