"""Reading of ``torch.save`` files that hold only tensors and plain types; other files are refused.

A pickle can run any code when it is read. ``torch.load(weights_only=True)`` calls only functions that make tensors.
Before torch 2.6 it did not keep that promise for TorchScript and tar archives, so this module refuses them first.

``torch.serialization.get_unsafe_globals_in_checkpoint`` is not used to list what a refused file refers to: it fails on
files from before torch 1.6, on bare pickles and on protocol 4, and untrusted files may be any of these.
"""

import pickletools
import re
import tarfile
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import torch

OF_TENSORS = re.compile(r'collections OrderedDict|torch(\.\w+)* (_rebuild_\w+|\w*Storage|Tensor|Parameter|Size|'
                        r'_load_from_bytes|b?float\d+\w*|u?int\d+|bool|complex\d+)')
ZIP = b'PK\x03\x04'


def load_plain(path: Path, map_location: str | torch.device = 'cpu') -> Any:
    """Return what ``torch.load(weights_only=True)`` reads from a file.

    Args:
        path: a file of ``torch.save``.
        map_location: device of the tensors.

    Raises:
        ValueError: if the file is damaged, or if reading it could run code. In the second case the message lists the
            classes and functions that the file refers to, and how to convert the file if its maker is trusted.
    """
    archive = _foreign_archive(path)
    if archive:
        raise ValueError(f'{path} cannot be read as weights: it is {archive}, which can hold code. {_way_out(path)}')
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # a hostile file makes torch raise nearly anything
        if isinstance(error, OSError):
            raise
        names = foreign_names(path)
        if names:
            raise ValueError(f'{path} holds more than tensors and plain types: it refers to {_listed(names)}. Such a '
                             f'file can run code when it is read. {_way_out(path)}') from error
        reason = textwrap.shorten(f'{type(error).__name__} {error}', 160, placeholder=' ...')
        raise ValueError(f'{path} cannot be read as weights ({reason}): it is damaged or not a file of torch.save'
                         ) from error


def foreign_names(path: Path) -> list[str]:
    """Return the classes and functions (``module.name``) that a file refers to, except those that make tensors."""
    with open(path, 'rb') as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return sorted(set(_names(file)))
        try:
            with zipfile.ZipFile(file) as archive:
                inside = [name for name in archive.namelist() if name.endswith('.pkl')]
                return sorted({name for member in inside for name in _names(archive.open(member))})
        except Exception:  # a damaged archive: the error of torch says what is wrong with it
            return []


def _names(file: BinaryIO) -> Iterator[str]:
    """Yield the foreign names of all pickles that follow each other in a file (five in files from before torch 1.6)."""
    try:
        while True:
            yield from (name.replace(' ', '.', 1) for name in _asked_for(file) if not OF_TENSORS.fullmatch(name))
    except Exception:  # the end of the file, or not a pickle: the error of torch says what is wrong with it
        return


def _asked_for(file: BinaryIO) -> Iterator[str]:
    """Yield ``module name`` for every global that one pickle looks up."""
    texts, memo, last = ['', ''], {}, None  # the two newest texts on the stack; the memo, number -> value
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name in ('GLOBAL', 'INST'):
            yield argument
        elif opcode.name == 'STACK_GLOBAL':
            yield ' '.join(texts)
        elif opcode.name == 'MEMOIZE' or 'PUT' in opcode.name:
            memo[len(memo) if argument is None else argument] = last
            continue
        last = memo.get(argument) if 'GET' in opcode.name else argument
        if isinstance(last, str):
            texts = [texts[-1], last]


def _foreign_archive(path: Path) -> str | None:
    with open(path, 'rb') as file:
        start = file.read(tarfile.BLOCKSIZE)
    if not start.startswith(ZIP):  # torch, too, looks only at the first bytes
        return 'a tar archive' if start.strip(b'\0') and tarfile.is_tarfile(path) else None
    try:
        with zipfile.ZipFile(path) as archive:
            script = any(name.endswith('/constants.pkl') for name in archive.namelist())
    except zipfile.BadZipFile:
        return None
    return 'a TorchScript archive' if script else None


def _listed(names: list[str]) -> str:
    return ', '.join(names[:5]) + (f' and {len(names) - 5} more' if len(names) > 5 else '')


def _way_out(path: Path) -> str:
    name = str(path)
    return ('If you trust its maker, extract the weights yourself: python -c "import torch; torch.save('
            f"torch.load({name!r}, map_location='cpu', weights_only=False)['state_dict'], 'weights.pth')\""
            ' and load weights.pth (docs/reliability.md).')
