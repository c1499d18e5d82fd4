"""YouTube-VOS (Xu et al., arXiv:1809.03327), releases of 2018 and 2019: 6 frames a second; objects may appear later."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from tempseg_mm.registry import DATASETS

from .mose import MOSEDataset
from .sequence_files import FRAME_SUFFIXES, files_by_stem
from .splits import Split
from .vos_sequence import VOSSequence

META = 'meta.json'
SEEN = frozenset((  # the 65 categories of the training set
    'airplane', 'ape', 'bear', 'bike', 'bird', 'boat', 'bucket', 'bus', 'camel', 'cat', 'cow', 'crocodile', 'deer',
    'dog', 'dolphin', 'duck', 'eagle', 'earless_seal', 'elephant', 'fish', 'fox', 'frisbee', 'frog', 'giant_panda',
    'giraffe', 'hand', 'hat', 'hedgehog', 'horse', 'knife', 'leopard', 'lion', 'lizard', 'monkey', 'motorbike',
    'mouse', 'others', 'owl', 'paddle', 'parachute', 'parrot', 'penguin', 'person', 'plant', 'rabbit', 'raccoon',
    'sedan', 'shark', 'sheep', 'sign', 'skateboard', 'snail', 'snake', 'snowboard', 'squirrel', 'surfboard',
    'tennis_racket', 'tiger', 'toilet', 'train', 'truck', 'turtle', 'umbrella', 'whale', 'zebra'))


@DATASETS.register_module()
class YouTubeVOSDataset(MOSEDataset):
    """The unpacked archives::

        data_root/
        ├── train/JPEGImages/<sequence>/00000.jpg, 00005.jpg, ...    6 frames a second
        ├── train/Annotations/<sequence>/00000.png, 00005.png, ...   palette PNG: the value is the object's id
        ├── train/meta.json                                          categories, and the frames of each object
        ├── valid/JPEGImages, valid/meta.json                        likewise
        ├── valid/Annotations/<sequence>/00000.png, 00040.png, ...   a mask for each frame where an object first shows
        └── valid_all_frames/JPEGImages/<sequence>/00000.jpg, 00001.jpg, ...    30 frames a second; optional

    An object is "seen" if its category is one of the 65 categories of the training set or occurs in
    ``train/meta.json``, and "unseen" otherwise. Scores are averaged over each group. If the ``meta.json`` of a split
    names no categories, there are no groups.

    With ``all_frames`` the 30 frames a second are segmented; the benchmark's server evaluates 6 of them.

    Args:
        data_root: the folder drawn above.
        split: ``'train'``, ``'valid'`` or ``'test'``, the path of a list, or names of sequences.
        all_frames: read frames from ``<split>_all_frames`` or ``all_frames/<split>_all_frames``.
        kwargs: the arguments of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset` except ``resolution``.

    Raises:
        FileNotFoundError: if the root is missing, or with ``all_frames`` the folder of these frames.
        ValueError: for a ``meta.json`` of another form, for training on ``all_frames``, and in the cases of
            :class:`~tempseg_mm.datasets.mose.MOSEDataset`.
    """

    METAINFO = dict(dataset_name='YouTube-VOS')
    SOURCE = ('Get the archives from https://youtube-vos.org/dataset/vos/ and name the folder that holds train and '
              'valid: set `data_root`, or TEMPSEG_YOUTUBE_VOS_ROOT in the environment.')
    SUBMISSION = 'Annotations/{sequence}/{frame}.png'

    def __init__(self, data_root: str, split: Split = 'train', *, all_frames: bool = False, **kwargs) -> None:
        if all_frames and not kwargs.get('test_mode'):
            raise ValueError('all_frames is for tests: only 6 of 30 frames a second have a mask, but training needs a '
                             'mask for every frame')
        self.all_frames = self.SPARSE = all_frames
        super().__init__(data_root, split, **kwargs)

    def frame_files(self, name: str) -> dict:
        if not self.all_frames:
            return super().frame_files(name)
        split = f'{self._places[name]}_all_frames'
        folders = [os.path.join(self.data_root, place, 'JPEGImages', name)
                   for place in (split, os.path.join('all_frames', split))]
        there = next(filter(os.path.isdir, folders), None)
        if there is None:
            raise FileNotFoundError(f'sequence {name!r} has no folder of 30 frames a second, neither '
                                    f'{" nor ".join(folders)}: unpack {split}.zip, or leave out all_frames')
        return files_by_stem(there, FRAME_SUFFIXES)

    def missing_parts(self) -> list:
        """Return the faults of each ``meta.json``: it is missing, or it and its folder name different sequences."""
        found = []
        for split in self.splits():
            on_disk, listed, folder = dict.fromkeys(self.own_split(split)), self._meta(split), f'{split}/JPEGImages'
            if not listed:
                found.append(f'{split}/{META} is missing or empty, so objects have no categories')
                continue
            found += _missing([name for name in listed if name not in on_disk], f'{split}/{META} are not in {folder}')
            found += _missing([name for name in on_disk if name not in listed], f'{folder} are not in {split}/{META}')
        return found

    def sequence(self, name: str) -> VOSSequence:
        """Return a sequence; in a test with the groups of its objects and the frames that the benchmark evaluates."""
        sequence = super().sequence(name)
        if not self.test_mode:
            return sequence
        if not self.all_frames:
            return replace(sequence, groups=self._groups(name))
        asked = super().frame_files(name)
        if absent := [stem for stem in asked if stem not in self.frame_files(name)]:
            raise ValueError(f'sequence {name!r}: {len(absent)} of the 6 frames a second are not among the 30 '
                             f'({", ".join(absent[:3])}); unpack both archives again')
        kept = {sequence.file_name(i) for i in range(len(sequence))}
        return replace(sequence, groups=self._groups(name), asked=frozenset(asked) & kept)

    def further_faults(self, name: str, shown: Mapping) -> Iterator[tuple]:
        """Yield the differences between ``meta.json`` and the annotations of a sequence."""
        objects = self._objects(name)
        if not objects:
            return
        for number in sorted(objects.keys() | shown.keys()):
            if number not in shown:
                yield f'object {number} of {META} is in no mask', 'warning'
            elif number not in objects:
                yield f'object {number}, which shows in {shown[number]}, is not in {META}', 'warning'
            elif (frames := objects[number].get('frames')) and min(frames) != shown[number]:
                yield f'object {number} first shows in {shown[number]}, but {META} says in {min(frames)}', 'warning'
        listed = {frame for entry in objects.values() for frame in entry.get('frames', ())}
        if absent := sorted(listed - super().frame_files(name).keys()):
            yield f'{len(absent)} frame(s) of {META} are missing: {", ".join(absent[:3])}', 'warning'

    def _groups(self, name: str) -> dict:
        path = os.path.join(self.data_root, self._places[name], META)
        return object_groups(path).get(name, {}) if os.path.isfile(path) else {}

    def _objects(self, name: str) -> dict:
        """Return id -> entry in ``meta.json`` of the objects of a sequence; empty if it does not list them."""
        return {int(number): entry for number, entry in
                self._meta(self._places[name]).get(name, {}).get('objects', {}).items()}

    def _meta(self, split: str) -> dict:
        path = os.path.join(self.data_root, split, META)
        return _videos(path, os.stat(path).st_mtime_ns) if os.path.isfile(path) else {}

    def _is_split(self, name: str) -> bool:
        return bool(name) and super()._is_split(name)


def object_groups(path: str | os.PathLike) -> dict[str, dict[int, str]]:
    """Return which objects belong to a category of the training set.

    Args:
        path: a ``meta.json`` of YouTube-VOS. Categories in ``../train/meta.json`` also count as seen.

    Returns:
        Sequence -> id of each object with a category -> ``'seen'`` or ``'unseen'``.

    Raises:
        FileNotFoundError: if the file does not exist.
        ValueError: if it has another form.
    """
    path = os.path.abspath(path)
    training = os.path.join(os.path.dirname(os.path.dirname(path)), 'train', META)
    training_time = os.stat(training).st_mtime_ns if os.path.isfile(training) else 0
    return _groups(path, training, os.stat(path).st_mtime_ns, training_time)


@lru_cache(maxsize=4)
def _groups(path: str, training: str, time: int, training_time: int) -> dict:
    trained_on = _videos(training, training_time) if training_time else {}
    seen = SEEN | {entry.get('category') for video in trained_on.values()
                   for entry in video.get('objects', {}).values()}
    return {name: {int(number): 'seen' if entry['category'] in seen else 'unseen'
                   for number, entry in video.get('objects', {}).items() if entry.get('category')}
            for name, video in _videos(path, time).items()}


@lru_cache(maxsize=4)
def _videos(path: str, time: int) -> dict:
    """Return sequence -> entry of a ``meta.json``. Cached per process, so that it is not sent to workers."""
    with open(path, encoding='utf-8') as file:
        try:
            videos = json.load(file)['videos']
            for video in videos.values():
                for number, entry in video.get('objects', {}).items():
                    int(number), entry.get('category')
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f'{path} does not have the form {{"videos": {{sequence: {{"objects": {{id: '
                             f'{{"category": ..., "frames": [...]}}}}}}}}}}: {error!r}; unpack it again') from error
    return videos


def _missing(names: list, text: str) -> list:
    some = ', '.join(names[:3]) + (', ...' if names[3:] else '')
    return [f'{len(names)} sequence(s) of {text}: {some}'] if names else []
