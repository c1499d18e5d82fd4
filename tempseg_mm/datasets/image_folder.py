"""Images with one class each, as ImageNet is commonly unpacked: for pre-training a backbone. Built by the Runner."""

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
    """A folder for each class::

        data_root/
        ├── n01440764/*.JPEG      class 0: names of folders in sorted order
        ├── n01443537/*.JPEG      class 1
        └── ...

    Item: what ``pipeline`` makes of ``dict(img=(H, W, 3) uint8 RGB, label=int)``. An image that cannot be read raises
    with its path: no other is put in its place.

    Args:
        data_root: the folder drawn above; ``.jpg``, ``.jpeg`` and ``.png`` files, in either case.
        pipeline: configs of transforms.
        size: at which images are decoded, see :func:`~tempseg_mm.ops.resize.target_size`; ``None``: as stored.
        num_classes: how many folders there must be, the model's number; ``None``: any.

    Attributes:
        classes: names of the classes.

    Raises:
        FileNotFoundError: if the root is missing.
        ValueError: for another number of classes, or a class without images.
    """

    def __init__(self, data_root: str, *, pipeline: Sequence = (), size: Size = None, num_classes: int | None = None
                 ) -> None:
        self.size, self.num_classes = size, num_classes
        self.classes: list = []
        # Built here, not by mmengine, so that our transforms are found without a default scope too.
        transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(data_root=os.fspath(data_root), data_prefix={}, pipeline=transforms, max_refetch=0)

    def load_data_list(self) -> list:
        """Called once by mmengine: ``path`` and ``label`` of every image; nothing is decoded."""
        if not os.path.isdir(self.data_root):
            raise FileNotFoundError(f'data root {self.data_root!r} is not a folder; {type(self).__name__} expects one '
                                    'folder of images for each class in it')
        self.classes = sorted(entry.name for entry in os.scandir(self.data_root)
                              if entry.is_dir() and not entry.name.startswith('.'))
        if self.num_classes not in (None, len(self.classes)):
            raise ValueError(f'{self.data_root} has {len(self.classes)} folders, one for each class, but num_classes '
                             f'is {self.num_classes}; set num_classes, that of the model too, or complete the data')
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
        """A :class:`~tempseg_mm.datasets.readable.ReadablePart` for every image."""
        paths = (BaseDataset.get_data_info(self, idx)['path'] for idx in range(len(self)))
        return [ReadablePart((path,), partial(verify_image, path)) for path in paths]

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline: ``img``, ``label``, ``path``."""
        info = super().get_data_info(idx)
        return dict(img=read_image(info['path'], self.size), label=info['label'], path=info['path'])
