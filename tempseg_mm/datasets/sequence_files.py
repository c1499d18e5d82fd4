"""Lists the files of a sequence by stem, and folders by name. Used by data sets of every layout."""

import logging
import os
from collections.abc import Mapping

from mmengine.logging import print_log

from tempseg_mm.runtime.safe_path import natural_key, natural_order

FRAME_SUFFIXES = ('.jpg', '.jpeg', '.png')


def files_by_stem(folder: str, suffixes: tuple) -> dict:
    """Return stem -> path of the files in ``folder`` that end in one of ``suffixes`` (lower case), in natural order.

    Raises:
        ValueError: if two files have the same stem.
    """
    names = [name for name in os.listdir(folder) if name.lower().endswith(suffixes) and not name.startswith('.')]
    found: dict = {}
    for name in natural_order(names):
        path, stem = os.path.join(folder, name), os.path.splitext(name)[0]
        if stem in found:
            raise ValueError(f'{found[stem]} and {path} have one name, but only one of them can be read: remove the '
                             'other')
        found[stem] = path
    return found


def folders_in(folder: str) -> list:
    """Return the names of the folders in ``folder`` that are not hidden, in natural order."""
    names = [name for name in os.listdir(folder) if not name.startswith('.')]
    return sorted((name for name in names if os.path.isdir(os.path.join(folder, name))), key=natural_key)


def require_names_to_match(name: str, frames: Mapping, masks: Mapping) -> None:
    """Check that annotations have the names of their frames, and warn about annotations that are left out.

    ``frames`` and ``masks`` are stem -> path. If masks are numbered from 0 and frames from 1, for example, each mask
    would be used for the wrong frame.

    Raises:
        ValueError: if some masks have no frame and some frames have no mask.
    """
    bare = [stem for stem in frames if stem not in masks]
    lone = [stem for stem in masks if stem not in frames]
    if lone and bare:
        raise ValueError(
            f'sequence {name!r}: frames and masks do not match by name: {len(lone)} of {len(masks)} masks have no '
            f'frame ({lone[0]}, ...), and {len(bare)} of {len(frames)} frames have no mask ({bare[0]}, ...). Are some '
            f'numbered from 0 and the others from 1? Rename the masks in {os.path.dirname(masks[lone[0]])} so that '
            'each has the name of its frame')
    if lone:
        print_log(f'sequence {name!r}: {len(lone)} of {len(masks)} masks have no frame of the same name and are left '
                  f'out ({lone[0]}, ...)', 'current', logging.WARNING)
