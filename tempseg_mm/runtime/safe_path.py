"""Safe paths from names that come from data: they cannot leave their folder. Used by data sets and by all file writers.

The module imports nothing of the project. The project unpacks no archives, so these are all the checks it needs.
"""

import os
import re
import unicodedata
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path

SEPARATORS = '/\\'
DECIMAL = r'(?<![0-9.])[0-9]+\.[0-9]+(?!\.?[0-9])'  # matches 0.25, but no part of 2024.01.05
UNPRINTABLE = ('Cc', 'Cs')  # control characters, including NUL, and bytes that are not valid text


def plain_name(name: str, *, what: str = 'name') -> str:
    r"""Return ``name`` unchanged if it can be one part of a path on any system and a cell of a table.

    Args:
        name: name of a sequence or a file, as it comes from a list, a folder or a user.
        what: what the name stands for, for the message.

    Raises:
        ValueError: if it is empty, ``.`` or ``..``, or contains ``/``, ``\``, a drive, or characters that are not text.
    """
    fault = ''
    if not isinstance(name, str) or name in ('', os.curdir, os.pardir):
        fault = 'it does not name a single file or folder'
    elif set(name) & set(SEPARATORS) or os.path.splitdrive(name)[0]:
        fault = 'it is a path'
    elif any(unicodedata.category(character) in UNPRINTABLE for character in name):
        fault = 'it contains control characters or bytes that are not valid text'
    if fault:
        raise ValueError(f'{what} {name!r} cannot be used: {fault}. Results are saved under this name, so it must be '
                         'a single plain name: rename what it stands for')
    return name


def printable(text: str) -> str:
    r"""Return ``text`` with control characters and invalid bytes written out, such as ``\x1b``.

    Then a name in it can neither steer a terminal nor make writing fail.
    """
    return ''.join(character if unicodedata.category(character) not in UNPRINTABLE else repr(character)[1:-1]
                   for character in text)


def path_text(path: str | os.PathLike) -> str:
    """Return a path as text for a C++ library. OpenCV 5 kills the process on a name that is not valid text.

    Raises:
        ValueError: if the path is not valid text.
    """
    text = os.fspath(path)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f'the path "{printable(text)}" contains bytes that are not valid text, which OpenCV cannot '
                         'read: rename the file') from error
    return text


def inside(folder: str | os.PathLike, *names: str) -> Path:
    """Return ``folder/names[0]/names[1]/...`` after a check that it lies inside ``folder``.

    Args:
        folder: folder for output. It may be a link, or lie behind one.
        names: parts of the path, each as :func:`plain_name` requires.

    Raises:
        ValueError: if a name is not plain, or if a link on the way leads out of ``folder``. A link in the last place is
            harmless: :func:`~tempseg_mm.runtime.atomic.written_beside` replaces it.
    """
    path = Path(folder, *(plain_name(name, what='name of output') for name in names))
    root, parent = os.path.realpath(folder), os.path.realpath(path.parent)
    if os.path.commonpath([root, parent]) != root:
        raise ValueError(f'{path.parent} leads out of {folder}, to {parent}, through a link. Remove the link, or name '
                         'its target as the folder for output')
    return path


def natural_key(name: str) -> tuple:
    """Return a sort key: numbers by value, letters without case, so ``Frame9.png`` comes before ``frame10.png``."""
    return _key(name, '[0-9]+', int)


def natural_order(paths: Iterable[str]) -> list:
    """Return files in natural order, by folder and then by name.

    Numbers in names may have a fraction: ``t0.25.png`` comes before ``t0.5.png``. If the fractions differ in length and
    one ends in 0, as in ``shot1.9.png``, ``shot1.10.png``, the digits after the point are a separate whole number.
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
    """Return True if the order changes when each number with a fraction is read as two whole numbers."""
    order = natural_order(paths)
    return order != sorted(order, key=lambda path: (natural_key(os.path.dirname(path)),
                                                    natural_key(os.path.splitext(os.path.basename(path))[0])))


def _key(name: str, pattern: str, number: Callable) -> tuple:
    parts = re.split(f'({pattern})', name)  # text, number, text, ...
    return [number(part) if i % 2 else part.casefold() for i, part in enumerate(parts)], name
