"""Writes what a test found: masks frame by frame, the score table at the end."""

import os.path as osp

from mmengine.dist import master_only
from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.visualization.exporters import write_indexed_png


@HOOKS.register_module()
class ResultHook(Hook):
    """``<out_dir>/masks/<sequence>/<frame>.png`` (indexed, original size and names), ``scores.json``, ``scores.csv``.

    Args:
        out_dir: default: ``<work_dir>/test``.
    """

    def __init__(self, out_dir: str | None = None) -> None:
        self.out_dir = out_dir

    def before_test(self, runner) -> None:
        self.out_dir = self.out_dir or osp.join(runner.work_dir, 'test')

    def after_frame(self, runner, frame) -> None:
        write_indexed_png(inside(self.out_dir, 'masks', frame.sequence, f'{frame.file_name}.png'), frame.mask)

    def has_masks(self, sequence) -> bool:
        """Whether every frame of a sequence has its mask on disk."""
        folder = osp.join(self.out_dir, 'masks', sequence.name)
        return all(osp.exists(osp.join(folder, f'{sequence.file_name(i)}.png')) for i in range(len(sequence)))

    @master_only
    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        scores = runner.test_loop.evaluator.metrics[0].scores
        scores.protocol['given_frames'] = runner.test_loop.num_given_frames
        scores.to_json(osp.join(self.out_dir, 'scores.json'))
        scores.to_csv(osp.join(self.out_dir, 'scores.csv'))
        runner.logger.info(scores.to_text())
        runner.logger.info(f'masks and scores: {osp.abspath(self.out_dir)}')
