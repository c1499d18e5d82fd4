"""Pictures of a test: an overlay clip and a contact sheet per sequence."""

import os.path as osp

from mmengine.hooks import Hook

from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.registry import HOOKS
from tempseg_mm.visualization.exporters import OverlayVideoWriter
from tempseg_mm.visualization.sequence_sheet import SequenceSheet


@HOOKS.register_module()
class OverlayHook(Hook):
    """``<out_dir>/<sequence>.mp4`` and ``<out_dir>/<sequence>.png``.

    Args:
        out_dir: default: ``<work_dir>/test/overlays``.
        fps: frames a second of the MP4.
    """

    def __init__(self, out_dir: str | None = None, fps: float = 12) -> None:
        self.out_dir = out_dir
        self.fps = fps

    def before_test(self, runner) -> None:
        self.out_dir = self.out_dir or osp.join(runner.work_dir, 'test', 'overlays')
        self._sheet = SequenceSheet(self.out_dir, score=region_similarity)

    def before_sequence(self, runner, sequence, size) -> None:
        self._video = OverlayVideoWriter(osp.join(self.out_dir, f'{sequence.name}.mp4'), self.fps)

    def after_frame(self, runner, frame) -> None:
        self._video.write(frame.image, frame.mask, gt_mask=frame.gt_mask)
        self._sheet.add(frame)

    def after_sequence(self, runner, sequence, size) -> None:
        self._video.close()
        self._sheet.close()

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        runner.logger.info(f'overlays: {osp.abspath(self.out_dir)}')
