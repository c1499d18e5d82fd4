"""Annotation of one clip on its way from the pipeline to the data preprocessor."""

from mmengine.structures import BaseDataElement
from torch import Tensor


class VOSDataSample(BaseDataElement):
    """Masks and flow of one clip of T frames.

    Meta information: ``sequence`` (str), ``frame_ids`` (list of T int).

    Attributes:
        gt_masks: (T, 1, H, W) uint8, 0 or 1.
        reference_masks: (T, 1, H, W) uint8, 0 or 1. ``reference_masks[t]`` is aligned with frame t. The data
            preprocessor moves it along the flow, and it becomes the reference of frame t+1. The last mask is not read.
        first_reference: (1, 1, H, W) uint8, 0 or 1: the reference of frame 0, aligned with frame 0. Default:
            ``reference_masks[0]``.
        void: (T, 1, H, W) uint8, 0 or 1: 1 where the object is unknown. If it is missing, all of it is known.
        flow: (T-1, 2, H, W) float32, pixels, (x, y), forward. If it is missing, the preprocessor computes it.

    Raises:
        ValueError: if a field is set to a tensor of another rank or channel count.
    """

    def pin_memory(self) -> 'VOSDataSample':
        """Return a copy in page-locked memory, from which a GPU copies while the CPU works on.

        Fine-tuning calls it, and data loaders with ``pin_memory=True`` do.
        """
        pinned = self.new()
        for name, value in self.items():
            pinned.set_data({name: value.pin_memory()})
        return pinned

    def _set_checked(self, name: str, value: Tensor, channels: int) -> None:
        if value.ndim != 4 or value.shape[1] != channels:
            raise ValueError(f'{name} must be (T, {channels}, H, W), got {tuple(value.shape)}')
        self.set_field(value, f'_{name}', dtype=Tensor)

    @property
    def gt_masks(self) -> Tensor:
        return self._gt_masks

    @gt_masks.setter
    def gt_masks(self, value: Tensor) -> None:
        self._set_checked('gt_masks', value, 1)

    @property
    def reference_masks(self) -> Tensor:
        return self._reference_masks

    @reference_masks.setter
    def reference_masks(self, value: Tensor) -> None:
        self._set_checked('reference_masks', value, 1)

    @property
    def first_reference(self) -> Tensor:
        return self._first_reference if 'first_reference' in self else self._reference_masks[:1]

    @first_reference.setter
    def first_reference(self, value: Tensor) -> None:
        self._set_checked('first_reference', value, 1)

    @property
    def void(self) -> Tensor:
        return self._void

    @void.setter
    def void(self, value: Tensor) -> None:
        self._set_checked('void', value, 1)

    @property
    def flow(self) -> Tensor:
        return self._flow

    @flow.setter
    def flow(self, value: Tensor) -> None:
        self._set_checked('flow', value, 2)
