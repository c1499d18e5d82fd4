"""Finds all faults of one sequence of a data set. Called by ``check``.

It relies on the layout methods of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from tempseg_mm.runtime.safe_path import printable
from tempseg_mm.sources.image_io import image_size, verify_image
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import decode_mask

from .vos_dataset import VOSDataset
from .vos_sequence import APART, MERGED, VOSSequence

MOST_GIVEN = 2  # a test is given at most this many masks; a sequence with no more is meant to be segmented, not scored


@dataclass(frozen=True)
class Finding:
    """One fault of a data set.

    Attributes:
        where: name of the sequence or of the split; empty if the fault concerns the whole data set.
        text: what is wrong, with the path of the file.
        level: ``'error'``; or ``'warning'`` if the data can be read but may not be what the user meant.
    """
    where: str
    text: str
    level: str = 'error'

    def __str__(self) -> str:
        return printable(f'{self.level:7}  {self.where + ": " if self.where else ""}{self.text}')


@dataclass
class SequenceReport:
    """Contents and faults of one sequence.

    Attributes:
        name: name of the sequence.
        findings: errors and warnings, mixed.
        num_frames: number of frame files.
        num_annotated: number of mask files.
        num_with_object: number of masks that show an object.
        objects: id of each object -> key of the first mask that shows it; ``{1: ...}`` if all objects count as one.
        late: ids of the objects that the first mask does not show.
        has_given_masks_only: True if the release has only the masks to begin with, and there are no others.
        sizes: all sizes (H, W) of the frames.
    """
    name: str
    findings: list = field(default_factory=list)
    num_frames: int = 0
    num_annotated: int = 0
    num_with_object: int = 0
    objects: dict = field(default_factory=dict)
    late: tuple = ()
    has_given_masks_only: bool = False
    sizes: set = field(default_factory=set)


def check_sequence(dataset: VOSDataset, name: str) -> SequenceReport:
    """Check every file of a sequence: first which files exist, then their headers, then every pixel once."""
    report = SequenceReport(name)
    faults = report.findings
    frames = attempt(lambda: dataset.frame_files(name), faults, name, {})
    masks = attempt(lambda: dataset.mask_files(name), faults, name, {})
    if not faults:
        faults += [Finding(name, *fault) for fault in _file_faults(dataset, name, frames, masks)]
    frame_sizes, mask_sizes = (_each(image_size, files, faults, name) for files in (frames, masks))
    faults += [Finding(name, text) for text in _size_faults(dataset, frames, masks, frame_sizes, mask_sizes)]
    _each(verify_image, {key: frames[key] for key in frame_sizes}, faults, name)
    reader = MaskReader(masks=[masks[key] for key in mask_sizes])
    shows = _each(lambda path: _objects_in(dataset, reader, path, faults, name),
                  {key: masks[key] for key in mask_sizes}, faults, name)
    faults += [Finding(name, notice, 'warning') for notice in reader.notices]
    report.objects = {number: next(key for key in shows if number in shows[key])
                      for number in sorted(set().union(*shows.values()))}
    first = next((key for key in shows if shows[key]), None) if dataset.LATE_START else next(iter(frames), None)
    report.has_given_masks_only = bool(shows) and dataset.has_given_masks_only(name) and (
        shows.keys() <= {*report.objects.values()})
    report.late = tuple(number for number, key in report.objects.items() if key != first)
    faults += [Finding(name, *fault) for fault in _object_faults(dataset, report, masks, shows, first)]
    if not any(fault.level == 'error' for fault in faults):  # then faults that only the data set itself detects
        sequence = attempt(lambda: dataset.sequence(name), faults, name, None)
        faults += [Finding(name, *fault) for fault in _sequence_faults(dataset, sequence)] if sequence else []
    report.num_frames, report.num_annotated = len(frames), len(masks)
    report.num_with_object = sum(map(bool, shows.values()))
    report.sizes = set(frame_sizes.values())
    return report


def attempt(call: Callable, faults: list, where: str = '', otherwise: Any = ()) -> Any:
    """Return ``call()``. On OSError or ValueError, append the fault to ``faults`` and return ``otherwise``."""
    try:
        return call()
    except (OSError, ValueError) as error:
        faults.append(Finding(where, str(error)))
        return otherwise


def _each(look: Callable, files: dict, faults: list, name: str) -> dict:
    """Return key -> ``look(path)`` of every file that can be read; append the other files to ``faults``."""
    unread = object()
    found = {key: attempt(partial(look, path), faults, name, unread) for key, path in files.items()}
    return {key: value for key, value in found.items() if value is not unread}


def _file_faults(dataset: VOSDataset, name: str, frames: dict, masks: dict) -> Iterator[tuple]:
    if not frames:
        yield ('has no frames',)
    least = 2 if dataset.test_mode else dataset.clip_sampler.span
    if 0 < len(frames) < least:
        yield (f'has {len(frames)} frame(s), but at least {least} are needed',)
    bare = [os.path.basename(path) for key, path in frames.items() if key not in masks]
    given = len(frames) - len(bare)
    if bare and not dataset.test_mode:
        yield (f'{len(bare)} frame(s) without mask, but training needs a mask for every frame: {", ".join(bare)}',)
    elif dataset.has_given_masks_only(name):
        if not masks:
            yield ('has no mask: nothing to begin with',)
    elif bare and not dataset.SPARSE:
        if 0 < given <= MOST_GIVEN and all(key in masks for key in list(frames)[:given]):
            yield f'only the first {given} frame(s) have a mask: enough to segment, not to score', 'warning'
        else:
            yield (f'{len(bare)} frame(s) without mask: {", ".join(bare)}',)
    for path in (path for key, path in masks.items() if key not in frames):
        yield (f'{path} is a mask without frame',)
    steps = {(a, b): _number(b) - _number(a) for a, b in pairwise(frames) if None not in (_number(a), _number(b))}
    usual = dataset.STEP or min(steps.values(), default=1)
    gaps = [f'{os.path.basename(frames[a])} then {os.path.basename(frames[b])}'
            for (a, b), step in steps.items() if step != usual]
    if gaps:
        yield f'frame numbers are not contiguous, {len(gaps)} time(s): {"; ".join(gaps[:3])}', 'warning'
    read = {*frames.values(), *masks.values()}
    for folder in sorted({os.path.dirname(path) for path in read}):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if os.path.isfile(entry.path) and entry.path not in read and not entry.name.startswith('.'):
                yield (f'{entry.path} is not read: it is neither a frame nor a mask, or another file has its name',
                       'warning')


def _number(key: str | int) -> int | None:
    found = re.search(r'(\d+)\D*$', str(key))
    return int(found.group(1)) if found else None


def _size_faults(dataset: VOSDataset, frames: dict, masks: dict, frame_sizes: dict, mask_sizes: dict) -> Iterator[str]:
    for paths, sizes in ((frames, frame_sizes), (masks, mask_sizes if dataset.MASKS_SET_SIZE else {})):
        first = next(iter(sizes), None)
        for key, size in sizes.items():
            if size != sizes[first]:
                yield f'{paths[key]} is {_text(size)}, but {paths[first]} is {_text(sizes[first])}'
    for key, size in ({} if dataset.MASKS_SET_SIZE else mask_sizes).items():
        if key in frame_sizes and size != frame_sizes[key]:
            yield f'{masks[key]} is {_text(size)}, but its frame {frames[key]} is {_text(frame_sizes[key])}'


def _text(size: tuple) -> str:
    return f'{size[0]}x{size[1]} (height x width)'


def _objects_in(dataset: VOSDataset, reader: MaskReader, path: str, faults: list, name: str) -> frozenset:
    """Return the ids of the objects that a mask shows, as the data set reads it before any objects are merged."""
    stored, threshold = decode_mask(path), dataset.THRESHOLD
    if threshold is not None:
        highest, mask = int(stored.levels.max()), stored.above(threshold)
        if 0 < highest <= threshold:
            faults.append(Finding(name, f'{path} holds values up to {highest}, but none above the threshold of '
                                        f'{threshold}'))
        return frozenset({1} if mask.any() else ())
    return frozenset(np.unique(reader.labels_of(stored).ids).tolist()) - {0}


def _object_faults(dataset: VOSDataset, report: SequenceReport, masks: dict, shows: dict, first: Any
                   ) -> Iterator[tuple]:
    picked = dataset.objects if isinstance(dataset.objects, int) else None
    if not dataset.LATE_START and first in shows and not (shows[first] & {picked} if picked else shows[first]):
        yield (f'{masks[first]}, the first mask, shows no object{f" {picked}" if picked else ""}: nothing to begin '
               'with',)
    several = [key for key, ids in shows.items() if len(ids) > 1]
    if dataset.objects == MERGED:
        if several and type(dataset).OBJECTS == MERGED:
            others = f', and {len(several) - 1} other mask(s) likewise' if several[1:] else ''
            yield (f'{masks[several[0]]} shows {len(shows[several[0]])} objects, which count as one{others}; '
                   "objects='apart' treats each separately", 'warning')
        report.objects, report.late = {1: first} if report.objects else {}, ()
    elif picked:
        report.objects, report.late = {key: at for key, at in report.objects.items() if key == picked}, ()
    elif report.late and not dataset.LATE_OBJECTS and first in shows and shows[first]:
        texts = [f'object {number} in {os.path.basename(masks[report.objects[number]])}' for number in report.late]
        yield f'not in the first mask: {", ".join(texts)}; each is given where it first shows', 'warning'
    if dataset.objects == APART:
        yield from dataset.further_faults(report.name, report.objects)


def _sequence_faults(dataset: VOSDataset, sequence: VOSSequence) -> Iterator[tuple]:
    if dataset.SPARSE and not dataset.has_given_masks_only(sequence.name) and not any(
            map(sequence.is_annotated, range(1, len(sequence)))):
        yield 'has no mask after the given one, so it is not scored', 'warning'
    if None in sequence.flow_paths:
        yield f'{sequence.flow_paths.count(None)} of {len(sequence.flow_paths)} flow files are missing', 'warning'
    faults: list = []
    for i in range(len(sequence.flow_paths)):
        attempt(partial(sequence.flow, i), faults)
    yield from ((fault.text,) for fault in faults)
