"""Sequences on disk as a data set of clips (for training) or of whole sequences (for tests). Built by the Runner."""

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
    """Any data set with this layout (``resolution`` is the middle folder)::

        data_root/
        ├── JPEGImages/480p/<sequence>/00000.jpg, 00001.jpg, ...      or .png
        ├── Annotations/480p/<sequence>/00000.png, ...                same stems as the frames
        ├── Flow/480p/<sequence>/00000.flo, ...                       optional; 00000.flo runs from frame 00000 to 00001
        └── ImageSets/480p/<split>.txt                                one sequence per line, or one frame per line

    A data set with another layout overrides the methods of the section "the layout" that differ.
    :mod:`~tempseg_mm.datasets.check` uses the same methods.

    A training set has one item per clip: the result of ``pipeline`` for ``dict(sequence=VOSSequence, frame_ids=[...],
    size=size)``. A test set has one item per sequence: the result of ``pipeline`` for ``dict(sequence=VOSSequence,
    size=size)``. Broken data raise an error; the data set never returns another item instead.

    Args:
        data_root: the folder drawn above.
        split: one of: the name of a file in ``ImageSets`` without ``.txt``; the name of a list that the project ships;
            the path of a list, which contains a ``/`` or ends in ``.txt`` and is relative to the working directory; or
            names of sequences.
        resolution: name of the middle folder.
        clip_sampler: arguments of :class:`~tempseg_mm.datasets.samplers.ClipSampler`.
        pipeline: configs of transforms.
        size: working size, see :func:`~tempseg_mm.ops.resize.target_size`; ``None``: as stored.
        sequences: names of the sequences to keep; ``None``: all sequences of the split.
        objects: what counts as an object. ``'merged'``: everything except background, as one object. ``'apart'``: each
            id of the annotations is an object; a test follows and scores each, a training clip shows one, drawn at
            random. An id: only this object.
        test_mode: items are whole sequences instead of clips.

    Raises:
        FileNotFoundError: if the root or one of the folders above is missing.
        ValueError: for an unknown split or sequence, a split without sequences, or frames and masks whose names do not
            match. In training also for a sequence that is shorter than a clip or has a frame without annotation.
    """

    METAINFO = dict(task_name='semi-supervised video object segmentation')
    SOURCE = ''  # where to get the data; for the message about a missing root
    LISTS = ''  # argument of shipped_lists: the data set that the lists of the project are for
    SPARSE = False  # True: frames without annotation are normal
    LATE_START = False  # True: frames may precede the first object; sequence() cuts them
    LATE_OBJECTS = False  # True: objects that appear later are normal
    MASKS_SET_SIZE = False  # True: frames are resized to the size of the masks
    STEP: int | None = 1  # difference of neighbouring frame numbers; None: any, but constant within a sequence
    THRESHOLD: int | None = None  # threshold of annotations, see VOSSequence
    OBJECTS: str = APART  # default of the argument ``objects``
    SUBMISSION = '{sequence}/{frame}.png'  # path of a mask in the archive that the benchmark's server accepts

    def __init__(self, data_root: str, split: Split, *, resolution: str = '480p',
                 clip_sampler: dict | None = None, pipeline: Sequence = (), size: Size = None,
                 sequences: Sequence | None = None,
                 objects: str | int | None = None, test_mode: bool = False) -> None:
        self.split = [str(name) for name in split] if isinstance(split, list | tuple) else str(split)
        self.resolution, self.size = resolution, size
        self.objects = self.OBJECTS if objects is None else objects
        check_objects(self.objects)
        if self.objects != MERGED and self.THRESHOLD is not None:
            raise ValueError(f'objects is {objects!r}, but an annotation of {type(self).__name__} holds only one '
                             "object: set objects='merged' or leave it out")
        self.clip_sampler = ClipSampler(**(clip_sampler or {}))
        names = [sequences] if isinstance(sequences, str) else sequences
        self._wanted = None if names is None else [str(name) for name in names]
        self._sequences: list = []
        # Built here, not by mmengine, so that our transforms are also found without a default scope.
        transforms = [TRANSFORMS.build(step) if isinstance(step, dict) else step for step in pipeline]
        super().__init__(data_root=os.fspath(data_root), data_prefix={}, pipeline=transforms, test_mode=test_mode,
                         serialize_data=False, max_refetch=0)

    # --- the layout: methods that a data set with another layout overrides ---

    def splits(self) -> list:
        """Return the names of the splits, sorted: the files in ``ImageSets/<resolution>``."""
        return sorted(files_by_stem(self._folder('ImageSets'), ('.txt',)))

    def listed(self, path: str) -> list:
        """Return the names in a list, in order, each once (:func:`~tempseg_mm.datasets.name_list.sequence_names`)."""
        return sequence_names(path)

    def own_split(self, name: str) -> list:
        """Return the names of the sequences of a split in :meth:`splits`, in order, each once."""
        return self.listed(os.path.join(self._folder('ImageSets'), f'{name}.txt'))

    def named(self, names: list) -> list:
        """Return the sequences that the names of a list from elsewhere stand for.

        Raises:
            ValueError: if one of them is not on disk.
        """
        require_known(names, self.names_on_disk(), self.split, self.LISTS, self.data_root)
        return list(dict.fromkeys(names))

    def names_on_disk(self) -> list:
        """Return the names of all sequences that have a folder, in natural order, regardless of the splits."""
        return folders_in(self._folder('JPEGImages'))

    def missing_parts(self) -> list:
        """Return a text for each part of the release that ``data_root`` lacks; none for your own data."""
        return []

    def has_given_masks_only(self, name: str) -> bool:
        """Return True if the release has only the masks to begin with for sequence ``name``; it is then not scored."""
        return False

    def further_faults(self, name: str, shown: Mapping) -> Iterable[tuple]:
        """Return further faults of sequence ``name``, for the check of a data set.

        Args:
            name: name of the sequence.
            shown: object id -> key of the first annotation that shows it.

        Returns:
            (text, level) of each fault; the level is ``'error'`` or ``'warning'``.
        """
        return ()

    def frame_files(self, name: str) -> dict:
        """Return key -> path of the frames of sequence ``name``, in order. A frame and its annotation share one key."""
        return files_by_stem(self._folder('JPEGImages', name), FRAME_SUFFIXES)

    def mask_files(self, name: str) -> dict:
        """Return key -> path of the annotations of sequence ``name``, in order."""
        return files_by_stem(self._folder('Annotations', name), ('.png',))

    def sequence(self, name: str) -> VOSSequence:
        """Find the paths of sequence ``name`` without decoding any file."""
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
        """Return the names of the sequences of the split, in order, each once.

        Raises:
            FileNotFoundError: if the data set has no lists and the split is not a list from elsewhere.
            ValueError: if the list does not exist, or names a sequence that is not on disk.
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
        """Explain what to do if ``data_root`` is not a folder."""
        way_out = advice(self, own_only=True) or f' {self.SOURCE or self._expected()}'
        return f'data root {self.data_root!r} is not a folder.{way_out}'

    def load_data_list(self) -> list:
        """Find the sequences, then list the items as indices into them. mmengine calls this once."""
        if not os.path.isdir(self.data_root):
            raise FileNotFoundError(f'{self.root_fault()} configs/tempseg_synthetic.py needs no data')
        self._sequences = [self.sequence(name) for name in self.selected_names()]
        if self.test_mode:
            return [dict(sequence=index) for index in range(len(self._sequences))]
        return [dict(sequence=index, frame_ids=clip)
                for index, sequence in enumerate(self._sequences) for clip in self._clips(sequence)]

    def selected_names(self) -> list:
        """Return the names of the sequences of the split that the argument ``sequences`` keeps."""
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
            raise ValueError('`sequences` is empty: name at least one sequence, or leave it out for the whole split')
        return self._wanted

    def _clips(self, sequence: VOSSequence) -> list:
        clips = self.clip_sampler.clips(len(sequence))
        if not clips:
            raise ValueError(f'sequence {sequence.name!r} has {len(sequence)} frames, too few for a clip of '
                             f'T = {self.clip_sampler.clip_length} frames with stride {self.clip_sampler.stride}; '
                             'reduce `clip_length` or leave the sequence out')
        for i in range(len(sequence)):
            if not sequence.is_annotated(i):
                raise ValueError(f'frame {sequence.file_name(i)} of sequence {sequence.name!r} has no annotation, but '
                                 'training needs one for every frame; leave the sequence out with `sequences`')
        return clips

    def readable_parts(self) -> list:
        """Return one :class:`~tempseg_mm.datasets.readable.ReadablePart` per frame, with its annotation and flow."""
        return [ReadablePart(sequence.files(i), partial(sequence.verify, i))
                for sequence in self._sequences for i in range(len(sequence))]

    def notices(self) -> list:
        """Return how annotations that this process has read were interpreted, as far as there was a choice."""
        return [f'{sequence.name}: {notice}' for sequence in self._sequences for notice in sequence.notices]

    def get_data_info(self, idx: int) -> dict:
        """Return item ``idx`` before the pipeline: ``sequence``, ``size`` and, in training, ``frame_ids``."""
        info = dict(self.data_list[idx])
        info['sequence'] = self._sequences[info['sequence']]
        if 'frame_ids' in info:
            info['frame_ids'] = list(info['frame_ids'])
        return dict(info, size=self.size)

    def __getitem__(self, idx: int) -> Any:
        """Return item ``idx`` after the pipeline. Unlike mmengine's data sets, never return another item instead.

        Raises:
            ValueError: if a transform returned ``None``.
        """
        with draws_of(idx):
            data = self.prepare_data(idx)
        if data is None:
            raise ValueError(f'the pipeline of {type(self).__name__} returned None for item {idx}; a transform that '
                             'cannot do its work must raise an error')
        return data
