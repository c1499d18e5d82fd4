"""What a config asks for flow: the provider, and the pairs of frames. Read by the two commands about flow."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.ops.resize import Size, resize_image, target_size
from tempseg_mm.registry import DATASETS

CHUNK = 8  # pairs that are decoded at once


@dataclass(frozen=True)
class FramePairs:
    """Some pairs of frames of one sequence; a few kilobytes, decodes when asked.

    Attributes:
        sequence: where they are from.
        first: index of the first frame of each pair, ascending.
        stride: frames from the first to the second of a pair.
        size: working size.
        for_training: decode as a training pipeline does, straight to the working size; else as a test does, at the
            original size first. The pixels differ a little, and a cache tells them apart.
    """
    sequence: VOSSequence
    first: tuple
    stride: int = 1
    size: Size = None
    for_training: bool = False

    def __len__(self) -> int:
        return len(self.first)

    def __str__(self) -> str:
        return f'sequence {self.sequence.name}, frames {self.first[0]} to {self.first[-1] + self.stride}'

    def load(self) -> tuple[Tensor, Tensor]:
        """The first and the second frame of each pair, (P, 3, H, W) uint8 RGB both."""
        frames = {i: self._frame(i) for i in sorted({*self.first, *(i + self.stride for i in self.first)})}
        return tuple(torch.from_numpy(np.stack([frames[i + step] for i in self.first])).permute(0, 3, 1, 2)
                     for step in (0, self.stride))  # [P, H, W, 3] -> [P, 3, H, W]

    def _frame(self, i: int) -> np.ndarray:
        if self.for_training:
            return self.sequence.frame(i, self.size)
        frame = self.sequence.frame(i)
        return resize_image(frame, target_size(self.size, frame.shape[:2]))


def configured_provider(cfg: Config) -> dict:
    """Config of the flow provider, a plain dict.

    Raises:
        ValueError: if there is none.
    """
    flow = cfg.get('model', {}).get('data_preprocessor', {}).get('flow')
    if flow is None:
        raise ValueError('this config names no flow provider, as it would in model.data_preprocessor.flow')
    return Config(dict(flow=flow)).to_dict()['flow']


def frame_pairs(cfg: Config, parts: Sequence[str] = ('train', 'test'), *, chunk: int = CHUNK) -> list[FramePairs]:
    """Every pair of frames of the training clips and the test sequences of a config.

    Args:
        cfg: config with ``<part>_dataloader``; a part without one is left out.
        parts: ``'train'``, ``'test'`` or both.
        chunk: most pairs that go together.
    """
    found = []
    for part in parts:
        loader = cfg.get(f'{part}_dataloader')
        dataset = DATASETS.build({**loader.dataset, 'pipeline': [], 'test_mode': True}) if loader else []
        stride = dataset.clip_sampler.stride if loader and part == 'train' else 1
        for n in range(len(dataset)):
            sequence = dataset[n]['sequence']
            first = range(len(sequence) - stride)
            found += [FramePairs(sequence, tuple(first[i:i + chunk]), stride, dataset.size, part == 'train')
                      for i in range(0, len(first), chunk)]
    return found
