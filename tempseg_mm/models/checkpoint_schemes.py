"""How mmengine reads a checkpoint, for a Runner's ``load_from`` and ``resume`` and for ``init_cfg``: as plain data.

mmengine's own readers leave it to the version of torch whether a file may run code. They are replaced when this package
is imported, which whoever builds a model does.
"""

from mmengine.runner import CheckpointLoader

from tempseg_mm.runtime.weight_files import read_checkpoint

ZOOS = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'modelzoo://', 'torchvision://', 'open-mmlab://',
        'openmmlab://', 'mmcls://')


@CheckpointLoader.register_scheme(prefixes=('', 'http://', 'https://'), force=True)
def load_from_plain_file(filename: str, map_location: str | None = None) -> dict:
    """:func:`~tempseg_mm.runtime.weight_files.read_checkpoint` under the name that mmengine logs: ``plain_file``."""
    return read_checkpoint(filename, map_location)


@CheckpointLoader.register_scheme(prefixes=ZOOS, force=True)
def load_from_zoo(filename: str, map_location: str | None = None) -> dict:
    """Refuse the short names of model zoos: what they stand for is not in the config, nor is its digest.

    Raises:
        ValueError: always.
    """
    raise ValueError(f'{filename!r} names no file. Write the path of a file that is here, or its URL with the digest '
                     'that it must have: https://.../weights.pth#sha256=<64 digits>')
