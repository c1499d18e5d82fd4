"""Computes J, F and T of masks on disk, without any model. Called by ``tempseg-evaluate``."""

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from tempseg_mm.evaluation.functional.boundary import BOUND_TH
from tempseg_mm.evaluation.functional.statistics import RECALL_THRESHOLD
from tempseg_mm.evaluation.score_table import MEASURES, ScoreTable
from tempseg_mm.evaluation.summaries import sequence_summary
from tempseg_mm.runtime.notices import Notices
from tempseg_mm.runtime.progress import Progress

from .mask_folders import MaskFaults, MaskSequence, match_folders
from .sequence_scoring import SequenceScores, score_sequence

# Workers are not forked from this process: its threads (video decoders, OpenCV, torch) would be missing in a worker
# that waits for them. On Linux a server process that has imported everything forks the workers.
START_METHOD = 'forkserver' if sys.platform == 'linux' else 'spawn'


def evaluate_masks(gt: str | Path, pred: str | Path, *, split: str | Path | Sequence[str] | None = None,
                   measures: Sequence[str] = MEASURES, workers: int = 1, merge_objects: bool = False,
                   protocol: str = 'auto', groups: Mapping[str, Mapping[int, str]] | None = None,
                   log: Callable[[str], None] | None = None) -> ScoreTable:
    """Score a folder of predicted masks as DAVIS does.

    The first and the last frame of a sequence do not count, but T starts from the first annotation. If the annotations
    of a sequence together hold several ids, objects are scored one by one, each from the frame after its first
    annotation on, and averaged as in DAVIS 2017. Otherwise everything that is not 0 is the object. Void pixels (255
    beside other ids) never count. Each worker keeps up to 256 MB of decoded annotations.

    Args:
        gt: folder of the ground truth, see :func:`~tempseg_mm.evaluation.mask_folders.match_folders`.
        pred: folder of the predictions.
        split: a file that names the sequences, a list that the project ships, or names; ``None``: all of ``gt``.
        measures: some of 'J', 'F' and 'T'.
        workers: number of processes; each sequence is scored by one. The result does not depend on it.
        merge_objects: treat all ids as one object, as in DAVIS 2016.
        protocol: whether the last annotation counts, see :func:`~tempseg_mm.evaluation.mask_folders.match_folders`.
        groups: sequence -> object -> name of a group over which objects are averaged in addition, as
            :func:`~tempseg_mm.datasets.youtube_vos.object_groups` returns them.
        log: called with a line on the progress now and then.

    Returns:
        The table. Its ``notices`` say how folders and masks were read if there was a choice.

    Raises:
        FileNotFoundError: if a folder or file does not exist.
        MaskFaults: see :func:`~tempseg_mm.evaluation.mask_folders.match_folders`; also for ids that no annotation has,
            and for sequences without an object that counts.
        ValueError: for unknown measures, or fewer than one worker.
        RuntimeError: if a worker process died.
    """
    if not measures or not set(measures) <= set(MEASURES):
        raise ValueError(f'measures must be one or more of {", ".join(MEASURES)}, got {", ".join(measures) or "none"}')
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    measures = [measure for measure in MEASURES if measure in measures]
    notices = Notices('sequence')
    sequences = match_folders(gt, pred, split, protocol=protocol, notices=notices)
    progress = Progress(len(sequences), log or (lambda line: None), unit='sequences')
    score = partial(score_sequence, measures=measures, merge_objects=merge_objects)
    found: dict[str, SequenceScores] = {}
    for sequence, scores in _mapped(score, sorted(sequences, key=len, reverse=True), workers):
        found[sequence.name] = scores
        progress.step(f'{sequence.name} scored, {len(found)} of {len(sequences)}')
    faults = [f'{name}: {fault}' for name in sorted(found) for fault in found[name].faults]
    if faults:
        raise MaskFaults(faults)
    table = {name: sequence_summary(found[name].objects) for name in sorted(found)}
    file_notices = Notices()
    for name in table:
        notices.update(found[name].notices)
        file_notices.update(found[name].file_notices)
    if not Path(gt).samefile(pred) and all(
            value == 1 for scores in table.values() for value in scores.get('J', dict(per_frame=[0]))['per_frame']):
        notices.add('Every scored mask equals its annotation exactly: is --pred a copy of the ground truth?')
    by_id = any(len(scores.objects) > 1 for scores in found.values())
    objects = ('all ids merged into one' if merge_objects else 'by id where a sequence has several, else all but 0'
               if by_id else 'one per sequence, all but 0')
    return ScoreTable(table, dict(protocol='DAVIS 2017' if by_id else 'DAVIS 2016', objects=objects,
                                  frames=_frames_that_count(sequences), bound_th=BOUND_TH,
                                  recall_above=RECALL_THRESHOLD), notices=[*notices, *file_notices],
                      groups={name: _scored(found[name].objects, own) for name, own in (groups or {}).items()
                              if name in found})


def _scored(objects: Mapping, groups: Mapping[int, str]) -> dict[str, str]:
    """Return the groups of the objects that have scores, as far as their ids are known."""
    return {str(i): group for i, group in groups.items() if len(objects) < 2 or i in objects}


def _frames_that_count(sequences: Sequence[MaskSequence]) -> str:
    with_last = [sequence.last_counts for sequence in sequences]
    return ('first left out' if all(with_last) else 'first left out, the last where all frames are annotated'
            if any(with_last) else 'first and last left out')


def _mapped(score: Callable, sequences: list[MaskSequence], workers: int) -> Iterator[tuple[MaskSequence, tuple]]:
    """Yield each sequence with its scores, in order."""
    if workers == 1 or len(sequences) == 1:
        yield from ((sequence, score(sequence)) for sequence in sequences)
        return
    context = multiprocessing.get_context(START_METHOD)
    if START_METHOD == 'forkserver':
        context.set_forkserver_preload([__name__])
    done = 0
    with ProcessPoolExecutor(min(workers, len(sequences)), mp_context=context) as pool:
        try:
            for sequence, scores in zip(sequences, pool.map(score, sequences), strict=True):
                yield sequence, scores
                done += 1
        except BrokenProcessPool as error:
            names = ', '.join(sequence.name for sequence in sequences[done:])
            raise RuntimeError('a worker process died, perhaps for lack of memory, before these sequences were done: '
                               f'{names}; try fewer workers') from error
