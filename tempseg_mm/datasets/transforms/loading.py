"""First steps of a clip's pipeline: read frames, masks and flow into memory."""

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform

from tempseg_mm.datasets.decoded_cache import DecodedCache
from tempseg_mm.datasets.vos_sequence import APART, VOSSequence
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.ops.resize import resize_mask, target_size
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS
from tempseg_mm.structures.segmented_frame import ids_of


@TRANSFORMS.register_module()
class LoadClip(BaseTransform):
    """Decodes the frames and annotations of a clip, and its flow if the data set has flow for every pair of frames.

    Required keys: ``sequence`` (VOSSequence), ``frame_ids`` (T int), ``size``.

    If objects are told apart, the clip shows one of them. It is drawn at random from the objects in its first frame or,
    if that frame shows none, from all objects of the clip.

    Added keys: ``sequence_name`` str; ``frames``, list of T (H, W, 3) uint8 RGB; ``gt_masks``, list of T (H, W) uint8
    0/1; ``flow``, list of T-1 (H, W, 2) float32 in pixels. ``flow`` is absent if a file is missing or the frames are
    not neighbours.

    Args:
        with_flow: ``False`` ignores flow on disk, so that a provider estimates it.
        cache_dir: folder in which decoded frames and annotations are kept, see
            :class:`~tempseg_mm.datasets.decoded_cache.DecodedCache`; ``None``: files are decoded each time.

    Raises:
        ValueError: if a frame is not annotated; see also :class:`~tempseg_mm.datasets.vos_sequence.VOSSequence`.
    """

    def __init__(self, with_flow: bool = True, cache_dir: str | None = None) -> None:
        self.with_flow = with_flow
        self._cache = None if cache_dir is None else DecodedCache(cache_dir)

    def transform(self, results: dict) -> dict:
        sequence, ids, size = results['sequence'], results['frame_ids'], results.get('size')
        results['sequence_name'] = sequence.name
        results['frames'] = [self._cache.frame(sequence, i, size) if self._cache else sequence.frame(i, size)
                             for i in ids]
        labels = [self._ids(sequence, i) for i in ids]
        for i, found in zip(ids, labels, strict=True):
            if found is None:
                raise ValueError(f'frame {sequence.file_name(i)} of sequence {sequence.name!r} is not annotated, but '
                                 'every frame of a clip must be')
        object_id = _drawn(labels) if sequence.objects == APART else 1
        results['gt_masks'] = [resize_mask((found == object_id).view(np.uint8), target_size(size, found.shape))
                               for found in labels]
        neighbours = all(after == before + 1 for before, after in zip(ids, ids[1:], strict=False))
        if self.with_flow and neighbours and len(ids) > 1:
            flow = [sequence.flow(i, size) for i in ids[:-1]]
            if all(field is not None for field in flow):
                results['flow'] = flow
        return results

    def _ids(self, sequence: VOSSequence, i: int) -> np.ndarray | None:
        if self._cache:
            return self._cache.object_ids(sequence, i)
        labels = sequence.annotation(i)
        return None if labels is None else labels.ids


def _drawn(labels: list) -> int:
    """Draw the id of the object that a clip shows; 1 if it shows none."""
    shown = ids_of(labels[0]) or sorted({i for found in labels for i in ids_of(found)}) or [1]
    return shown[np.random.randint(len(shown))] if len(shown) > 1 else shown[0]


@TRANSFORMS.register_module()
class LoadFlow(BaseTransform):
    """Estimates the flow of a clip that has none, so that later transforms change the flow together with the frames.

    Without this transform, the config's flow provider estimates the flow of the finished clips, in the data loader's
    workers if the provider works on the CPU.

    Required key: ``frames``. Added key: ``flow``, as :class:`LoadClip` adds it, unless it exists already.

    Args:
        provider: a flow provider, or its config, which is built when it is first needed; ``None``: DISFlow.
    """

    def __init__(self, provider: dict | FlowProvider | None = None) -> None:
        self.provider = dict(type='DISFlow') if provider is None else provider

    def transform(self, results: dict) -> dict:
        if 'flow' not in results:
            if isinstance(self.provider, dict):
                self.provider = TASK_UTILS.build(self.provider)
            frames = torch.from_numpy(np.stack(results['frames'])).permute(0, 3, 1, 2)  # [T,H,W,3] -> [T,3,H,W]
            flow = self.provider(frames[:-1], frames[1:]).cpu().numpy()
            results['flow'] = [cv2.merge(tuple(field)) for field in flow]  # [2,H,W] -> [H,W,2]
        return results
