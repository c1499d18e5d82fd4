"""Finds the frames among the files of a folder or the matches of a pattern, and their order."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import features

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.runtime.safe_path import natural_order, orders_differ

from .frame_names import is_mask_word, without_mask_word

IMAGE_SUFFIXES = (
    '.png', '.jpg', '.jpeg', '.jpe', '.jfif', '.bmp', '.tif', '.tiff', '.webp', '.ppm', '.pgm', '.pbm', '.pnm', '.jp2',
    '.gif', '.apng', *(['.avif'] * features.check('avif')))
# Picture formats that are not supported. Messages count such files, so that nobody wonders where they went.
UNREAD_SUFFIXES = ('.heic', '.heif', '.hif', '.avif', '.jxl', '.tga', '.dib', '.exr', '.hdr', '.pfm', '.dpx', '.dng',
                   '.cr2', '.cr3', '.nef', '.arw', '.orf', '.raf', '.rw2', '.raw', '.psd', '.svg', '.j2k', '.ico')
VIDEO_SUFFIXES = ('.mp4', '.mov', '.avi', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.mts', '.3gp', '.ts')
SAME_KIND = {'.jpeg': '.jpg', '.jpe': '.jpg', '.jfif': '.jpg', '.tiff': '.tif'}


def frames_in(folder: str | Path, *, masks: Iterable = (), notices: Notices | None = None) -> list:
    """Return the frames in a folder: its image files in natural order (``frame2.png`` before ``Frame10.png``).

    Hidden files, files that are given as masks, and files that are named as the mask of another file are no frames.

    Args:
        folder: folder of the frames.
        masks: paths that are given as masks.
        notices: receives which files were left out, and what else looks odd.

    Raises:
        FileNotFoundError: if the folder holds no frames.
        ValueError: if a file that is given as a mask has a name like the frames beside it.
    """
    paths = [entry.path for entry in os.scandir(folder)]
    found = _chosen(paths, str(folder), masks, Notices() if notices is None else notices)
    if not found:
        raise FileNotFoundError(f'the folder {folder} holds no frames ({", ".join(IMAGE_SUFFIXES)})'
                                f'{_others(paths)}{_below(folder)}')
    return found


def frames_matching(pattern: str, matches: Sequence, *, masks: Iterable = (), notices: Notices | None = None) -> list:
    """Return the frames among the paths that match a pattern, with the rules and arguments of :func:`frames_in`.

    Raises:
        FileNotFoundError: if no match is an image.
        ValueError: see :func:`frames_in`.
    """
    found = _chosen(matches, pattern, masks, Notices() if notices is None else notices)
    if not found:
        raise FileNotFoundError(f'no image ({", ".join(IMAGE_SUFFIXES)}) matches {pattern}; '
                                + (f'it matches {matches[0]}{_others(matches)}' if matches else 'it matches nothing'))
    return found


def images_in(folder: str | Path) -> list:
    """Return all image files in a folder in natural order, without hidden files."""
    return natural_order(_with_suffix((entry.path for entry in os.scandir(folder)), IMAGE_SUFFIXES))


def _chosen(paths: Sequence, where: str, masks: Iterable, notices: Notices) -> list:
    images, given = _with_suffix(paths, IMAGE_SUFFIXES), {os.path.realpath(path) for path in masks}
    found = [path for path in images if os.path.realpath(path) not in given]
    if given and found and len(found) < len(images):
        for path in natural_order(set(images) - set(found)):
            if _kind(path) in map(_kind, found) and _stem(path) not in map(_stem, found) and '#' in _kind(path):
                raise ValueError(f'{path} is given as a mask, but lies among the frames of {where} and is named like '
                                 'one: move the mask to another folder, or check that you gave the mask and not the '
                                 'frame')
            notices.add('is given as a mask, so it is no frame', file=path)
    found = _without_masks(found or images, notices)
    unread = _with_suffix(paths, [suffix for suffix in UNREAD_SUFFIXES if suffix not in IMAGE_SUFFIXES])
    if found and unread:
        notices.add(f'{where}: {_unread(unread)} and were left out; convert them to JPEG or PNG to use them as frames')
    _tell_kinds(found, where, notices)
    if orders_differ(found):
        notices.add(f'{where}: numbers such as {_with_point(found)} were ordered as decimal fractions, so 1.25 comes '
                    'before 1.3; rename the frames to 00000, 00001, ... for another order')
    return natural_order(found)


def _without_masks(paths: Sequence, notices: Notices) -> list:
    stems, words = {_stem(path).casefold() for path in paths}, [path for path in paths if is_mask_word(_stem(path))]
    left = {path for path in paths if (bare := without_mask_word(_stem(path)).casefold()) in stems
            and bare != _stem(path).casefold()}
    left |= set(words) if 2 * len(words) <= len(paths) else set()  # if most names are mask words, they are frames
    kept = [path for path in paths if path not in left]
    for path in natural_order(left):
        notices.add('is named like a mask among frames, so it was not taken as a frame; rename it if it is one',
                    file=path)
    return kept


def _tell_kinds(paths: Sequence, where: str, notices: Notices) -> None:
    """Add a notice if most files are numbered in one way and some are named in another."""
    kinds = Counter(map(_kind, paths))
    (kind, count), *others = kinds.most_common() or [('', 0)]
    if count > 1 and others and '#' in kind:
        ordered = natural_order(paths)
        alike, odd = ([path for path in ordered if (_kind(path) == kind) == same] for same in (True, False))
        examples = ', '.join(os.path.basename(path) for path in odd[:3]) + (', ...' if len(odd) > 3 else '')
        pattern = os.path.join(os.path.dirname(alike[0]), f'*{os.path.splitext(alike[0])[1]}')
        notices.add(f'{where} holds {count} pictures named like {os.path.basename(alike[0])}, and {examples}: all were '
                    f"taken as frames, in the order of their names; to choose, give a pattern such as '{pattern}'")


def _kind(path: str) -> str:
    stem, suffix = os.path.splitext(os.path.basename(path).lower())
    return re.sub(r'[0-9]+(\.[0-9]+)?', '#', stem) + SAME_KIND.get(suffix, suffix)


def _with_point(paths: Sequence) -> str:
    return next(_stem(path) for path in paths if re.search(r'[0-9]\.[0-9]', _stem(path)))


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]


def _with_suffix(paths: Iterable, suffixes: Sequence) -> list:
    return [os.fspath(path) for path in paths if os.path.splitext(path)[1].lower() in suffixes
            and not os.path.basename(path).startswith('.') and os.path.isfile(path)]


def _unread(paths: Sequence) -> str:
    suffixes = ', '.join(sorted({os.path.splitext(path)[1].lower() for path in paths}))
    return (f'{len(paths)} picture{"s" * (len(paths) != 1)} ({suffixes}; {os.path.basename(natural_order(paths)[0])}'
            f'{", ..." if len(paths) > 1 else ""}) cannot be read')


def _others(paths: Sequence) -> str:
    """Return the clause that names what lies there instead of frames; '' without any."""
    if unread := _with_suffix(paths, UNREAD_SUFFIXES):
        return f'; {_unread(unread)}: convert them to JPEG or PNG'
    videos = natural_order(_with_suffix(paths, VIDEO_SUFFIXES))
    return f'; it holds videos: name one of them, such as {videos[0]}' if videos else ''


def _below(folder: str | Path) -> str:
    """Return a hint if the frames lie one folder deeper; else ''."""
    inner = natural_order(entry.path for entry in os.scandir(folder) if entry.is_dir())
    holding = [path for path in inner if images_in(path)]
    return f'; {holding[0]} does' + (f', and {len(holding) - 1} more' if len(holding) > 1 else '') if holding else ''
