"""Images with one class each in the usual folder layout of ImageNet, for pre-training a backbone."""

import os
from collections.abc import Sequence
from functools import partial

from mmengine.dataset import BaseDataset

from tempseg_mm.ops.resize import Size
from tempseg_mm.registry import DATASETS, TRANSFORMS
from tempseg_mm.sources.image_io import read_image, verify_image

from .readable import ReadablePart

IMAGE_SUFFIXES = ('.jpg', '.jpeg', '.png')


@DATASETS.register_module()
class ImageFolderDataset(BaseDataset):
    """Reads one folder of images per class::

        data_root/
        ├── n01440764/*.JPEG      class 0: folders are numbered in sorted order
        ├── n01443537/*.JPEG      class 1
        └── ...

    An item is the result of ``pipeline`` for ``dict(img=(H, W, 3) uint8 RGB, label=int, path=str)``. An image that
    cannot be read raises an error with its path; no other image is returned instead.

    Args:
        data_root: the folder drawn above, with ``.jpg``, ``.jpeg`` and ``.png`` files (upper or lower case).
        pipeline: configs of transforms.
        size: size at which images are decoded, see :func:`~tempseg_mm.ops.resize.target_size`; ``None``: as stored.
        num_classes: required number of folders, equal to the model's number of classes; ``None``: any number.

    Attributes:
        classes: names of the classes, sorted.

    Raises:
        FileNotFoundError: if the root is missing.
        ValueError: for another number of classes, or a class without images.
    """

    def __init__(self, data_root: str, *, pipeline: Sequence = (), size: Size = None, num_classes: int | None = None
                 ) -> None:
        self.size, self.num_classes = size, num_classes
        self.classes: list = []
        # Built here, not by mmengine, so that our transforms are also found without a default scope.
        transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(data_root=os.fspath(data_root), data_prefix={}, pipeline=transforms, max_refetch=0)

    def load_data_list(self) -> list:
        """List ``path`` and ``label`` of every image without decoding any. mmengine calls this once."""
        if not os.path.isdir(self.data_root):
            raise FileNotFoundError(f'data root {self.data_root!r} is not a folder; {type(self).__name__} expects it '
                                    'to hold one folder of images for each class')
        self.classes = sorted(entry.name for entry in os.scandir(self.data_root)
                              if entry.is_dir() and not entry.name.startswith('.'))
        if self.num_classes not in (None, len(self.classes)):
            raise ValueError(f'{self.data_root} has {len(self.classes)} folders, one for each class, but num_classes '
                             f'is {self.num_classes}; set num_classes here and in the model, or complete the data')
        return [dict(path=path, label=label)
                for label, name in enumerate(self.classes) for path in self._images(name)]

    def _images(self, name: str) -> list:
        folder = os.path.join(self.data_root, name)
        found = sorted(file for file in os.listdir(folder)
                       if file.lower().endswith(IMAGE_SUFFIXES) and not file.startswith('.'))
        if not found:
            raise ValueError(f'class {name!r} has no images: {folder} holds no {", ".join(IMAGE_SUFFIXES)} files')
        return [os.path.join(folder, file) for file in found]

    def readable_parts(self) -> list:
        """Return a :class:`~tempseg_mm.datasets.readable.ReadablePart` for every image."""
        paths = (BaseDataset.get_data_info(self, idx)['path'] for idx in range(len(self)))
        return [ReadablePart((path,), partial(verify_image, path)) for path in paths]

    def get_data_info(self, idx: int) -> dict:
        """Return item ``idx`` before the pipeline: ``img``, ``label``, ``path``."""
        info = super().get_data_info(idx)
        return dict(img=read_image(info['path'], self.size), label=info['label'], path=info['path'])
