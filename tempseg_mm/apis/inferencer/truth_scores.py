"""Scores the objects of a video by J against a ground truth that may have other objects. ``FrameRecorder`` uses it."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.evaluation.identities import IdentityCheck
from tempseg_mm.structures import FrameRecord, SegmentedFrame
from tempseg_mm.structures.segmented_frame import ids_of

WHOLE = 0  # key for the score of a single followed object against everything that is not background


class TruthScores:
    """Scores objects by id. Which ids the ground truth has is known only after the last frame: then call
    :meth:`settle`.

    An object is scored on every frame with ground truth, except the first frame for which its mask was given.

    Args:
        first_given: id of each followed object -> the first frame for which its mask was given.
    """

    def __init__(self, first_given: Mapping[int, int]) -> None:
        self.first_given = first_given
        self._truth_ids: set[int] = set()
        self._check = IdentityCheck()

    def of(self, frame: SegmentedFrame, labels: np.ndarray) -> dict[int, float]:
        """Return the J of each object that is scored on this frame, without void pixels; empty without ground truth."""
        gt = frame.gt_labels
        if gt is None:
            return {}
        scored = [i for i, first in self.first_given.items() if frame.frame_id != first]
        found = {i: region_similarity(labels == i, gt == i, frame.gt_void) for i in scored}
        if len(self.first_given) == 1 and scored:
            found[WHOLE] = region_similarity(labels == scored[0], gt != 0, frame.gt_void)
        return found

    def look(self, frame: SegmentedFrame) -> None:
        """Note which objects the ground truth of a frame has. ``frame.labels`` must be final."""
        if frame.gt_labels is None:
            return
        self._truth_ids.update(ids_of(frame.gt_labels))
        first = min(self.first_given.values())
        if not frame.given and frame.frame_id > first:
            self._check.look(frame.labels, frame.gt_labels, self._truth_ids)

    def settle(self, records: Iterable[FrameRecord]) -> list[str]:
        """Decide which objects of the run and of the ground truth belong together.

        Args:
            records: their scores are corrected in place: an object that the ground truth never has loses its scores.

        Returns:
            Sentences about objects that only one of the two has.
        """
        ours, theirs = set(self.first_given), self._truth_ids
        records = [record for record in records if record.scores]
        is_one_each = len(ours) == len(theirs) == 1
        for record in records:
            whole = record.scores.pop(WHOLE, None)
            if is_one_each and whole is not None:
                record.scores.update({i: whole for i in ours})
            for i in ours - theirs if not is_one_each else ():
                record.scores.pop(i, None)
        if not theirs:
            return ['The ground truth holds no object in any of these frames, so there is no J.'] if records else []
        if is_one_each:
            return [] if ours == theirs else [
                f'The ground truth has one object, {_listed(theirs)}, and this run follows one, {_listed(ours)}: J '
                'treats them as the same.']
        sentences = []
        if theirs - ours:
            sentences.append(f'The ground truth also has {_objects(theirs - ours)}, which this run does not follow, '
                             'so it gets no J. Give a mask to follow it.')
        if ours - theirs:
            sentences.append(f'The ground truth never has {_objects(ours - theirs)}, which this run follows, so it '
                             'gets no J. An object must have the same id in the given masks and in the ground truth.')
        if self._check.sentence:
            sentences.append(f'The result {self._check.sentence}.')
        return sentences


def _objects(ids: Iterable[int]) -> str:
    ids = sorted(ids)
    return f'object{"s" if len(ids) > 1 else ""} {_listed(ids)}'


def _listed(ids: Iterable[int] | Sequence[int]) -> str:
    return ', '.join(map(str, sorted(ids)))
