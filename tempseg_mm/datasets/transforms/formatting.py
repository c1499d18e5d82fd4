"""Last step of a clip's pipeline: converts arrays to the tensors that the data preprocessor takes."""

import cv2
import numpy as np
import torch
from mmcv.transforms import BaseTransform
from torch import Tensor

from tempseg_mm.registry import TRANSFORMS
from tempseg_mm.structures.vos_data_sample import VOSDataSample


@TRANSFORMS.register_module()
class PackClip(BaseTransform):
    """Packs a clip into ``dict(inputs, data_samples)``.

    Required keys: ``frames``, ``gt_masks``. Optional keys: ``flow``; ``void``; ``reference_masks`` (default:
    ``gt_masks``) and ``first_reference``; ``sequence_name``; ``frame_ids`` (default: 0..T-1).

    :meth:`transform` returns ``inputs``, (T, 3, H, W) uint8 RGB, and ``data_samples``, a
    :class:`~tempseg_mm.structures.vos_data_sample.VOSDataSample`. The sample has no ``flow``, ``void`` or
    ``first_reference`` if the clip has none.

    Raises:
        ValueError: if there are not T masks, T reference masks and T-1 flow fields of the frames' size, or the first
            reference has another size.
    """

    def transform(self, results: dict) -> dict:
        frames, gt_masks = results['frames'], results['gt_masks']
        fields = dict(gt_masks=gt_masks, reference_masks=results.get('reference_masks') or gt_masks)
        if 'first_reference' in results:
            fields['first_reference'] = [results['first_reference']]
        fields.update({name: results[name] for name in ('flow', 'void') if name in results})
        for name, items in fields.items():
            _check(name, items, frames)
        sample = VOSDataSample(metainfo=dict(
            sequence=results.get('sequence_name', ''),
            frame_ids=list(results.get('frame_ids', range(len(frames))))))
        height, width = frames[0].shape[:2]
        for name, items in fields.items():
            channels, dtype = (2, np.float32) if name == 'flow' else (1, np.uint8)
            planes = _planes([np.asarray(item, dtype) for item in items])
            setattr(sample, name, planes if items else torch.empty(0, channels, height, width))
        return dict(inputs=_planes(frames), data_samples=sample)


def _planes(images: list) -> Tensor:
    """Stack T images (H, W) or (H, W, C) to (T, C, H, W). OpenCV takes channels apart faster than torch permutes."""
    planes = [cv2.split(image) for image in images]
    return torch.from_numpy(np.array(planes))


def _check(name: str, items: list, frames: list) -> None:
    expected = {'flow': len(frames) - 1, 'first_reference': 1}.get(name, len(frames))
    if len(items) != expected:
        raise ValueError(f'a clip of {len(frames)} frames needs {expected} entries in {name!r}, got {len(items)}')
    for item in items:
        if item.shape[:2] != frames[0].shape[:2]:
            raise ValueError(f'{name!r} of a clip are {item.shape[:2]}, its frames {frames[0].shape[:2]} (height, '
                             'width); a transform before PackClip changed only one of them')
