"""Finds the flow provider and the frame pairs of a config, and compares providers on these pairs.

``tempseg-eval-flow`` and the code that fills a flow cache use it.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from torch import Tensor

from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.evaluation.functional.region import region_similarity
from tempseg_mm.evaluation.markdown import markdown_table
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.metrics import end_point_error, round_trip_error
from tempseg_mm.models.losses.itsd import itsd_target
from tempseg_mm.ops.resize import Size, resize_image, target_size
from tempseg_mm.registry import DATASETS, TASK_UTILS
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.progress import Progress
from tempseg_mm.visualization.contact_sheet import contact_sheet
from tempseg_mm.visualization.exporters import write_png
from tempseg_mm.visualization.palette import flow_colors

CHUNK = 8  # pairs that are decoded together


@dataclass(frozen=True)
class FramePairs:
    """Some frame pairs of one sequence. It takes a few kilobytes; frames are decoded by :meth:`load`.

    Attributes:
        sequence: sequence of the frames.
        first: index of the first frame of each pair, ascending.
        stride: number of frames from the first to the second frame of a pair.
        size: working size.
        for_training: decode as a training pipeline does, directly to the working size; else as a test does, at the
            original size first. The pixels differ slightly, and a cache distinguishes them.
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
        """Return the first and the second frames of all pairs, each (P, 3, H, W) uint8 RGB."""
        frames = {i: self._frame(i) for i in sorted({*self.first, *(i + self.stride for i in self.first)})}
        return tuple(torch.from_numpy(np.stack([frames[i + step] for i in self.first])).permute(0, 3, 1, 2)
                     for step in (0, self.stride))  # [P, H, W, 3] -> [P, 3, H, W]

    def _frame(self, i: int) -> np.ndarray:
        if self.for_training:
            return self.sequence.frame(i, self.size)
        frame = self.sequence.frame(i)
        return resize_image(frame, target_size(self.size, frame.shape[:2]))


def configured_provider(cfg: Config) -> dict:
    """Return the config of the flow provider as a plain dict.

    Raises:
        ValueError: if the config has none.
    """
    flow = cfg.get('model', {}).get('data_preprocessor', {}).get('flow')
    if flow is None:
        raise ValueError('this config names no flow provider: expected one in model.data_preprocessor.flow')
    return Config(dict(flow=flow)).to_dict()['flow']


