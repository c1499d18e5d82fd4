"""Draws an overlay video and a contact sheet of each sequence of a test."""

import os.path as osp

from mmengine.hooks import Hook

from tempseg_mm.evaluation.functional.region import mean_similarity
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.background import BackgroundWriter
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.visualization.exporters import OverlayVideoWriter
from tempseg_mm.visualization.sequence_sheet import SequenceSheet
from tempseg_mm.visualization.video_writer import QUICK_WEBM

AHEAD = 8  # frames that may wait for the drawing thread


@HOOKS.register_module()
class OverlayHook(Hook):
    """Writes ``<out_dir>/<sequence>.webm`` and ``<out_dir>/<sequence>.png``.

    A separate thread draws and encodes while the network continues. Errors in this thread are raised at one of the next
    frames, at the latest at the end of the sequence.

    Args:
        out_dir: folder of the files; default: ``overlays`` in the folder of the test.
        fps: frames per second of the video.
        max_side: maximum of the shorter side in the video, in pixels; larger frames are shrunk. The encoding time grows
            with its square.
    """

    def __init__(self, out_dir: str | None = None, fps: float = 12, max_side: int = 360) -> None:
        self.out_dir = out_dir
        self.fps = fps
        self.max_side = max_side

    def before_test(self, runner) -> None:
        self.out_dir = self.out_dir or osp.join(runner.test_loop.out_dir, 'overlays')
        self._sheet = SequenceSheet(self.out_dir, score=mean_similarity)
        self._drawer = BackgroundWriter(self._draw, depth=AHEAD)

    def before_sequence(self, runner, sequence, size) -> None:
        path = inside(self.out_dir, f'{sequence.name}{QUICK_WEBM.suffix}')
        self._video = OverlayVideoWriter(path, self.fps, max_side=self.max_side)
        runner.test_loop.pictures[sequence.name] = {
            'overlay': path, 'contact sheet': inside(self.out_dir, f'{sequence.name}.png')}

    def after_frame(self, runner, frame) -> None:
        self._drawer.put(frame)

    def after_sequence(self, runner, sequence, size) -> None:
        self._drawer.flush()
        self._video.close()
        self._sheet.close()

    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        self._drawer.close()
        runner.test_loop.written['overlays'] = self.out_dir

    def _draw(self, frame) -> None:
        self._video.write(frame.image, frame.labels, gt_mask=frame.gt_labels)
        self._sheet.add(frame)
