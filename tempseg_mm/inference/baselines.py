"""Baselines that any result must beat. They walk over the same sequences, and the same metric scores them."""

import copy
from dataclasses import replace

import torch
from mmcv.cnn import ConvModule
from torch import nn

from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.sources.given_sequence import GivenSequence

from .prepared_frame import FramePreparer
from .propagator import Propagator
from .segmenter import Segmenter
from .views import WholeFrame


@TASK_UTILS.register_module()
class CopyMask:
    """Every frame gets the last given mask."""

    def segmenter(self, method: Segmenter) -> Segmenter:
        """Return the segmenter of this baseline; see :meth:`UntrainedGenerator.segmenter`."""
        return replace(method, propagate=_copying, refiners=())


@TASK_UTILS.register_module()
class FlowPropagation:
    """Moves the last mask along the model's optical flow from frame to frame, without a network."""

    def segmenter(self, method: Segmenter) -> Segmenter:
        """Return the segmenter of this baseline; see :meth:`UntrainedGenerator.segmenter`."""
        return replace(method, propagate=_along_flow, refiners=())


@TASK_UTILS.register_module()
class UntrainedGenerator:
    """The same generator with new random weights and the same online fine-tuning.

    Args:
        seed: seed of the new weights and of their fine-tuning.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def segmenter(self, method: Segmenter) -> Segmenter:
        """Return the segmenter of this baseline.

        Args:
            method: the segmenter to compare with; it does not change. Model, working size, fine-tuning and augmentation
                are the same, without refinement.
        """
        parent = copy.deepcopy(method.model.generator)
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            torch.manual_seed(self.seed)
            parent.apply(_reset)
        return replace(method, parent=parent, seed=self.seed, refiners=())


def _copying(segmenter: Segmenter, sequence: GivenSequence) -> Propagator:
    return Propagator(lambda object_id, frame, last: last, sequence.object_ids, FramePreparer())


def _along_flow(segmenter: Segmenter, sequence: GivenSequence) -> Propagator:
    preparer = FramePreparer(segmenter.model.data_preprocessor.estimate_flow, size=segmenter.size,
                             device=next(segmenter.model.parameters()).device)
    view = WholeFrame()
    return Propagator(lambda object_id, frame, last: view.moved(frame, last), sequence.object_ids, preparer, view=view)


def _reset(module: nn.Module) -> None:
    if isinstance(module, ConvModule):
        module.init_weights()
    elif hasattr(module, 'reset_parameters'):
        module.reset_parameters()
