"""Recognises the folders of released data sets by the names of files and folders; decodes nothing.

Data sets use it to explain an error when ``data_root`` is not laid out as they expect.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from tempseg_mm.runtime.safe_path import natural_key

YOUTUBE_OBJECTS = ('aeroplane', 'bird', 'boat', 'car', 'cat', 'cow', 'dog', 'horse', 'motorbike', 'train')
SPLITS = ('train', 'valid', 'val', 'test')  # in releases whose splits are folders
YEARS = ('2017', '2019', '2016')  # names of the folders of lists in the archives of DAVIS 2017
RESOLUTIONS = ('480p', '1080p', 'Full-Resolution')
USUAL = ('train', 'val')  # these lists are named first
CONFIGS = dict(
    DAVISDataset='configs/tempseg_davis.py', DAVIS2017Dataset='configs/tempseg_davis2017.py',
    MOSEDataset='configs/tempseg_mose.py', SegTrackV2Dataset='configs/tempseg_segtrack_v2.py',
    YouTubeObjectsDataset='configs/tempseg_youtube_objects.py', YouTubeVOSDataset='configs/tempseg_youtube_vos.py')
FRAMES = ('.jpg', '.jpeg', '.png')
MOST_NEIGHBOURS = 100  # at most this many folders beside or below a folder are looked into


@dataclass(frozen=True)
class KnownTree:
    """A folder that looks like a release, or like one split of a release.

    Attributes:
        folder: the recognised folder.
        release: name of the release.
        type: name of the data set class that reads it.
        data_root: the value of ``data_root`` for that class.
        choices: other argument of the class -> available values, the most likely first.
    """
    folder: str
    release: str
    type: str
    data_root: str
    choices: dict = field(default_factory=dict)

    def arguments(self, told: Mapping) -> dict:
        """Return the arguments that read the tree. A value in ``told`` is kept if the tree offers it."""
        chosen = {name: next((value for value in values if str(value) == str(told.get(name))), values[0])
                  for name, values in self.choices.items() if values}
        return dict(data_root=self.data_root, **chosen)


def advice(data_set: Any, *, own_only: bool = False) -> str:
    """Name the release that ``data_root`` looks like, and the arguments that read it.

    Args:
        data_set: the data set that failed; its class and the attributes named like arguments are used.
        own_only: name only releases that the same class reads.

    Returns:
        A sentence with a leading space; empty if no release is recognised, or the arguments are correct already.
    """
    kinds, told = [kind.__name__ for kind in type(data_set).__mro__], vars(data_set)
    if 'DAVISDataset' in kinds:  # one object per sequence is meant, which the archives of DAVIS 2017 also offer
        told = dict(told, year=2016)
    trees = [tree for tree in _around(told['data_root']) if tree.type in kinds or not own_only]
    for tree in sorted(trees, key=lambda tree: tree.type not in kinds):
        arguments = tree.arguments(told)
        if tree.type in kinds and all(_is_same(name, value, told) for name, value in arguments.items()):
            continue
        line = ', '.join(f'{name}={value!r}' for name, value in dict(type=tree.type, **arguments).items())
        years = [str(year) for year in tree.choices.get('year', ()) if year != arguments['year']]
        more = f' (or {", ".join(years)})' if years else ''
        way_out = f'use {line}{more}, as in {CONFIGS[tree.type]}'
        return f' The folder {tree.folder} looks like {tree.release}: {way_out}.'
    return ''


def other_resolutions(data_set: Any) -> str:
    """Name the folders that ``resolution`` could be set to: those in each of JPEGImages, Annotations and ImageSets.

    Returns:
        A sentence that begins with a space. Empty if no such folder would help.
    """
    kinds = [os.path.join(data_set.data_root, kind) for kind in ('JPEGImages', 'Annotations', 'ImageSets')]
    there = [set(_folders(kind)) for kind in kinds if os.path.isdir(kind)]
    common = sorted(set.intersection(*there)) if data_set.resolution and len(there) > 1 else []
    common = [name for name in common if _folders(kinds[0], name)]  # folders of sequences
    if not common or data_set.resolution in common:
        return ''
    return f' Set `resolution` to a folder that exists: {", ".join(common)}.'


def _is_same(name: str, value: Any, told: Mapping) -> bool:
    if name == 'data_root':
        return os.path.realpath(value) == os.path.realpath(told[name])
    return name == 'split' or str(value) == str(told.get(name))  # the data set itself reports an unknown split


def _around(root: str) -> list:
    """Return the trees recognised at a folder, else above it, else inside it; beside it if the folder is missing."""
    root = os.path.normpath(root)
    above = os.path.dirname(root) or os.curdir
    if not os.path.isdir(root):
        return list(filter(None, (recognise(os.path.normpath(os.path.join(above, name))) for name in _folders(above))))
    places = (root, above, os.path.dirname(above) or os.curdir)
    itself = next(filter(None, map(recognise, places)), None)
    return [itself] if itself else list(filter(None, (recognise(os.path.join(root, name)) for name in _folders(root))))


def recognise(folder: str) -> KnownTree | None:
    """Return the release that the folder holds or is a split of; ``None`` if no known release is recognised."""
    looks = (_segtrack, _youtube_objects, _davis, _split_folders, _split_folder)
    return next((tree for look in looks if (tree := look(folder)) is not None), None)


def _segtrack(folder: str) -> KnownTree | None:
    if not _has(folder, 'JPEGImages') or not _has(folder, 'GroundTruth'):
        return None
    return KnownTree(folder, 'SegTrack-v2', 'SegTrackV2Dataset', folder, dict(split=('all',)))


def _youtube_objects(folder: str) -> KnownTree | None:
    names = '|'.join(YOUTUBE_OBJECTS)
    released = any(_has(folder, name, 'data') for name in YOUTUBE_OBJECTS)
    repacked = _has(folder, 'Annotations') and any(
        re.fullmatch(rf'({names})[_-]?\d+', name) for name in _folders(folder, 'JPEGImages'))
    if not released and not repacked:
        return None
    return KnownTree(folder, 'YouTube-Objects', 'YouTubeObjectsDataset', folder, dict(split=('all',)))


def _davis(folder: str) -> KnownTree | None:
    lists, there = _folders(folder, 'ImageSets'), _folders(folder, 'JPEGImages')
    masks = dict.fromkeys(YEARS, _folders(folder, 'Annotations')) | {'2019': _folders(
        folder, 'Annotations_unsupervised')}
    sizes = tuple(name for name in RESOLUTIONS if name in there)
    years = tuple(int(year) for year in YEARS if year in lists and {*masks[year]} & {*sizes})
    if sizes and years:
        choices = dict(split=_lists(folder, str(years[0])), resolution=sizes, year=years)
        return KnownTree(folder, 'DAVIS 2017', 'DAVIS2017Dataset', folder, choices)
    sizes = tuple(name for name in sizes if name in lists and name in masks['2016'])
    if sizes:
        choices = dict(split=_lists(folder, sizes[0]), resolution=sizes)
        return KnownTree(folder, 'DAVIS 2016', 'DAVISDataset', folder, choices)
    return None


def _split_folders(folder: str) -> KnownTree | None:
    there = tuple(name for name in SPLITS if has_sequences(os.path.join(folder, name)))
    if not there:
        return None
    if any(os.path.isfile(os.path.join(folder, name, 'meta.json')) for name in there):
        return KnownTree(folder, 'YouTube-VOS', 'YouTubeVOSDataset', folder, dict(split=there))
    return KnownTree(folder, 'a release like MOSE', 'MOSEDataset', folder, dict(split=there))


def _split_folder(folder: str) -> KnownTree | None:
    if not has_sequences(folder):
        return None
    above, name = os.path.split(os.path.abspath(folder))
    if not os.path.isabs(folder):
        above = os.path.relpath(above)
    if os.path.isfile(os.path.join(folder, 'meta.json')):
        return KnownTree(folder, f'YouTube-VOS {name}', 'YouTubeVOSDataset', above, dict(split=(name,)))
    if name in SPLITS:
        return KnownTree(folder, f'{name} of a release like MOSE', 'MOSEDataset', above, dict(split=(name,)))
    return KnownTree(folder, 'a release like MOSE', 'MOSEDataset', folder, dict(split=('all',)))


def has_sequences(folder: str) -> bool:
    """Return True if the folder has ``Annotations`` and frames in ``JPEGImages/<sequence>/``."""
    return _has(folder, 'Annotations') and any(
        name.lower().endswith(FRAMES) for sequence in _folders(folder, 'JPEGImages')
        for name in _names(os.path.join(folder, 'JPEGImages', sequence)))


def _lists(folder: str, name: str) -> tuple:
    files = _names(os.path.join(folder, 'ImageSets', name))
    return tuple(sorted((file.removesuffix('.txt') for file in files if file.endswith('.txt')),
                        key=lambda split: (split not in USUAL, split)))


def _has(*parts: str) -> bool:
    return os.path.isdir(os.path.join(*parts))


def _folders(*parts: str) -> list:
    path = os.path.join(*parts)
    names = sorted((name for name in _names(path) if not name.startswith('.')), key=natural_key)
    return list(islice((name for name in names if _has(path, name)), MOST_NEIGHBOURS))


def _names(path: str) -> Iterator[str]:
    try:
        yield from os.listdir(path)
    except OSError:  # the folder is missing, is a file, or may not be read
        return
