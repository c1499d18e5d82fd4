"""Lists of sequences as text files. Read by data sets and by the matching of mask folders."""

import os
import re
from pathlib import PurePosixPath

from tempseg_mm.runtime.safe_path import plain_name

FIRST_IMAGE = re.compile(r'(\S.*?\.(?:jpe?g|png|bmp|webp|tiff?))(?:\s+\S.*)?', re.IGNORECASE)


def read_lines(path: str | os.PathLike) -> list:
    """The lines of a text file that are not empty, stripped.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no UTF-8 text.
    """
    try:
        with open(path, encoding='utf-8-sig') as lines:  # editors on Windows put a mark before the first line
            return [line.strip() for line in lines if line.strip()]
    except UnicodeDecodeError as error:
        raise ValueError(f'{path} is no UTF-8 text ({error.reason} at byte {error.start}); it should be a list with a '
                         'sequence a line: save it again as UTF-8') from error


def sequence_names(path: str | os.PathLike) -> list:
    """The sequences that a list names, in order, each once.

    A line is a name, spaces and commas included, or paths as in the lists of DAVIS 2016,
    ``/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png``, whose folder is the name.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no text, or a line gives no plain name, such as ``../bear``.
    """
    entries = [PurePosixPath(_first_path(line)) for line in read_lines(path)]
    names = dict.fromkeys(entry.parent.name or entry.name for entry in entries)
    return [plain_name(name, what=f'in the list {path}: sequence') for name in names]


def _first_path(line: str) -> str:
    """The first of the images that a line names, which may have spaces; the whole line where it names none."""
    images = FIRST_IMAGE.fullmatch(line) if '/' in line else None
    return images[1] if images else line
