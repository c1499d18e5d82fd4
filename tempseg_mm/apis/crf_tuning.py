"""Tunes the dense CRF for a config: segments training sequences once, searches settings, writes a config fragment."""

import os.path as osp
import tempfile
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.hooks import Hook

from tempseg_mm.datasets.splits import Split, split_text
from tempseg_mm.inference.crf_search import RANGES, SearchReport, save_frame, search_crf
from tempseg_mm.registry import DATASETS
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.folder_lock import locked_file
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.runtime.worker_pool import WorkerPool

from .testing import run_test

# Hooks of a test that change probabilities, write results or only cost time: by name, and by type.
LEFT_OUT = ('crf', 'baselines', 'results', 'overlays', 'report')
LEFT_OUT_TYPES = ('CRFHook', 'BaselineHook')


class KeepFrames(Hook):
    """Saves some scored frames of each sequence, spread evenly from the first to the last scored frame.

    Args:
        out_dir: folder for the frames, see :func:`~tempseg_mm.inference.crf_search.save_frame`.
        per_sequence: largest number of frames per sequence; fewer are saved if some of the chosen frames have no
            annotation.

    Attributes:
        paths: saved files, in order.
    """

    def __init__(self, out_dir: str, per_sequence: int = 3) -> None:
        if per_sequence < 1:
            raise ValueError(f'per_sequence must be at least 1, got {per_sequence}')
        self.out_dir = out_dir
        self.per_sequence = per_sequence
        self.paths: list = []

    def after_frame(self, runner, frame) -> None:
        first = min(runner.test_loop.num_given_frames, frame.num_frames - 2)
        picked = np.linspace(first, frame.num_frames - 2, self.per_sequence).round()
        if frame.frame_id in picked and not frame.given and frame.gt_labels is not None:
            self.paths.extend(save_frame(self.out_dir, frame))


def tune_crf(cfg: Config, out: str | Path, *, split: Split = 'train', trials: int = 40, frames_per_sequence: int = 3,
             seed: int = 0, workers: int | None = None) -> SearchReport:
    """Search the five settings of ``DenseCRF`` and write them to a file that configs can use as a base.

    The network segments each sequence of the split once, with the fine-tuning and augmentation of the config. What else
    the config's ``crf`` sets, such as ``margin``, ``side`` and ``iterations``, holds for all trials and is written too.

    Args:
        cfg: config of the test whose masks the CRF will refine, with ``load_from`` set; changed in place.
        out: path of the fragment, ``crf = dict(type='DenseCRF', ...)``; a base for configs that have no ``crf`` yet.
        split: sequences to tune on, see :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`.
        trials: number of settings to try.
        frames_per_sequence: number of frames per sequence to score them on.
        seed: seed of the search.
        workers: number of processes, see ``WorkerPool``.

    Raises:
        ValueError: if the split shares sequences with the config's test split, the run is distributed, or no frame of
            the split has an annotation.
        InUseError: if another run writes the same file.
    """
    require_apart(cfg, split)
    if cfg.get('launcher', 'none') != 'none':
        raise ValueError('the search for CRF settings runs in one process: leave --launcher out')
    name = osp.basename(cfg.filename or 'config')
    with (locked_file(out, option='--out'), tempfile.TemporaryDirectory(prefix='tune_crf_') as folder,
          WorkerPool(workers) as pool):
        kept = KeepFrames(folder, frames_per_sequence)
        runner = run_test(_collecting(cfg, split), [kept])
        paths = kept.paths
        if not paths:
            raise ValueError(f'no frame of split {split_text(split)} has an annotation to tune on')
        progress = Progress(trials, runner.logger.info, unit='trials')
        report = search_crf(paths, pool, trials=trials, seed=seed, fixed=_not_searched(cfg),
                            on_trial=lambda trial, scores: progress.step(f'CRF settings {trial}/{trials}: {scores}'))
        comment = (f'{trials} trials (seed {seed}) on {len(paths)} frames of split {split_text(split)}, segmented by '
                   f'{name}\nwith {osp.basename(cfg.load_from or "untrained weights")}. {verdict(report)}')
        write_fragment(out, report, comment)
    return report


def _not_searched(cfg: Config) -> dict:
    return {name: value for name, value in (cfg.get('crf') or {}).items() if name not in ('type', *RANGES)}


def require_apart(cfg: Config, split: Split) -> None:
    """Check that the CRF is not tuned on test sequences.

    Raises:
        FileNotFoundError: if the data are missing.
        ValueError: if the split shares sequences with the config's test split.
    """
    test = cfg.test_dataloader.dataset
    tuned, tested = (set(DATASETS.build({**test, 'split': which, 'sequences': None}).split_names())
                     for which in (split, test.split))
    shared = sorted(tuned & tested)
    if shared:
        raise ValueError(f'the CRF must not be tuned on test sequences: split {split_text(split)} shares {len(shared)} '
                         f'sequences with the test split {split_text(test.split)} ({", ".join(shared[:3])}'
                         f'{", ..." if len(shared) > 3 else ""}). Choose another --split.')


def verdict(report: SearchReport) -> str:
    """Say in one sentence what the search gained."""
    if not report.gained:
        return f'Nothing gained: none of the tried settings was better than no CRF ({report.before}), so it is off.'
    return f'Gained on these frames: {report.before} -> {report.after}.'


def write_fragment(out: str | Path, report: SearchReport, comment: str) -> None:
    """Write ``crf = dict(type='DenseCRF', ...)`` under a comment; the file appears complete or not at all."""
    lines = [f'# {line}' for line in ('Dense CRF, tuned by tempseg-tune-crf:', *comment.splitlines())]
    settings = ''.join(f'    {name}={value!r},\n' for name, value in report.settings.items())
    with written_beside(out) as path:
        path.write_text('\n'.join(lines) + f"\ncrf = dict(\n    type='DenseCRF',\n{settings})\n", encoding='utf-8')


def _collecting(cfg: Config, split: Split) -> Config:
    """Return the test on this split, without the hooks that write results."""
    cfg.test_dataloader.dataset.split = split
    cfg.test_cfg.out_dir = osp.join(cfg.work_dir, 'tune_crf')  # for the log
    for name in LEFT_OUT:
        cfg.default_hooks.pop(name, None)
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks', []) if hook['type'] not in LEFT_OUT_TYPES]
    return cfg
