"""Files of ``torch.save`` that hold tensors and plain types; others are refused, and named what they hold.

A pickle can run any code when it is read. ``torch.load(weights_only=True)`` calls nothing but what makes tensors; the
files that it gave that promise up for before torch 2.6 (TorchScript and tar archives) never reach it.

Names are not found by ``torch.serialization.get_unsafe_globals_in_checkpoint``: it fails on files from before torch
1.6, on bare pickles and on protocol 4, as foreign files may well be.
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
    """What ``torch.load(weights_only=True)`` reads from a file.

    Args:
        path: of ``torch.save``.
        map_location: of the tensors.

    Raises:
        ValueError: if the file is damaged, or if reading it could run code: then it says which classes and functions
            the file asks for, and how it is converted by someone who trusts it.
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
            raise ValueError(f'{path} holds more than tensors and plain types: it asks for {_listed(names)}. Such a '
                             f'file can run code when it is read. {_way_out(path)}') from error
        reason = textwrap.shorten(f'{type(error).__name__} {error}', 160, placeholder=' ...')
        raise ValueError(f'{path} cannot be read as weights ({reason}): it is damaged, or no file of torch.save'
                         ) from error


def foreign_names(path: Path) -> list[str]:
    """Classes and functions that a file asks for beyond those that make tensors, as ``module.name``. Runs nothing."""
    with open(path, 'rb') as file:
        if not zipfile.is_zipfile(file):
            file.seek(0)
            return sorted(set(_names(file)))
        try:
            with zipfile.ZipFile(file) as archive:
                inside = [name for name in archive.namelist() if name.endswith('.pkl')]
                return sorted({name for member in inside for name in _names(archive.open(member))})
        except Exception:  # a damaged archive: torch says what is wrong with it
            return []


def _names(file: BinaryIO) -> Iterator[str]:
    """Of all pickles that follow one another in a file; before torch 1.6 there were five."""
    try:
        while True:
            yield from (name.replace(' ', '.', 1) for name in _asked_for(file) if not OF_TENSORS.fullmatch(name))
    except Exception:  # the end of the file, or what is no pickle: torch says what is wrong with it
        return


def _asked_for(file: BinaryIO) -> Iterator[str]:
    """``module name`` of everything that one pickle looks up."""
    texts, memo, last = ['', ''], {}, None  # the newest two texts on the stack; what was put aside, by its number
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
    if not start.startswith(ZIP):  # torch goes by the first bytes alone
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
    return ('If you trust whoever made it, take the weights out of it yourself: python -c "import torch; torch.save('
            f"torch.load({name!r}, map_location='cpu', weights_only=False)['state_dict'], 'weights.pth')\""
            ' and load weights.pth (docs/reliability.md).')
