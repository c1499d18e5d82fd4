"""A sequence of a data set with the masks of its first frames given. Made by the test loop."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.mask_files import Labels


class AnnotatedSequence(GivenSequence):
    """The mask of frame 0 is given and passed on as it is. Further given masks correct what the frames after them start
    from, yet their own frames get the network's answer: nothing that was given is scored.

    Args:
        sequence: a ``VOSSequence``.
        num_given: how many of the first frames come with their mask, at least 1.

    Raises:
        ValueError: if one of them has no annotation, or frame 0's has no object.
    """

    answers_given = False
    ends = True

    def __init__(self, sequence: Any, num_given: int = 2) -> None:
        self.sequence = sequence
        self.name, self.num_frames = sequence.name, len(sequence)
        self.labels = {i: self._given(i) for i in range(min(num_given, len(sequence)))}

    @property
    def object_ids(self) -> tuple:
        """One object: a data set of DAVIS 2016's kind has 0 and 1."""
        return (1,)

    def frames(self) -> Iterator[SourceFrame]:
        """See :class:`GivenSequence`."""
        for i in range(len(self.sequence)):
            yield SourceFrame(i, self.sequence.file_name(i), self.sequence.frame(i))

    def given_image(self, frame_id: int) -> np.ndarray:
        """See :class:`GivenSequence`."""
        return self.sequence.frame(frame_id)

    def truth(self, frame: SourceFrame) -> Labels | None:
        """See :class:`GivenSequence`."""
        return self.sequence.annotation(frame.frame_id)

    def _given(self, i: int) -> np.ndarray:
        mask = self.sequence.mask(i)
        if mask is None:
            raise ValueError(f'sequence {self.name}: the mask of frame {i} is to be given, but that frame is not '
                             'annotated. Annotate it, or lower the number of given frames.')
        if i == 0 and not mask.any():
            which = '' if self.sequence.object_id is None else f' {self.sequence.object_id}'
            raise ValueError(f'sequence {self.name}: the mask of frame 0 has no object{which}, so there is nothing to '
                             'segment')
        return mask
