"""Builds the messages about files that cannot be read: what is wrong, and the way out.

The way out depends on what the file is for, so callers pass a role, a key of :data:`ROLES`.
"""

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class Role(NamedTuple):
    """The words for one kind of file: its noun, and what to do if it is missing or broken."""
    noun: str
    missing: str
    broken: str


ROLES = {
    'image': Role('image', 'check the path', 'restore it, save it again, or leave it out'),
    'frame': Role('frame', 'check the path', 'save it again as PNG or JPEG, or take it out of the frames'),
    'mask': Role('mask', 'check the path', 'save it again as PNG: white on black, or one value for each object'),
    'ground truth': Role('ground truth', 'check the path', 'save it again as PNG, or leave it out: frames without '
                                                           'ground truth are not scored'),
    'prediction': Role('prediction', 'write it again', 'write it again with what made it'),
    'result': Role('result', 'it was deleted after the run wrote it: start again with --overwrite',
                   'it was changed after the run wrote it: start again with --overwrite'),
    'frame of a data set': Role('image', 'the sequence is incomplete: unpack or copy it again',
                                'restore it from the original archive, or leave its sequence out'),
    'mask of a data set': Role('mask', 'the sequence is incomplete: unpack or copy it again',
                               'restore it from the original archive, or leave its sequence out'),
}
SEVERAL = {
    'frame': 'give the file itself as the video, or save each picture in its own file',
    'mask': 'save the right one as PNG; save masks of several frames in one file each',
}
SIGNATURES = (
    (b'\x89PNG', 'a PNG picture'), (b'\xff\xd8\xff', 'a JPEG picture'), (b'%PDF', 'a PDF: export its picture as PNG'),
    (b'PK\x03\x04', 'a ZIP archive: unpack it'), (b'\x1f\x8b', 'a packed file (gzip): unpack it'),
    (b'\x93NUMPY', 'an array of numpy (.npy): load it and pass the array, or save it as an image'),
    (b'version https://git-lfs', 'a Git LFS pointer instead of the file: `git lfs pull` downloads the file'),
    (b'8BPS', 'a Photoshop document: export it as PNG'), (b'\x1aE\xdf\xa3', 'a video (MKV or WebM)'),
    (b'%!PS', 'a PostScript file: export it as PNG'),
)
BRANDS = {b'heic': 'HEIC', b'heix': 'HEIC', b'hevc': 'HEIC', b'mif1': 'HEIC', b'msf1': 'HEIC', b'avif': 'AVIF',
          b'avis': 'AVIF'}
HEAD = 2048  # bytes that are read to recognise a file
NEAR = 0.6  # least similarity of a name that is suggested, in [0, 1]


class UnreadableImageError(OSError):
    """Raised for a file that exists but cannot be decoded as an image."""


class SeveralPicturesError(ValueError):
    """Raised for a file that holds ``count`` pictures where one is expected."""

    def __init__(self, count: int) -> None:
        super().__init__(f'it holds {count} pictures, but one is expected')


def image_fault(path: str | os.PathLike, reason: object, role: str = 'image') -> OSError:
    """Make the error for an image that cannot be read: FileNotFoundError or :class:`UnreadableImageError`.

    Args:
        path: path of the file; the error keeps it as an attribute.
        reason: message or error of the decoder; the error keeps it as an attribute.
        role: key of :data:`ROLES` that says what the file is for.
    """
    path, (noun, missing, broken) = os.fspath(path), ROLES[role]
    if not os.path.exists(path):
        near = nearest_file(path)
        fault, text = FileNotFoundError, f'{noun} {path} does not exist{near or "; " + missing}'
    elif isinstance(reason, SeveralPicturesError):
        fault, text = UnreadableImageError, f'{noun} {path} cannot be read: {reason}; {SEVERAL.get(role, broken)}'
    elif nature := nature_of(path):
        way = '' if ':' in nature else f'; {broken}'  # after ':' the nature names its own way out
        fault, text = UnreadableImageError, f'{noun} {path} cannot be decoded: it is {nature}{way}'
    else:
        fault, text = UnreadableImageError, (f'{noun} {path} cannot be decoded ({reason}); it is truncated or not an '
                                             f'image: {broken}')
    error = fault(text)
    error.path, error.reason = path, reason
    return error


@contextmanager
def read_as(role: str) -> Iterator[None]:
    """Raise errors about images from the block again, in the words of a role.

    Raises:
        FileNotFoundError, UnreadableImageError: the errors of the block, reworded.
    """
    try:
        yield
    except (FileNotFoundError, UnreadableImageError) as error:
        if not hasattr(error, 'reason'):
            raise
        raise image_fault(error.path, error.reason, role) from error.__cause__


def nature_of(path: str | os.PathLike) -> str:
    """Return what an unexpected file really is, such as ``'a text file'``, perhaps with a way out; '' if unknown."""
    if os.path.isdir(path):
        return 'a folder: name a file in it'
    if not os.access(path, os.R_OK):
        return 'not readable for this user: change its permissions'
    try:
        with open(path, 'rb') as file:
            head = file.read(HEAD)
    except OSError:
        return ''
    if not head:
        return 'empty (0 bytes)'
    if not head.strip(b'\0'):
        return 'filled with zeros, like an unfinished download or copy'
    if head[4:8] == b'ftyp':
        brand = BRANDS.get(head[8:12])
        return f'a picture in {brand}: convert it to JPEG or PNG' if brand else 'a video (MP4 or MOV)'
    start = head.lstrip().lower()
    if start.startswith((b'<!doctype html', b'<html', b'<head')):
        return 'a web page (HTML) saved under this name: download the file itself'
    if b'<svg' in start and start.startswith(b'<'):
        return 'a drawing (SVG): export it as PNG'
    found = next((nature for signature, nature in SIGNATURES if head.startswith(signature)), '')
    return found if not found.endswith(' picture') and found else 'a text file' if _is_text(head) else ''


def nearest_file(path: str | os.PathLike) -> str:
    """Return ``', did you mean ...?'`` for a path that does not exist; '' if no name in its folder is similar."""
    folder, name = os.path.split(os.fspath(path))
    try:
        names = [other for other in os.listdir(folder or os.curdir) if not other.startswith('.')]
    except OSError:
        return f' (the folder {folder} does not exist, either)' if folder and not os.path.exists(folder) else ''
    by_case = {other.lower(): other for other in names}
    near = difflib.get_close_matches(name.lower(), by_case, n=1, cutoff=NEAR)
    return f', did you mean {os.path.join(folder, by_case[near[0]])}?' if near else ''


def _is_text(head: bytes) -> bool:
    try:
        text = head[:-3].decode() if len(head) == HEAD else head.decode()  # HEAD may end within a character
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character in '\t\r\n\f' for character in text)
