"""The rivals that any result must beat, run on the same sequences and scored by the same metric."""

import copy
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from tempseg_mm.ops.resize import Size
from tempseg_mm.ops.warp import move_mask
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures import FramePrediction

from .online_finetuner import OnlineFinetuner
from .prepared_frame import FramePreparer, PreparedFrame
from .propagator import MaskPropagation, Propagator, WorkingSizePropagation
from .segment import segment_sequence


class _Copy(MaskPropagation):

    def start(self, frame: np.ndarray, mask: np.ndarray) -> None:
        self._mask = mask

    def step(self, frame: np.ndarray) -> np.ndarray:
        return self._mask.astype(np.float32)

    def correct(self, mask: np.ndarray) -> None:
        self._mask = mask


class _AlongFlow(WorkingSizePropagation):

    def _next_mask(self, frame: PreparedFrame, mask: Tensor) -> Tensor:
        return move_mask(mask, frame.flow)


@TASK_UTILS.register_module()
class CopyMask:
    """Every frame gets the last given mask."""

    def segment(self, model, sequence, *, num_given_frames: int, size: Size, finetuner: OnlineFinetuner | None
                ) -> Iterator[FramePrediction]:
        """The sequence by this rival; arguments as in :meth:`UntrainedGenerator.segment`."""
        return segment_sequence(sequence, _Copy(), num_given_frames=num_given_frames)


@TASK_UTILS.register_module()
class FlowPropagation:
    """The last mask moved along the model's flow provider, frame after frame, and nothing else."""

    def segment(self, model, sequence, *, num_given_frames: int, size: Size, finetuner: OnlineFinetuner | None
                ) -> Iterator[FramePrediction]:
        """The sequence by this rival; arguments as in :meth:`UntrainedGenerator.segment`."""
        device = next(model.parameters()).device
        preparer = FramePreparer(model.data_preprocessor.estimate_flow, size=size, device=device)
        return segment_sequence(sequence, _AlongFlow(preparer), num_given_frames=num_given_frames)


@TASK_UTILS.register_module()
class UntrainedGenerator:
    """The same generator with fresh random weights, given the same online fine-tuning.

    Args:
        seed: of the fresh weights.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def segment(self, model, sequence, *, num_given_frames: int, size: Size, finetuner: OnlineFinetuner | None
                ) -> Iterator[FramePrediction]:
        """The sequence by this rival; the model's own weights are back when the walk ends.

        Args:
            model: a ``TempSegGAN``; must not be fine-tuned at this moment.
            sequence: a ``VOSSequence``.
            num_given_frames: how many of the first frames come with their mask.
            size: working size.
            finetuner: adapts the generator first; ``None``: no fine-tuning.
        """
        with ExitStack() as undo:
            undo.callback(model.generator.load_state_dict, copy.deepcopy(model.generator.state_dict()))
            with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
                torch.manual_seed(self.seed)
                model.generator.apply(_reset)
            if finetuner is not None:
                finetuner.adapt(model, sequence, size=size, seed=self.seed)
                undo.callback(finetuner.restore, model)
            yield from segment_sequence(sequence, Propagator(model, size=size), num_given_frames=num_given_frames)


def _reset(module: nn.Module) -> None:
    if isinstance(module, ConvModule):
        module.init_weights()
    elif hasattr(module, 'reset_parameters'):
        module.reset_parameters()
