"""Splits that are no list of the data itself: lists that come with the project, paths of lists, names.

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
DAVIS_2016 = 'davis2016'  # divisions of its training sequences: 24 + 6, and 20 + 10 that move more

Split = str | Sequence[str]


def shipped_lists(data: str) -> dict[str, str]:
    """Name -> path of the lists that come with the project for some data, sorted.

    Args:
        data: ``'davis2016'``; empty, or data for which there are none: there are none.
    """
    return {path.stem: str(path) for path in sorted((LISTS / data).glob('*.txt'))} if data else {}


def is_path(split: str) -> bool:
    """Whether a split is meant as the path of a list: it names a folder or ends in ``.txt``."""
    return '/' in split or os.sep in split or split.endswith('.txt')


def is_elsewhere(split: str, data: str) -> bool:
    """Whether a split can be found without the lists of the data: it is a path, or comes with the project."""
    return is_path(split) or split in shipped_lists(data)


def list_elsewhere(split: str, own: Sequence[str], data: str, where: str | os.PathLike) -> str:
    """Path of the list that a split means which is none of the data's own.

    Args:
        split: name of a list that comes with the project, or a path.
        own: splits of the data, for the message.
        data: see :func:`shipped_lists`.
        where: the folder of the data, for the message.

    Raises:
        ValueError: if there is none, naming those that there are.
    """
    shipped = shipped_lists(data)
    path = shipped.get(split) or (split if is_path(split) else '')
    if not os.path.isfile(path):
        more = f'; with the project come: {", ".join(shipped)}' if shipped else ''
        raise ValueError(f'unknown split {split!r}; {where} has: {", ".join(own) or "none"}{more}. It may also be the '
                         'path of a list, or names of sequences: split=[NAME,NAME]')
    return path


def split_text(split: Split | os.PathLike) -> str:
    """A split as messages show it, in quotes or brackets; long lists are cut."""
    if isinstance(split, str | os.PathLike):
        return repr(os.fspath(split))
    return textwrap.shorten(str(list(split)), 60, placeholder=' ...]')


def note_namesake(split: str, names: Collection[str], data: str, where: str | os.PathLike) -> None:
    """Warn where a list of the data and one that comes with the project have one name and other sequences.

    Args:
        split: their name.
        names: sequences of the data's own, which is taken.
        data: see :func:`shipped_lists`.
        where: the folder of the data.
    """
    namesake = shipped_lists(data).get(split)
    if namesake and set(names) != set(sequence_names(namesake)):
        print_log(f'split {split!r} is the list in {where}, of {len(names)} sequences; the one of that name that comes '
                  f'with the project has others: split={namesake}', 'current', logging.WARNING)


def require_known(names: Sequence[str], known: Collection[str], split: Split, data: str, where: str | os.PathLike
                  ) -> None:
    """Check that the sequences of a split are there.

    Args:
        names: of the split.
        known: that there are.
        split: for the message.
        data: see :func:`shipped_lists`.
        where: the folder that they are looked for in.

    Raises:
        ValueError: naming those that are not, and for a single one the nearest names.
    """
    missing = [name for name in names if name not in known]
    if not missing:
        return
    near = difflib.get_close_matches(missing[0], known, n=3) if len(missing) == 1 else []
    told = [f' (nearest: {", ".join(near)})' if near else '']
    if isinstance(split, str) and split in shipped_lists(data):
        told += ['. The list comes with the project; name the one of your data']
    raise ValueError(f'{len(missing)} of {len(names)} sequences of split {split_text(split)} are not in {where}: '
                     f'{", ".join(missing[:5])}{", ..." if len(missing) > 5 else ""}{"".join(told)}')
