"""Names that come from data, made into paths that stay where they should. Used by data sets and by what writes files.

Relies on nothing of the project. The project unpacks no archives, so what is here is all there is to guard.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

SEPARATORS = '/\\'
DECIMAL = r'(?<![0-9.])[0-9]+\.[0-9]+(?!\.?[0-9])'  # 0.25, but no part of 2024.01.05
UNPRINTABLE = ('Cc', 'Cs')  # control characters, NUL among them, and bytes that were no text


def plain_name(name: str, *, what: str = 'name') -> str:
    r"""``name`` as it is, if it can be one part of a path on any system, and a cell of a table.

    Args:
        name: of a sequence or a file, as a list, a folder or a user has it.
        what: what it names, for the message.

    Raises:
        ValueError: if it is empty, ``.`` or ``..``, or holds ``/``, ``\``, a drive, or characters that are no text.
    """
    fault = ''
    if not isinstance(name, str) or name in ('', os.curdir, os.pardir):
        fault = 'it names no file or folder of its own'
    elif set(name) & set(SEPARATORS) or os.path.splitdrive(name)[0]:
        fault = 'it is a path'
    elif any(unicodedata.category(character) in UNPRINTABLE for character in name):
        fault = 'it holds control characters or bytes that are no text'
    if fault:
        raise ValueError(f'{what} {name!r} cannot be used: {fault}. Results are filed under it, so it must be a single '
                         'plain name: rename what it stands for')
    return name


def printable(text: str) -> str:
    r"""``text`` with control characters and bytes that are no text written out, such as ``\x1b``: a name in it can
    neither steer a terminal nor make writing it fail.
    """
    return ''.join(character if unicodedata.category(character) not in UNPRINTABLE else repr(character)[1:-1]
                   for character in text)


def path_text(path: str | os.PathLike) -> str:
    """A path for a library in C++: OpenCV 5 takes the process down on a name that is not valid text.

    Raises:
        ValueError: for such a name.
    """
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f'the path "{printable(text)}" holds bytes that are no text, which OpenCV cannot take: rename '
                         'the file') from error
    return text


def inside(folder: str | os.PathLike, *names: str) -> Path:
    """``folder/names[0]/names[1]/...``, which is sure to lie in ``folder``.

    Args:
        folder: where output goes; it may be, or lie behind, a link.
        names: one part of the path each, see :func:`plain_name`.

    Raises:
        ValueError: if a name is not plain, or a folder on the way is a link that leads out of ``folder``. (A link at
            the last place is no danger: :func:`~tempseg_mm.runtime.atomic.written_beside` replaces it.)
    """
    path = Path(folder, *(plain_name(name, what='name of output') for name in names))
    root, parent = os.path.realpath(folder), os.path.realpath(path.parent)
    if os.path.commonpath([root, parent]) != root:
        raise ValueError(f'{path.parent} leads out of {folder}, to {parent}: there is a link on the way. Remove it, or '
                         'name the place itself as the folder for output')
    return path


def natural_key(name: str) -> tuple:
    """Sorts numbers in names by value, whatever the case of letters: ``Frame9.png`` before ``frame10.png``."""
    return _key(name, '[0-9]+', int)


def natural_order(paths: Iterable[str]) -> list:
    """Files in natural order, by folder and then by name: ``t0.5.png``, ``t0.25.png`` are numbers with a fraction.

    They are, unless a fraction ends in 0 and others are shorter, as in ``shot1.9.png``, ``shot1.10.png``.
    """
    paths = list(paths)
    split = {path: (os.path.dirname(path), *os.path.splitext(os.path.basename(path))) for path in paths}
    fractions = [part.split('.')[1] for _, stem, _ in split.values() for part in re.findall(DECIMAL, stem)]
    is_counter = len(set(map(len, fractions))) > 1 and any(len(part) > 1 and part[-1] == '0' for part in fractions)
    pattern, number = ('[0-9]+', int) if is_counter or not fractions else (f'{DECIMAL}|[0-9]+', Decimal)

    def key(path: str) -> tuple:
        folder, stem, suffix = split[path]
        return natural_key(folder), _key(stem, pattern, number), suffix
    return sorted(paths, key=key)


def orders_differ(paths: Iterable[str]) -> bool:
    """Whether numbers with a fraction put files into another order than if each part was a number of its own."""
    order = natural_order(paths)
    return order != sorted(order, key=lambda path: (natural_key(os.path.dirname(path)),
                                                    natural_key(os.path.splitext(os.path.basename(path))[0])))


def _key(name: str, pattern: str, number: Callable) -> tuple:
    parts = re.split(f'({pattern})', name)  # text, number, text, ...
    return [number(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], name
