"""Makes mmengine read every checkpoint as plain data: ``load_from`` and ``resume`` of a Runner, and ``init_cfg``.

mmengine's own readers may run code from a file, depending on the version of torch. Importing this package replaces
them, and every program that builds a model imports it.
"""

from mmengine.runner import CheckpointLoader

from tempseg_mm.runtime.weight_files import read_checkpoint

ZOOS = ('pavi://', r'(\S+\:)?s3://', r'(\S+\:)?petrel://', 'modelzoo://', 'torchvision://', 'open-mmlab://',
        'openmmlab://', 'mmcls://')


@CheckpointLoader.register_scheme(prefixes=('', 'http://', 'https://'), force=True)
def load_from_plain_file(filename: str, map_location: str | None = None) -> dict:
    """Read a checkpoint as plain data. mmengine logs the name of this function as ``plain_file``."""
    return read_checkpoint(filename, map_location)


@CheckpointLoader.register_scheme(prefixes=ZOOS, force=True)
def load_from_zoo(filename: str, map_location: str | None = None) -> dict:
    """Refuse the short names of model zoos: a config that uses them states neither the URL nor the digest of the file.

    Raises:
        ValueError: always.
    """
    raise ValueError(f'{filename!r} names no file. Give the path of a local file, or a URL with the expected digest: '
                     'https://.../weights.pth#sha256=<64 digits>')
