"""The metric of a test run: J, F and T of DAVIS, object by object. It keeps numbers, not masks."""

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from tempseg_mm.registry import METRICS
from tempseg_mm.sources.mask_files import Labels
from tempseg_mm.structures.segmented_frame import SegmentedFrame, ids_of

from .functional.binary_mask import without_void
from .functional.boundary import BOUND_TH, contour_accuracy
from .functional.region import region_similarity
from .functional.statistics import RECALL_THRESHOLD
from .functional.temporal import InstabilityChain
from .object_track import ObjectTrack
from .score_table import MEASURES, ScoreTable

NO_FRAME = -1  # frame number of notes on a whole sequence


@METRICS.register_module()
class VOSMetric(BaseMetric):
    """Computes region similarity J and contour accuracy F (mean, recall and decay), and temporal instability T (mean).

    J and F follow the protocol of DAVIS 2016 (paper note P20). Every annotated frame counts, except the first and the
    last of its sequence. It is compared at the size of the annotation. Sequences are averaged without weights. A frame
    that comes twice counts once. A sequence without a frame that counts has no row. Void pixels of an annotation count
    in neither mask, for any measure.

    If a sequence has several objects, they follow the protocol of DAVIS 2017: each object is scored separately, from
    the frame after its first annotation on, and each object counts in the averages. The code is the one that scores
    folders of masks (:class:`~tempseg_mm.evaluation.object_track.ObjectTrack`). Frames without annotation are then left
    out of T, too.

    T compares consecutive masks: the annotation of frame 0 with the mask of frame 1, 1 with 2, and so on. The last
    frame is left out as above. T therefore needs the frames of a sequence in order and in one process, although frames
    of several sequences may be mixed. Other pairs have no value, and a warning names their sequences. The mean of T
    leaves out the sequences that the official list leaves out, see :attr:`ScoreTable.overall`. T takes about 0.1 s per
    frame at 480p, J and F 1 ms.

    Paper note: the mask of frame 0 is given and does not count either way. Where fine-tuning sees two annotated frames,
    frame 1 still counts, as the protocol has it; what is scored there is what the prediction holds.

    Args:
        measures: some of 'J', 'F' and 'T'.
        bound_th: tolerance of F as a share of the diagonal; a value of 1 or more is in pixels.
        skip_first: leave out the first frame of each sequence.
        skip_last: leave out the last frame of each sequence.
        collect_device: how distributed processes exchange their results. ``'gpu'``: through the process group, which
            also works for processes on CPUs. ``'cpu'``: through files.
        prefix: prepended to the names of the scalars.
        collect_dir: folder of these files for ``'cpu'``; ``None``: a folder below the working directory.

    Attributes:
        scores: :class:`ScoreTable` of the last evaluation, on the main process; ``None`` before the first.

    Raises:
        ValueError: if ``bound_th`` is not positive, or ``measures`` is empty or holds an unknown one.
    """

    default_prefix = ''  # mmengine warns if it is None

    def __init__(self,
                 *,
                 measures: Sequence[str] = MEASURES,
                 bound_th: float = BOUND_TH,
                 skip_first: bool = True,
                 skip_last: bool = True,
                 collect_device: str = 'gpu',
                 prefix: str | None = None,
                 collect_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        if not bound_th > 0:
            raise ValueError(f'bound_th must be positive, got {bound_th}')
        if not measures or not set(measures) <= set(MEASURES):
            raise ValueError(f'measures must be one or more of {", ".join(MEASURES)}, got {measures!r}')
        self.measures = tuple(measure for measure in MEASURES if measure in measures)
        self.bound_th = bound_th
        self.skip_first = skip_first
        self.skip_last = skip_last
        self.scores: ScoreTable | None = None
        self._chains: dict[str, tuple[int, InstabilityChain]] = {}  # last frame and its contour, by sequence
        self._broken: set[str] = set()
        self._tracks: dict[str, tuple[int, dict[int, ObjectTrack]]] = {}  # last frame and objects, by sequence

    @property
    def protocol(self) -> dict:
        """Protocol of the scores in words and numbers, for the table."""
        left_out = [word for word, skip in (('first', self.skip_first), ('last', self.skip_last)) if skip]
        standard = len(left_out) == 2 and self.bound_th == BOUND_TH
        return dict(
            protocol='DAVIS 2016' if standard else 'custom',
            frames=f'{" and ".join(left_out)} left out' if left_out else 'all',
            bound_th=self.bound_th,
            recall_above=RECALL_THRESHOLD)

    def process(self, data_batch: Any, data_samples: Sequence[SegmentedFrame]) -> None:
        """Score frames.

        Args:
            data_batch: not used.
            data_samples: frames of any sequences, in any order; T needs the frames of each sequence in order.

        Raises:
            ValueError: if a prediction and its annotation differ in size.
        """
        for frame in data_samples:
            try:
                if len(frame.object_ids) > 1:
                    found = self._by_object(frame)
                else:
                    found = [{**self._agreement(frame), **self._stability(frame)}]
            except ValueError as error:
                raise ValueError(f'sequence {frame.sequence!r}, frame {frame.frame_id}: {error}') from error
            self.results += [dict(sequence=frame.sequence, frame_id=frame.frame_id, **scores)
                             for scores in found if scores]

    def note(self, name: str, *, merged: Sequence[int] = (), groups: Mapping[int, str] | None = None) -> None:
        """Store notes on a whole sequence, after its frames.

        Args:
            name: name of the sequence.
            merged: ids of the objects in its annotations that were followed and scored as one.
            groups: object -> name of the group over which a benchmark averages it.
        """
        noted = {**(dict(merged=list(merged)) if len(merged) > 1 else {}),
                 **(dict(groups={str(i): group for i, group in groups.items()}) if groups else {})}
        if noted:
            self.results.append(dict(sequence=name, frame_id=NO_FRAME, **noted))

    def sequence_scores(self, name: str) -> dict[str, float]:
        """Return the scalars of one sequence, for the log as soon as the sequence is done.

        Returns:
            ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F', 'T_mean'}`` over the frames that this process has
            scored since the last evaluation; empty if no frame of the sequence counted.
        """
        table = self._table([frame for frame in self.results if frame['sequence'] == name])
        return table.scalars(name) if name in table.sequences else {}

    def sequence_state(self, name: str) -> list[dict]:
        """Return this process's results on a sequence for :meth:`restore_sequence`; as in JSON, NaN becomes None."""
        return [{key: None if value != value else value for key, value in frame.items()}
                for frame in self.results if frame['sequence'] == name]

    def restore_sequence(self, name: str, state: list[dict]) -> None:
        """Add ``state``, which an earlier run got from :meth:`sequence_state`, instead of processing the frames."""
        self.results += [{key: math.nan if value is None else value for key, value in frame.items()}
                         for frame in state]

    def evaluate(self, size: int) -> dict:
        """Gather the frames of all processes and score the data set.

        Args:
            size: not used. mmengine would cut the results to the length of the data set, which is not the number of
                frames that count, and drop results if processes have different numbers of them.

        Returns:
            The result of :meth:`compute_metrics`, with the prefix, on every process.
        """
        if self._broken:
            self._warn(f'T lacks pairs of {", ".join(sorted(self._broken))}: their frames did not come in order from '
                       "the first on. Feed them in order, or leave T out: measures=('J', 'F')")
        self._chains.clear()
        self._broken.clear()
        self.results[:] = [list(self.results)]  # one item per process, so that mmengine cuts nothing
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the scalars of the data set, and store the whole table in :attr:`scores`.

        Args:
            results: frames as :meth:`process` stores them, or one list of them per process.

        Returns:
            ``{'J_mean', 'J_recall', 'J_decay', 'F_mean', …, 'J&F', 'T_mean', 'T_all'}``; empty, with a warning, if no
            frame counted.
        """
        frames = [frame for item in results for frame in (item if isinstance(item, list) else [item])]
        self.scores = replace(self._table(frames), notices=_merged_objects(frames), groups=_groups(frames))
        if not self.scores.sequences:
            self._warn(f'no annotated frame counted (frames: {self.protocol["frames"]}), so there is nothing to score.')
        return self.scores.scalars()

    def _table(self, frames: list[dict]) -> ScoreTable:
        protocol = self.protocol
        if any('object' in frame for frame in frames):
            protocol = dict(protocol, protocol=protocol['protocol'].replace('2016', '2017'),
                            objects='by id where a sequence has several')
        return ScoreTable.from_frames(frames, measures=self.measures, protocol=protocol)

    def _warn(self, text: str) -> None:
        print_log(f'{type(self).__name__}: {text}', logger='current', level=logging.WARNING)

    def counts(self, frame: SegmentedFrame) -> bool:
        """Return True if J and F of a frame count: it is annotated, and not left out because of its position."""
        first, last = frame.frame_id == 0, frame.frame_id == frame.num_frames - 1
        left_out = first and self.skip_first or last and self.skip_last
        return frame.gt_labels is not None and not left_out

    def _by_object(self, frame: SegmentedFrame) -> list[dict]:
        """Return one record per object that has shown in an earlier annotation; frames must come in order."""
        last, tracks = self._tracks.setdefault(frame.sequence, (-1, {}))
        if frame.frame_id <= last:
            raise ValueError(f'came after frame {last}: objects are scored from their first annotation on, so the '
                             'frames of a sequence must come in order')
        self._tracks[frame.sequence] = frame.frame_id, tracks
        is_last = frame.frame_id == frame.num_frames - 1
        if is_last:
            self._tracks.pop(frame.sequence)
        if frame.gt_labels is None or self.skip_last and is_last:
            return []
        gt, shown = Labels(frame.gt_labels, frame.gt_void), ids_of(frame.gt_labels)
        begun = list(tracks)
        for object_id in (i for i in frame.object_ids if i in shown and i not in tracks):
            tracks[object_id] = ObjectTrack(self.measures, object_id, self.bound_th)
            tracks[object_id].begin(gt)
        return [dict(object=object_id, **tracks[object_id].score(frame.labels, gt)) for object_id in begun]

    def _agreement(self, frame: SegmentedFrame) -> dict[str, float]:
        """Return J and F if the frame counts."""
        scores = {}
        if self.counts(frame):
            if 'J' in self.measures:
                scores['J'] = region_similarity(frame.labels != 0, frame.gt_labels != 0, frame.gt_void)
            if 'F' in self.measures:
                scores['F'] = contour_accuracy(frame.labels != 0, frame.gt_labels != 0, self.bound_th, frame.gt_void)
        return scores

    def _stability(self, frame: SegmentedFrame) -> dict[str, float]:
        """Return T of this frame and the one before, if the frame before has come."""
        if 'T' not in self.measures:
            return {}
        if frame.frame_id == 0:
            chain = InstabilityChain()
            if frame.gt_labels is not None:
                chain.step(frame.gt_labels != 0)
            self._chains[frame.sequence] = 0, chain
            return {}
        before, chain = self._chains.get(frame.sequence, (None, None))
        if self.skip_last and frame.frame_id == frame.num_frames - 1:
            self._chains.pop(frame.sequence, None)
            return {}
        if before != frame.frame_id - 1:
            self._broken.add(frame.sequence)
            return {}
        value = chain.step(without_void(frame.labels != 0, frame.gt_void))
        self._chains[frame.sequence] = frame.frame_id, chain
        return {} if value is None else dict(T=value)


def _groups(frames: Iterable[Mapping]) -> dict[str, dict[str, str]]:
    """Return sequence -> object -> group; in a sequence with several objects only for objects that have scores."""
    scored: dict[str, set] = {}
    for frame in frames:
        if 'object' in frame:
            scored.setdefault(frame['sequence'], set()).add(str(frame['object']))
    return {frame['sequence']: {i: group for i, group in frame['groups'].items()
                                if i in scored.get(frame['sequence'], {i})}
            for frame in frames if 'groups' in frame}


def _merged_objects(frames: Iterable[Mapping]) -> list[str]:
    """Return a sentence on the sequences in which several objects were treated as one."""
    names = {frame['sequence'] for frame in frames}
    merged = {frame['sequence']: frame['merged'] for frame in frames if 'merged' in frame}
    if not merged:
        return []
    first, *others = sorted(merged)
    which = f'{first}: {", ".join(map(str, merged[first]))}{"; ..." if others else ""}'
    return [f'{len(merged)} of {len(names)} sequence(s) hold several objects ({which}); as in DAVIS 2016 they are '
            'followed and scored as one. --cfg-options test_dataloader.dataset.objects=apart follows and scores each '
            f'of them, objects={merged[first][0]} only object {merged[first][0]}.']
