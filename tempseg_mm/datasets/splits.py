"""Resolves splits that are not lists of the data set itself: lists of the project, paths of lists, names of sequences.

Used by data sets and by the matching of mask folders.
"""

import difflib
import logging
import os
import textwrap
from collections.abc import Collection, Sequence
from pathlib import Path

from mmengine.logging import print_log

from .name_list import sequence_names

LISTS = Path(__file__).with_name('lists')
DAVIS_2016 = 'davis2016'  # its training sequences are divided into 24 + 6, and into 20 + 10 (which move more)

Split = str | Sequence[str]


def shipped_lists(data: str) -> dict[str, str]:
    """Return name -> path of the lists that the project ships for a data set, sorted.

    Args:
        data: ``'davis2016'``. An empty string, or a data set without such lists, gives none.
    """
    return {path.stem: str(path) for path in sorted((LISTS / data).glob('*.txt'))} if data else {}


def is_path(split: str) -> bool:
    """Return True if a split is the path of a list: it contains a path separator or ends in ``.txt``."""
    return '/' in split or os.sep in split or split.endswith('.txt')


def is_elsewhere(split: str, data: str) -> bool:
    """Return True if a split does not need the lists of the data set: it is a path or a list of the project."""
    return is_path(split) or split in shipped_lists(data)


def list_elsewhere(split: str, own: Sequence[str], data: str, where: str | os.PathLike) -> str:
    """Return the path of a list that is not one of the data set's own.

    Args:
        split: name of a list of the project, or a path.
        own: splits of the data set in the folder ``where``, for the message.
        data: see :func:`shipped_lists`.

    Raises:
        ValueError: if there is no such list; the message names the lists that exist.
    """
    shipped = shipped_lists(data)
    path = shipped.get(split) or (split if is_path(split) else '')
    if not os.path.isfile(path):
        more = f'; the project ships: {", ".join(shipped)}' if shipped else ''
        raise ValueError(f'unknown split {split!r}; {where} has: {", ".join(own) or "none"}{more}. It may also be the '
                         'path of a list, or names of sequences: split=[NAME,NAME]')
    return path


def split_text(split: Split | os.PathLike) -> str:
    """Format a split for messages, in quotes or brackets; long lists are shortened."""
    if isinstance(split, str | os.PathLike):
        return repr(os.fspath(split))
    return textwrap.shorten(str(list(split)), 60, placeholder=' ...]')


def note_namesake(split: str, names: Collection[str], data: str, where: str | os.PathLike) -> None:
    """Warn if the project ships a list named ``split`` with other sequences than ``names``, the data set's own list.

    ``data`` is as in :func:`shipped_lists`; ``where`` is the folder of the data set.
    """
    namesake = shipped_lists(data).get(split)
    if namesake and set(names) != set(sequence_names(namesake)):
        print_log(f'split {split!r} is the list in {where}, with {len(names)} sequences. The project ships a list of '
                  f'the same name with other sequences; to use it: split={namesake}', 'current', logging.WARNING)


def require_known(names: Sequence[str], known: Collection[str], split: Split, data: str, where: str | os.PathLike
                  ) -> None:
    """Check that ``names``, the sequences of a split, are among ``known``, the sequences that exist.

    ``split``, ``data`` (see :func:`shipped_lists`) and ``where``, the folder of the data set, are for the message.

    Raises:
        ValueError: if some do not exist. The message names them and, if it is a single one, the nearest names.
    """
    missing = [name for name in names if name not in known]
    if not missing:
        return
    near = difflib.get_close_matches(missing[0], known, n=3) if len(missing) == 1 else []
    told = [f' (nearest: {", ".join(near)})' if near else '']
    if isinstance(split, str) and split in shipped_lists(data):
        told += ['. The list comes with the project; name a list of your data instead']
    raise ValueError(f'{len(missing)} of {len(names)} sequences of split {split_text(split)} are not in {where}: '
                     f'{", ".join(missing[:5])}{", ..." if len(missing) > 5 else ""}{"".join(told)}')
