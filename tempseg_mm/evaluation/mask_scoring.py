"""J, F and T of masks on disk, without any model. Called by tools/evaluate_masks.py."""

import math
import multiprocessing
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import numpy as np

from tempseg_mm.evaluation.functional import InstabilityChain, contour_accuracy, region_similarity
from tempseg_mm.evaluation.functional.boundary import BOUND_TH
from tempseg_mm.evaluation.functional.statistics import RECALL_THRESHOLD
from tempseg_mm.evaluation.score_table import MEASURES, STATISTICS, ScoreTable, measure_summary
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.sources.mask_files import MaskReader

from .mask_folders import MaskFaults, MaskSequence, match_folders

VOID = 255
# Forked workers have everything imported; elsewhere fork is missing or unsafe.
START_METHOD = 'fork' if sys.platform == 'linux' else 'spawn'


def evaluate_masks(gt: str | Path, pred: str | Path, *, split: str | Path | None = None,
                   measures: Sequence[str] = MEASURES, workers: int = 1, merge_objects: bool = False,
                   log: Callable[[str], None] | None = None) -> ScoreTable:
    """Score a folder of predicted masks as DAVIS does.

    The first and the last frame of a sequence do not count (T begins with the first annotation). Where the first
    annotation holds several ids, objects are scored one by one and averaged, as in DAVIS 2017; else all that is not 0
    is the object. Each worker holds two masks at a time.

    Args:
        gt: folder of the ground truth, see :func:`~tempseg_mm.evaluation.mask_folders.match_folders`.
        pred: folder of the predictions.
        split: file that names the sequences.
        measures: of 'J', 'F' and 'T'.
        workers: processes; a sequence is scored by one. The result does not depend on it.
        merge_objects: all ids are one object, as DAVIS 2016 has it.
        log: takes a line on the progress now and then.

    Raises:
        FileNotFoundError: a folder or file that is not there.
        MaskFaults: see :func:`~tempseg_mm.evaluation.mask_folders.match_folders`; also ids that the first annotation
            lacks.
        ValueError: unknown measures or no worker.
        RuntimeError: a worker that died.
    """
    if not measures or not set(measures) <= set(MEASURES):
        raise ValueError(f'measures must be one or more of {", ".join(MEASURES)}, got {", ".join(measures) or "none"}')
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    measures = [measure for measure in MEASURES if measure in measures]
    sequences = match_folders(gt, pred, split)
    progress = Progress(len(sequences), log or (lambda line: None), unit='sequences')
    score = partial(score_sequence, measures=measures, merge_objects=merge_objects)
    scores, faults = {}, []
    for sequence, (found, wrong) in _mapped(score, sorted(sequences, key=len, reverse=True), workers):
        scores[sequence.name] = found
        faults += [f'{sequence.name}: {fault}' for fault in wrong]
        progress.step(f'{sequence.name} scored, {len(scores)} of {len(sequences)}')
    if faults:
        raise MaskFaults(sorted(faults))
    table = {name: {measure: _averaged(measure, scores[name]) for measure in measures} for name in sorted(scores)}
    protocol = 'DAVIS 2017' if any(len(objects) > 1 for objects in scores.values()) else 'DAVIS 2016'
    return ScoreTable(table, dict(protocol=protocol, frames='first and last left out', bound_th=BOUND_TH,
                                  recall_above=RECALL_THRESHOLD))


def score_sequence(sequence: MaskSequence, *, measures: Sequence[str] = MEASURES, merge_objects: bool = False
                   ) -> tuple[dict[int, dict[str, dict[int, float]]], list[str]]:
    """Score one sequence, mask by mask.

    Args:
        sequence: whose masks lie on disk.
        measures: see :func:`evaluate_masks`, as the next.
        merge_objects: likewise.

    Returns:
        ``{object: {measure: {frame: value}}}``, and faults in words.
    """
    try:
        first = MaskReader().read(sequence.gt_paths[0]).ids
    except (OSError, ValueError) as error:
        return {}, [str(error)]
    ids = [label for label in _labels(first) if label]
    if merge_objects or len(ids) < 2:
        ids = []  # one object, whatever its id
    elif VOID in ids:
        return {}, [f'{sequence.gt_paths[0]} holds {VOID} beside other ids, so it is void or the edges are smoothed; '
                    'clear it, or take all ids for one object (--merge-objects)']
    scores = {label: {measure: {} for measure in measures} for label in ids or [1]}
    chains = {label: InstabilityChain() for label in scores} if 'T' in measures else {}
    for label, chain in chains.items():
        chain.step(_object(first, label, ids))
    faults = []
    for frame in range(1, len(sequence) - 1):
        try:
            gt, pred = (_read_known(paths[frame], ids) for paths in (sequence.gt_paths, sequence.pred_paths))
        except (OSError, ValueError) as error:
            faults.append(str(error))
            continue
        for label, values in scores.items():
            gt_mask, pred_mask = _object(gt, label, ids), _object(pred, label, ids)
            if 'J' in measures:
                values['J'][frame] = region_similarity(pred_mask, gt_mask)
            if 'F' in measures:
                values['F'][frame] = contour_accuracy(pred_mask, gt_mask)
            if 'T' in measures:
                values['T'][frame] = chains[label].step(pred_mask)
    return scores, faults


def _read_known(path: str, ids: list[int]) -> np.ndarray:
    labels = MaskReader().read(path).ids
    unknown = set(_labels(labels)) - {0, *ids} if ids else ()
    if unknown:
        raise ValueError(f'{path} holds the ids {", ".join(map(str, sorted(unknown)))}; the first annotation has '
                         f'{", ".join(map(str, ids))}')
    return labels


def _labels(mask: np.ndarray) -> list[int]:
    return np.flatnonzero(np.bincount(mask.ravel(), minlength=256)).tolist()


def _object(labels: np.ndarray, label: int, ids: list[int]) -> np.ndarray:
    """(H, W) bool; everything but the background where there is one object only."""
    return labels == label if ids else labels != 0


def _mapped(score: Callable, sequences: list[MaskSequence], workers: int) -> Iterator[tuple[MaskSequence, tuple]]:
    """Each sequence with its scores, in order."""
    if workers == 1 or len(sequences) == 1:
        yield from ((sequence, score(sequence)) for sequence in sequences)
        return
    context = multiprocessing.get_context(START_METHOD)
    done = 0
    with ProcessPoolExecutor(min(workers, len(sequences)), mp_context=context) as pool:
        try:
            for sequence, scores in zip(sequences, pool.map(score, sequences), strict=True):
                yield sequence, scores
                done += 1
        except BrokenProcessPool as error:
            names = ', '.join(sequence.name for sequence in sequences[done:])
            raise RuntimeError(f'a worker process died, perhaps for want of memory, before these sequences were done: '
                               f'{names}; try fewer workers') from error


def _averaged(measure: str, objects: dict[int, dict[str, dict[int, float]]]) -> dict:
    """What the table holds of a measure over one sequence: of its object, or the means over its objects."""
    summaries = {str(label): measure_summary(measure, values[measure]) for label, values in objects.items()}
    first, *others = summaries.values()
    if not others:
        return first
    statistics = {s: _mean([summary[s] for summary in (first, *others)]) for s in first if s in STATISTICS}
    columns = zip(*(summary['per_frame'] for summary in (first, *others)), strict=True)
    return dict(statistics, frames=first['frames'], per_frame=[_mean(values) for values in columns], objects=summaries)


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
