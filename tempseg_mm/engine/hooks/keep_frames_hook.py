"""Keeps some frames of each sequence with the network's probabilities, for the search for CRF settings."""

import numpy as np
from mmengine.hooks import Hook

from tempseg_mm.inference.crf_search import save_frame
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class KeepFramesHook(Hook):
    """Writes frames that a score counts, spread evenly from the first to the last of them.

    Args:
        out_dir: where, see :func:`~tempseg_mm.inference.crf_search.save_frame`.
        per_sequence: how many of a sequence at most; fewer where some of those picked are not annotated.

    Attributes:
        paths: what was written, in order.
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
        if frame.frame_id in picked and not frame.given and frame.gt_mask is not None:
            self.paths.append(save_frame(self.out_dir, frame))