def frame_pairs(cfg: Config, parts: Sequence[str] = ('train', 'test'), *, chunk: int = CHUNK) -> list[FramePairs]:
    """Return every frame pair of the training clips and the test sequences of a config.

    Args:
        cfg: config with ``<part>_dataloader``; a part without one is skipped.
        parts: ``'train'``, ``'test'`` or both.
        chunk: largest number of pairs in one :class:`FramePairs`.
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


@dataclass(frozen=True)
class FlowScore:
    """Score of one provider on one frame pair; a value is ``None`` if the data do not allow it.

    Attributes:
        seconds: time for the pair.
        epe: mean distance from the exact flow, in pixels.
        object_epe: the same on the object of frame t.
        target_iou: IoU of two warped targets of ITSDL, by this flow and by the exact flow, with s = 4.
        consistent: without exact flow only: share of pixels that return to their place, see ``round_trip_error``.
    """
    seconds: float
    epe: float | None = None
    object_epe: float | None = None
    target_iou: float | None = None
    consistent: float | None = None


COLUMNS = dict(epe=('EPE (px)', '{:.3f}'), object_epe=('EPE on the object', '{:.3f}'),
               target_iou=('target IoU', '{:.3f}'), consistent=('consistent', '{:.1%}'), seconds=('s/pair', '{:.3f}'))


def evaluate_flow(cfg: Config, providers: Mapping[str, dict | FlowProvider], *, part: str = 'test', every: int = 1,
                  device: str = 'cpu', pictures: str | Path | None = None,
                  log: Callable[[str], None] = lambda text: None) -> dict[str, list[FlowScore]]:
    """Score each provider on the same frame pairs, at the working size of the config.

    Args:
        cfg: config with the data. Flow files that belong to the data count as exact.
        providers: name -> provider or its config.
        part: ``'train'`` or ``'test'``.
        every: use only every n-th pair.
        device: device of the frames.
        pictures: folder for one picture per sequence: a frame and, in colours, its flow. ``None``: no pictures.
        log: called with lines about the progress.

    Returns:
        Name of the provider -> one score per pair.

    Raises:
        ValueError: if there are no pairs.
        InUseError: if another run writes pictures to the folder.
    """
    pairs = [some for some in frame_pairs(cfg, (part,), chunk=1) if some.first[0] % every == 0]
    if not pairs:
        raise ValueError(f'the {part} data of this config have no pair of frames')
    built = {name: TASK_UTILS.build(provider) if isinstance(provider, dict) else provider
             for name, provider in providers.items()}
    scores: dict[str, list[FlowScore]] = {name: [] for name in built}
    progress, drawn = Progress(len(pairs), log, unit='pairs', interval=5), set()
    with locked(*([] if pictures is None else [pictures]), option='--out'):
        for pair in pairs:
            exact, masks = _known(pair)
            flows = {}
            for name, provider in built.items():
                flows[name], score = _score(provider, pair, exact, masks, device)
                scores[name].append(score)
            if pictures is not None and pair.sequence.name not in drawn:
                drawn.add(pair.sequence.name)
                _draw(Path(pictures) / f'{_file_name(pair.sequence.name)}.png', pair, exact, flows)
            progress.step(f'{pair}')
    return scores


def score_rows(scores: Mapping[str, list[FlowScore]]) -> str:
    """Return the means over the pairs as a Markdown table, one row per provider, without columns that have no value."""
    means = {name: {key: _mean([getattr(score, key) for score in found]) for key in COLUMNS}
             for name, found in scores.items()}
    known = [key for key in COLUMNS if any(row[key] is not None for row in means.values())]
    return markdown_table(['flow', *(COLUMNS[key][0] for key in known)], [
        [name, *('' if row[key] is None else COLUMNS[key][1].format(row[key]) for key in known)]
        for name, row in means.items()])


def _known(pair: FramePairs) -> tuple[Tensor | None, Tensor | None]:
    """Return the exact flow (1, 2, H, W) and both frames' masks (1, 2, 1, H, W), each ``None`` if the data lack it."""
    sequence, (i,) = pair.sequence, pair.first
    exact = sequence.flow(i, pair.size) if pair.stride == 1 else None
    masks = [sequence.mask(frame, pair.size) for frame in (i, i + pair.stride)]
    return (None if exact is None else torch.from_numpy(exact).permute(2, 0, 1)[None],
            None if any(mask is None for mask in masks) else torch.from_numpy(np.stack(masks))[None, :, None].float())


def _score(provider: FlowProvider, pair: FramePairs, exact: Tensor | None, masks: Tensor | None, device: str
           ) -> tuple[Tensor, FlowScore]:
    frame, next_frame = (frames.to(device) for frames in pair.load())
    begin = time.perf_counter()
    flow = provider(frame, next_frame).cpu()
    seconds = time.perf_counter() - begin
    if exact is None:
        _, back = round_trip_error(flow, provider(next_frame, frame).cpu())
        return flow, FlowScore(seconds, consistent=back.float().mean().item())
    error = end_point_error(flow, exact)
    if masks is None or not masks[:, 0].any():
        return flow, FlowScore(seconds, error.mean().item())
    target, exact_target = (itsd_target(masks, field[:, None])[0, 0, 0].numpy() > 0 for field in (flow, exact))
    return flow, FlowScore(seconds, error.mean().item(), error[masks[:, 0, 0] > 0].mean().item(),
                           float(region_similarity(target, exact_target)))


def _draw(path: Path, pair: FramePairs, exact: Tensor | None, flows: Mapping[str, Tensor]) -> None:
    fields = {**({} if exact is None else dict(exact=exact)), **flows}
    fields = {name: field[0].permute(1, 2, 0).numpy() for name, field in fields.items()}
    longest = max(1.0, float(np.hypot(*np.moveaxis(next(iter(fields.values())), 2, 0)).max()))
    frame = pair.load()[0][0].permute(1, 2, 0).numpy()
    write_png(path, contact_sheet(
        [frame, *(flow_colors(field, max_flow=longest) for field in fields.values())], columns=3,
        captions=['frame', *fields]))


def _file_name(name: str) -> str:
    return re.sub(r'[^\w.-]', '_', name)


def _mean(values: list) -> float | None:
    values = [value for value in values if value is not None]
    return sum(values) / len(values) if values else None
