"""Reads lists of sequences from text files. Used by data sets and by the matching of mask folders."""

import os
import re
from pathlib import PurePosixPath

from tempseg_mm.runtime.safe_path import plain_name

FIRST_IMAGE = re.compile(r'(\S.*?\.(?:jpe?g|png|bmp|webp|tiff?))(?:\s+\S.*)?', re.IGNORECASE)


def read_lines(path: str | os.PathLike) -> list:
    """Return the lines of a text file, stripped, without empty ones.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not UTF-8 text.
    """
    try:
        with open(path, encoding='utf-8-sig') as lines:  # editors on Windows begin a file with a byte order mark
            return [line.strip() for line in lines if line.strip()]
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is no UTF-8 text ({error.reason} at byte {error.start}); it should be a list with '
                         'one sequence per line: save it again as UTF-8') from error


def sequence_names(path: str | os.PathLike) -> list:
    """Return the sequences that a list names, in order, each once.

    A line is either a name, which may contain spaces and commas, or a line of paths as in the lists of DAVIS 2016,
    ``/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png``. The folder of the first path is then the name.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it is not UTF-8 text, or a line gives no plain name, such as ``../bear``.
    """
    entries = [PurePosixPath(_first_path(line)) for line in read_lines(path)]
    names = dict.fromkeys(entry.parent.name or entry.name for entry in entries)
    return [plain_name(name, what=f'in the list {path}: sequence') for name in names]


def _first_path(line: str) -> str:
    """Return the first image path in a line, which may contain spaces; the whole line if it names no image."""
    images = FIRST_IMAGE.fullmatch(line) if '/' in line else None
    return images[1] if images else line
