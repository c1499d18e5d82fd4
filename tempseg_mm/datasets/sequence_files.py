"""Files of a sequence by their stems, folders by their names. Used by data sets of every layout."""

import logging
import os
from collections.abc import Mapping

from mmengine.logging import print_log

from tempseg_mm.runtime.safe_path import natural_key, natural_order

FRAME_SUFFIXES = ('.jpg', '.jpeg', '.png')


def files_by_stem(folder: str, suffixes: tuple) -> dict:
    """Stem -> path of the files in ``folder`` with one of ``suffixes`` (lower case), in natural order.

    Raises:
        ValueError: for two files of one stem.
    """
    names = [name for name in os.listdir(folder) if name.lower().endswith(suffixes) and not name.startswith('.')]
    found: dict = {}
    for name in natural_order(names):
        path, stem = os.path.join(folder, name), os.path.splitext(name)[0]
        if stem in found:
            raise ValueError(f'{found[stem]} and {path} have one name, and only one can be meant: remove the other')
        found[stem] = path
    return found


def folders_in(folder: str) -> list:
    """Names of the folders in ``folder`` that are not hidden, in natural order."""
    names = [name for name in os.listdir(folder) if not name.startswith('.')]
    return sorted((name for name in names if os.path.isdir(os.path.join(folder, name))), key=natural_key)


def require_names_to_match(name: str, frames: Mapping, masks: Mapping) -> None:
    """Check that annotations have the names of their frames; warn of those that are left out.

    Masks numbered from 0 for frames numbered from 1, say, would each be taken for the next frame's.

    Args:
        name: of the sequence.
        frames: stem -> path.
        masks: likewise.

    Raises:
        ValueError: if there are masks without frame beside frames without mask.
    """
    bare = [stem for stem in frames if stem not in masks]
    lone = [stem for stem in masks if stem not in frames]
    if lone and bare:
        raise ValueError(
            f'sequence {name!r}: frames and masks do not match by name: {len(lone)} of {len(masks)} masks have no '
            f'frame ({lone[0]}, ...), and {len(bare)} of {len(frames)} frames no mask ({bare[0]}, ...). Is one of '
            f'them numbered from 0, the other from 1? Rename those in {os.path.dirname(masks[lone[0]])} as their '
            'frames are')
    if lone:
        print_log(f'sequence {name!r}: {len(lone)} of {len(masks)} masks have no frame of their name and are left '
                  f'out ({lone[0]}, ...)', 'current', logging.WARNING)
