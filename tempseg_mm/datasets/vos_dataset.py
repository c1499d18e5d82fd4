"""Sequences on disk as a data set of clips (training) or of whole sequences (testing). Built by the Runner."""

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from mmengine.dataset import BaseDataset

from tempseg_mm.datasets.known_trees import advice, other_resolutions
from tempseg_mm.datasets.name_list import sequence_names
from tempseg_mm.datasets.readable import ReadablePart
from tempseg_mm.datasets.samplers import ClipSampler, draws_of
from tempseg_mm.datasets.sequence_files import FRAME_SUFFIXES, files_by_stem, folders_in, require_names_to_match
from tempseg_mm.datasets.splits import (
    Split,
    is_elsewhere,
    list_elsewhere,
    note_namesake,
    require_known,
    split_text,
)
from tempseg_mm.datasets.vos_sequence import APART, MERGED, VOSSequence, check_objects
from tempseg_mm.ops.resize import Size
from tempseg_mm.registry import DATASETS, TRANSFORMS


@DATASETS.register_module()
class VOSDataset(BaseDataset):
    """Any data set laid out like this (``resolution`` is the middle folder)::

        data_root/
        ├── JPEGImages/480p/<sequence>/00000.jpg, 00001.jpg, ...      or .png
        ├── Annotations/480p/<sequence>/00000.png, ...                same stems as the frames
        ├── Flow/480p/<sequence>/00000.flo, ...                       optional; 00000.flo runs from frame 00000 to 00001
        └── ImageSets/480p/<split>.txt                                one sequence a line, or one frame a line

    A data set of another layout overrides what stands under "the layout" below, as far as it differs;
    :mod:`~tempseg_mm.datasets.check` reads the same methods.

    Item of a training set: what ``pipeline`` makes of ``dict(sequence=VOSSequence, frame_ids=[...], size=size)``; one
    item for every clip. Item of a test set: the same of ``dict(sequence=VOSSequence, size=size)``; one for every
    sequence. Broken data raise: no other item is put in their place.

    Args:
        data_root: the folder drawn above.
        split: name of a file in ``ImageSets``, without ``.txt``; else of a list that comes with the project; the path
            of a list, with a ``/`` or ``.txt``, as seen from the working folder; or names of sequences.
        resolution: name of the middle folder.
        clip_sampler: arguments of :class:`~tempseg_mm.datasets.samplers.ClipSampler`.
        pipeline: configs of transforms.
        size: working size, see :func:`~tempseg_mm.ops.resize.target_size`; ``None``: as stored.
        sequences: names of the sequences to keep; ``None``: all of the split.
        objects: what an object is: ``'merged'``, all that is not background, as one; ``'apart'``, each id of the
            annotations: in a test each is followed and scored, in training each clip shows one, drawn; an id: that one.
        test_mode: whether items are sequences.

    Raises:
        FileNotFoundError: if the root or one of the folders above is missing.
        ValueError: for an unknown split or sequence, a split without sequences, frames and masks whose names do not
            match, and, in training, a sequence with a frame that is not annotated or shorter than a clip.
    """

    METAINFO = dict(task_name='semi-supervised video object segmentation')
    SOURCE = ''  # where to get the data; for the message about a missing root
    LISTS = ''  # the data that lists of the project are for, see shipped_lists
    SPARSE = False  # whether it is the rule that frames are not annotated
    LATE_START = False  # whether a sequence may begin before its first object; sequence() cuts the frames before it
    LATE_OBJECTS = False  # whether it is the rule that objects appear later
    MASKS_SET_SIZE = False  # whether frames are brought to the size of the masks
    STEP: int | None = 1  # from frame number to frame number; None: the same all through a sequence
    THRESHOLD: int | None = None  # of annotations, see VOSSequence
    OBJECTS: str = APART  # what ``objects`` is by default
    SUBMISSION = '{sequence}/{frame}.png'  # where masks lie in the archive that the benchmark's server takes

    def __init__(self, data_root: str, split: Split, *, resolution: str = '480p',
                 clip_sampler: dict | None = None, pipeline: Sequence = (), size: Size = None,
                 sequences: Sequence | None = None,
                 objects: str | int | None = None, test_mode: bool = False) -> None:
        self.split = [str(name) for name in split] if isinstance(split, list | tuple) else str(split)
        self.resolution, self.size = resolution, size
        self.objects = self.OBJECTS if objects is None else objects
        check_objects(self.objects)
        if self.objects != MERGED and self.THRESHOLD is not None:
            raise ValueError(f'objects is {objects!r}, but annotations of {type(self).__name__} hold one object each')
        self.clip_sampler = ClipSampler(**(clip_sampler or {}))
        names = [sequences] if isinstance(sequences, str) else sequences
        self._wanted = None if names is None else [str(name) for name in names]
        self._sequences: list = []
        # Built here, not by mmengine, so that our transforms are found without a default scope too.
        transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(data_root=os.fspath(data_root), data_prefix={}, pipeline=transforms, test_mode=test_mode,
                         serialize_data=False, max_refetch=0)

    # --- the layout: what a data set of another layout overrides ---

    def splits(self) -> list:
        """Names of the splits, sorted: the files in ``ImageSets/<resolution>``."""
        return sorted(files_by_stem(self._folder('ImageSets'), ('.txt',)))

    def listed(self, path: str) -> list:
        """What a list names, in order, each once. See :func:`~tempseg_mm.datasets.name_list.sequence_names`."""
        return sequence_names(path)

    def own_split(self, name: str) -> list:
        """Names of the sequences of a split that is among :meth:`splits`, in order, each once."""
        return self.listed(os.path.join(self._folder('ImageSets'), f'{name}.txt'))

    def named(self, names: list) -> list:
        """The sequences that a list from elsewhere means.

        Raises:
            ValueError: for those that are not on disk.
        """
        require_known(names, self.names_on_disk(), self.split, self.LISTS, self.data_root)
        return list(dict.fromkeys(names))

    def names_on_disk(self) -> list:
        """Names of all sequences that have a folder, whatever the splits say, in natural order."""
        return folders_in(self._folder('JPEGImages'))

    def missing_parts(self) -> list:
        """What the release has and ``data_root`` has not, in words; nothing for data of your own."""
        return []

    def has_given_masks_only(self, name: str) -> bool:
        """Whether the release has no masks of sequence ``name`` but those to begin with: nothing of it is scored."""
        return False

    def further_faults(self, name: str, shown: Mapping) -> Iterable[tuple]:
        """What else is odd about sequence ``name``, for the check of a data set.

        Args:
            name: of the sequence.
            shown: object id -> key of the first annotation that shows it.

        Returns:
            (text, level) of each fault; the level is ``'error'`` or ``'warning'``.
        """
        return ()

    def frame_files(self, name: str) -> dict:
        """Key -> path of the frames of sequence ``name``, in order. Frame and annotation of one key belong together."""
        return files_by_stem(self._folder('JPEGImages', name), FRAME_SUFFIXES)

    def mask_files(self, name: str) -> dict:
        """Key -> path of the annotations of sequence ``name``, in order."""
        return files_by_stem(self._folder('Annotations', name), ('.png',))

    def sequence(self, name: str) -> VOSSequence:
        """The sequence ``name``, its paths found, nothing decoded."""
        frames, masks = self.frame_files(name), self.mask_files(name)
        if not frames:
            raise ValueError(f'sequence {name!r} has no frames: {self._folder("JPEGImages", name)} holds no '
                             f'{", ".join(FRAME_SUFFIXES)} files')
        require_names_to_match(name, frames, masks)
        flow_folder = self._path('Flow', name)
        flows = files_by_stem(flow_folder, ('.flo',)) if os.path.isdir(flow_folder) else {}
        return VOSSequence(
            name, tuple(frames.values()), tuple(masks.get(stem) for stem in frames), objects=self.objects,
            threshold=self.THRESHOLD, flow_paths=tuple(flows.get(stem) for stem in list(frames)[:-1]) if flows else ())

    def _path(self, kind: str, *names: str) -> str:
        return os.path.join(self.data_root, *filter(None, (kind, self.resolution, *names)))

    def _folder(self, kind: str, *names: str) -> str:
        path = self._path(kind, *names)
        whole = os.path.dirname(path) if names else path
        if not os.path.isdir(whole):
            raise FileNotFoundError(f'the {kind} folder is missing: {whole}.'
                                    f'{other_resolutions(self) or advice(self) or " " + self._expected()}')
        if not os.path.isdir(path):
            raise FileNotFoundError(f'the {kind} folder of sequence {names[0]!r} is missing: {path}; unpack or copy it '
                                    'again, or leave the sequence out')
        return path

    def _expected(self) -> str:
        return (f'{type(self).__name__} expects JPEGImages/{self.resolution}/<sequence>/*.jpg, '
                f'Annotations/{self.resolution}/<sequence>/*.png and ImageSets/{self.resolution}/<split>.txt in '
                f'`data_root`. {self.SOURCE}').rstrip()

    # --- the items ---

    def split_names(self) -> list:
        """Names of the sequences of the split, in order, each once.

        Raises:
            FileNotFoundError: if the data have no lists, and none elsewhere is named.
            ValueError: if there is no such list, or a sequence that one from elsewhere names is not on disk.
        """
        if not isinstance(self.split, str):
            return self.named(self.split)
        lacking = is_elsewhere(self.split, self.LISTS) and not os.path.isdir(self._path('ImageSets'))
        own = [] if lacking else self.splits()
        if self.split not in own:
            try:
                path = list_elsewhere(self.split, own, self.LISTS, self.data_root)
            except ValueError as error:
                raise ValueError(f'{error}.{advice(self)}') from None
            return self.named(self.listed(path))
        names = self.own_split(self.split)
        note_namesake(self.split, names, self.LISTS, self.data_root)
        return names

    def root_fault(self) -> str:
        """What to do about a ``data_root`` that is no folder."""
        way_out = advice(self, own_only=True) or f' {self.SOURCE or self._expected()}'
        return f'data root {self.data_root!r} is not a folder.{way_out}'

    def load_data_list(self) -> list:
        """Called once by mmengine: finds the sequences, then lists the items as indices into them."""
        if not os.path.isdir(self.data_root):
            raise FileNotFoundError(f'{self.root_fault()} configs/tempseg_synthetic.py needs no data')
        self._sequences = [self.sequence(name) for name in self.selected_names()]
        if self.test_mode:
            return [dict(sequence=index) for index in range(len(self._sequences))]
        return [dict(sequence=index, frame_ids=clip)
                for index, sequence in enumerate(self._sequences) for clip in self._clips(sequence)]

    def selected_names(self) -> list:
        """Names of the sequences of the split that ``sequences`` keeps."""
        names = self.split_names()
        if not names:
            raise ValueError(f'split {split_text(self.split)} of {self.data_root} has no sequences')
        if self._wanted is None:
            return names
        for name in self._wanted:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names[:5]
                raise ValueError(f'unknown sequence {name!r} in split {split_text(self.split)} of {self.data_root}; '
                                 f'nearest: {", ".join(near)}')
        if not self._wanted:
            raise ValueError('`sequences` is empty: name at least one, or leave it out for the whole split')
        return self._wanted

    def _clips(self, sequence: VOSSequence) -> list:
        clips = self.clip_sampler.clips(len(sequence))
        if not clips:
            raise ValueError(f'sequence {sequence.name!r} has {len(sequence)} frames, too few for a clip of '
                             f'T = {self.clip_sampler.clip_length} frames with stride {self.clip_sampler.stride}; '
                             'shorten `clip_length` or leave the sequence out')
        for i in range(len(sequence)):
            if not sequence.is_annotated(i):
                raise ValueError(f'frame {sequence.file_name(i)} of sequence {sequence.name!r} has no annotation, but '
                                 'training needs one for every frame; leave the sequence out with `sequences`')
        return clips

    def readable_parts(self) -> list:
        """A :class:`~tempseg_mm.datasets.readable.ReadablePart` for every frame, with its annotation and flow."""
        return [ReadablePart(sequence.files(i), partial(sequence.verify, i))
                for sequence in self._sequences for i in range(len(sequence))]

    def notices(self) -> list:
        """How annotations that were read in this process were understood, where that is not plain."""
        return [f'{sequence.name}: {notice}' for sequence in self._sequences for notice in sequence.notices]

    def get_data_info(self, idx: int) -> dict:
        """Item ``idx`` before the pipeline: ``sequence``, ``size`` and, in training, ``frame_ids``."""
        info = dict(self.data_list[idx])
        info['sequence'] = self._sequences[info['sequence']]
        if 'frame_ids' in info:
            info['frame_ids'] = list(info['frame_ids'])
        return dict(info, size=self.size)

    def __getitem__(self, idx: int) -> Any:
        """Item ``idx`` after the pipeline. Unlike mmengine's, never another item in its place.

        Raises:
            ValueError: if a transform returned ``None``.
        """
        with draws_of(idx):
            data = self.prepare_data(idx)
        if data is None:
            raise ValueError(f'the pipeline of {type(self).__name__} returned None for item {idx}; a transform that '
                             'cannot do its work must raise')
        return data
