"""J and F of DAVIS 2016 over a test run. Fed by the test loop, frame by frame; keeps two numbers a frame, no mask."""

import logging
from collections.abc import Sequence
from typing import Any

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from ..registry import METRICS
from ..structures.frame_prediction import FramePrediction
from .functional.boundary import contour_accuracy
from .functional.region import region_similarity
from .functional.statistics import RECALL_THRESHOLD
from .score_table import ScoreTable


@METRICS.register_module()
class VOSMetric(BaseMetric):
    """Region similarity J and contour accuracy F: mean, recall and decay, averaged over sequences without weights.

    Every frame with an annotation counts but the first and the last of its sequence, at the annotation's own size:
    the protocol of DAVIS 2016 (paper note P20). A frame that comes twice counts once. A sequence none of whose frames
    counts has no row.

    Paper note: the mask of frame 0 is given and does not count either way. Where fine-tuning sees two annotated
    frames, frame 1 still counts, as the protocol has it; what is scored there is what the prediction holds.

    Args:
        bound_th: tolerance of F, as a share of the diagonal; from 1 on, in pixels.
        skip_first: leave out the first frame of each sequence.
        skip_last: leave out the last frame of each sequence.
        collect_device: see mmengine's ``BaseMetric``, as the two below.
        prefix: prepended to the names of the scalars.
        collect_dir: where distributed processes exchange their results.

    Attributes:
        scores: :class:`ScoreTable` of the last evaluation, on the main process; ``None`` before the first.

    Raises:
        ValueError: a ``bound_th`` that is not positive.
    """

    def __init__(self,
                 *,
                 bound_th: float = 0.008,
                 skip_first: bool = True,
                 skip_last: bool = True,
                 collect_device: str = 'cpu',
                 prefix: str | None = None,
                 collect_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if not bound_th > 0:
            raise ValueError(f'bound_th must be positive, got {bound_th}')
        self.bound_th = bound_th
        self.skip_first = skip_first
        self.skip_last = skip_last
        self.scores: ScoreTable | None = None

    @property
    def protocol(self) -> dict:
        """How the scores are taken, in words and numbers, for the table."""
        left_out = [word for word, skip in (('first', self.skip_first), ('last', self.skip_last)) if skip]
        standard = len(left_out) == 2 and self.bound_th == 0.008
        return dict(
            protocol='DAVIS 2016' if standard else 'custom',
            frames=f'{" and ".join(left_out)} left out' if left_out else 'all',
            bound_th=self.bound_th,
            recall_above=RECALL_THRESHOLD)

    def process(self, data_batch: Any, data_samples: Sequence[FramePrediction]) -> None:
        """Score some frames.

        Args:
            data_batch: not used.
            data_samples: frames of any sequences, in any order.

        Raises:
            ValueError: a prediction of another size than its annotation.
        """
        for frame in data_samples:
            if frame.gt_mask is not None and self._counts(frame):
                self.results.append(self._score(frame))

    def sequence_scores(self, name: str) -> dict[str, float]:
        """Scalars of one sequence, for a line in the log as soon as the sequence is done.

        Args:
            name: of the sequence.

        Returns:
            ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F'}`` over the frames this process has scored since
            the last evaluation; empty where no frame of the sequence counted.
        """
        frames = [frame for frame in self.results if frame['sequence'] == name]
        return ScoreTable.from_frames(frames).scalars(name) if frames else {}

    def evaluate(self, size: int) -> dict:
        """Gather the frames of all processes and score the data set.

        Args:
            size: not used. mmengine would cut the results to the data set's length, which is not the number of
                frames that count, and drop what one process has more than another.

        Returns:
            What :meth:`compute_metrics` returns, with the prefix, on every process.
        """
        self.results[:] = [list(self.results)]  # one item a process, so nothing is cut
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Scalars of the data set; the whole table goes to :attr:`scores`.

        Args:
            results: frames as :meth:`process` keeps them, or one list of them per process.

        Returns:
            ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F'}``; empty, with a warning, where no frame counted.
        """
        frames = [frame for item in results for frame in (item if isinstance(item, list) else [item])]
        self.scores = ScoreTable.from_frames(frames, protocol=self.protocol)
        if not frames:
            print_log(f'{type(self).__name__}: no annotated frame counted (frames: {self.protocol["frames"]}), so '
                      'there is nothing to score.', logger='current', level=logging.WARNING)
        return self.scores.scalars()

    def _counts(self, frame: FramePrediction) -> bool:
        first, last = frame.frame_id == 0, frame.frame_id == frame.num_frames - 1
        return not (first and self.skip_first) and not (last and self.skip_last)

    def _score(self, frame: FramePrediction) -> dict:
        try:
            j = region_similarity(frame.mask, frame.gt_mask)
            f = contour_accuracy(frame.mask, frame.gt_mask, self.bound_th)
        except ValueError as error:
            raise ValueError(f'sequence {frame.sequence!r}, frame {frame.frame_id}: {error}') from error
        return dict(sequence=frame.sequence, frame_id=frame.frame_id, J=j, F=f)
