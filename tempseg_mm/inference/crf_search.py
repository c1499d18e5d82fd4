"""Searches for settings of the dense CRF on frames that a network has segmented. ``tune_crf`` of the API calls it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tempseg_mm.evaluation.functional.boundary import contour_accuracy
from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.runtime.worker_pool import Job, WorkerPool
from tempseg_mm.structures import SegmentedFrame

RANGES = dict(  # drawn log-uniformly; with smaller `sxy` or `srgb` a frame of 480p would take many seconds
    sxy_gaussian=(1.5, 8.0), compat_gaussian=(0.1, 10.0), sxy_bilateral=(5.0, 80.0), srgb=(3.0, 40.0),
    compat_bilateral=(0.1, 30.0))
OFF = dict(compat_gaussian=0.0, compat_bilateral=0.0)  # a CRF that changes no mask
DIGITS = 3  # significant digits; the settings are rounded before they are scored, so those written are exact


@dataclass(frozen=True)
class MaskScores:
    """J and F, each the mean over sequences of the means over frames."""
    j: float
    f: float

    @property
    def mean(self) -> float:
        return (self.j + self.f) / 2

    def __str__(self) -> str:
        return f'J {self.j:.4f}, F {self.f:.4f}'


@dataclass(frozen=True)
class SearchReport:
    """Result of a search.

    Attributes:
        settings: arguments of ``DenseCRF``, those that were fixed among them; :data:`OFF` in place of the others if no
            trial was better than no CRF.
        before: scores without CRF.
        after: scores with ``settings``.
    """
    settings: dict
    before: MaskScores
    after: MaskScores

    @property
    def gained(self) -> bool:
        return self.after.mean > self.before.mean


def save_frame(folder: str | Path, frame: SegmentedFrame) -> list[Path]:
    """Save the objects of an annotated frame for the search, each as ``<folder>/<sequence>/<frame>_<object>.npz``."""
    paths = []
    for object_id, probability in zip(frame.object_ids, frame.probabilities, strict=True):
        is_one = len(frame.object_ids) == 1
        path = Path(folder) / frame.sequence / f'{frame.file_name}_{object_id}.npz'
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, probability=probability, image=frame.image,
                 gt_mask=frame.gt_labels != 0 if is_one else frame.gt_labels == object_id)
        paths.append(path)
    return paths


def search_crf(paths: Sequence[Path], pool: WorkerPool, *, trials: int = 40, seed: int = 0, fixed: dict | None = None,
               on_trial: Callable[[int, MaskScores], None] = lambda trial, scores: None) -> SearchReport:
    """Find settings that raise the mean of J and F.

    The first half of the trials is drawn at random from :data:`RANGES`, the second half ever closer to the best so far.
    If no trial beats the masks without CRF, the searched settings are :data:`OFF`.

    Args:
        paths: frames as written by :func:`save_frame`. Memory holds one frame per worker and a few more.
        pool: worker processes that apply the CRF.
        trials: number of settings to try, at least 1.
        seed: seed of the random draws.
        fixed: arguments of ``DenseCRF`` that all trials share, such as ``margin`` and ``side``.
        on_trial: is called after each trial with its number, from 1, and its scores.

    Raises:
        ValueError: if there is no frame or no trial.
    """
    if not paths or trials < 1:
        raise ValueError(f'the search needs at least one frame and one trial, got {len(paths)} frames and '
                         f'{trials} trials')
    generator = np.random.default_rng(seed)
    before = best = score_frames(paths, pool, None)
    settings = OFF
    for trial in range(trials):
        drawn = _draw(generator) if 2 * trial < trials or settings is OFF else _near(
            settings, 1 - trial / trials, generator)
        scores = score_frames(paths, pool, DenseCRF(**{**(fixed or {}), **drawn}))
        if scores.mean > best.mean:
            settings, best = drawn, scores
        on_trial(trial + 1, scores)
    return SearchReport({**settings, **(fixed or {})}, before, best)


def score_frames(paths: Sequence[Path], pool: WorkerPool, crf: DenseCRF | None) -> MaskScores:
    """Score the saved masks, refined by a CRF if one is given. Each sequence has the same weight."""
    def job(item: tuple[Path, dict]) -> Job | None:
        path, frame = item
        return crf and Job(f'CRF of {path.parent.name}, frame {path.stem}', crf, (frame['probability'], frame['image']))

    scores: dict[str, list] = {}
    for (path, frame), refined in pool.in_order(_load(paths), job):
        mask = (frame['probability'] if refined is None else refined) > 0.5
        scores.setdefault(path.parent.name, []).append(
            (region_similarity(mask, frame['gt_mask']), contour_accuracy(mask, frame['gt_mask'])))
    j, f = np.mean([np.mean(of_sequence, axis=0) for of_sequence in scores.values()], axis=0)
    return MaskScores(float(j), float(f))


def _load(paths: Sequence[Path]) -> Iterator[tuple[Path, dict]]:
    for path in paths:
        with np.load(path) as arrays:
            yield path, dict(arrays)


def _draw(generator: np.random.Generator) -> dict:
    return {name: _rounded(np.exp(generator.uniform(*np.log(limits)))) for name, limits in RANGES.items()}


def _near(settings: dict, share: float, generator: np.random.Generator) -> dict:
    """Move each setting by a normally distributed step, whose deviation is ``share / 3`` of its logarithmic range."""
    near = {}
    for name, (low, high) in RANGES.items():
        moved = settings[name] * np.exp(generator.normal(0, share / 3 * np.log(high / low)))
        near[name] = _rounded(np.clip(moved, low, high))
    return near


def _rounded(value: float) -> float:
    return float(f'{value:.{DIGITS}g}')
