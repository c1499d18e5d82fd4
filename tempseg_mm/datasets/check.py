"""Everything that is wrong with a data set, at once. Called by ``tempseg-check-dataset``.

A data set raises at the first fault; here each fault becomes a :class:`Finding`, and the search goes on. Relies on the
layout methods of :class:`~tempseg_mm.datasets.vos_dataset.VOSDataset`.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from tempseg_mm.registry import DATASETS
from tempseg_mm.runtime.safe_path import printable
from tempseg_mm.sources.image_io import image_size, verify_image
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import decode_mask

from .vos_dataset import VOSDataset
from .vos_sequence import VOSSequence

MOST_GIVEN = 2  # masks that a test can be given: with no more, a sequence is meant to be segmented, not scored


@dataclass(frozen=True)
class Finding:
    """One fault.

    Attributes:
        where: name of the sequence, or of the split; empty for the data set as a whole.
        text: what is wrong, with the file.
        level: ``'error'``, or ``'warning'`` where the data can be read but may not be what was meant.
    """
    where: str
    text: str
    level: str = 'error'

    def __str__(self) -> str:
        return printable(f'{self.level:7}  {self.where + ": " if self.where else ""}{self.text}')


@dataclass
class SequenceReport:
    """What one sequence holds, and its faults.

    Attributes:
        name: of the sequence.
        findings: faults, errors and warnings mixed.
        num_frames: frame files.
        num_annotated: mask files.
        num_with_object: masks that show the object.
        sizes: (H, W) that occur among the frames.
    """
    name: str
    findings: list = field(default_factory=list)
    num_frames: int = 0
    num_annotated: int = 0
    num_with_object: int = 0
    sizes: set = field(default_factory=set)


def unloaded(cfg: Mapping) -> VOSDataset:
    """Builds a data set without looking for its sequences, which would raise at the first fault.

    Args:
        cfg: config of the data set; its pipeline is left out.

    Raises:
        KeyError: for an unknown ``type``.
        TypeError: if it is no ``VOSDataset``.
    """
    cfg = {key: value for key, value in cfg.items() if key != 'pipeline'}
    cls = DATASETS.get(cfg.pop('type'))
    if not issubclass(cls, VOSDataset):
        raise TypeError(f'only data sets of sequences can be checked, and {cls.__name__} is no VOSDataset')
    return type(cls.__name__, (cls,), dict(full_init=lambda self: None))(**cfg)


def find_sequences(dataset: VOSDataset, splits: Sequence[str] = ()) -> tuple[list, list]:
    """Names of the sequences to check, each once, and the faults met on the way to them.

    Args:
        dataset: of :func:`unloaded`.
        splits: splits to check instead of the data set's own; ``['*']`` for all that there are.

    Returns:
        Names in the order of the splits; findings. Where a list is missing or broken, and beside all splits, all
        sequences on disk are taken.
    """
    if not os.path.isdir(dataset.data_root):
        return [], [Finding('', f'data root {dataset.data_root} is not a folder. {dataset.SOURCE}')]
    names: list = []
    findings = [Finding('', text, 'warning') for text in _attempt(dataset.missing_parts, [])]
    everything = list(splits) == ['*']
    if everything:
        splits = _attempt(dataset.splits, findings)
    for split in splits or [dataset.split]:
        dataset.split = split
        names += _attempt(dataset.selected_names, findings, split)
    if everything or not names and findings:
        extra = [name for name in _attempt(dataset.names_on_disk, findings) if name not in names]
        findings += [Finding(name, 'is on disk, but no split names it', 'warning') for name in extra if names]
        names += extra
    return list(dict.fromkeys(names)), list(dict.fromkeys(findings))


def check_sequences(dataset: VOSDataset, names: Sequence[str], *, workers: int = 1) -> Iterator[SequenceReport]:
    """:func:`check_sequence` of each name, in order, in ``workers`` threads (decoding does not hold Python's lock).

    Raises:
        ValueError: if ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    with ThreadPoolExecutor(workers) as pool:
        yield from pool.map(lambda name: check_sequence(dataset, name), names)


def check_sequence(dataset: VOSDataset, name: str) -> SequenceReport:
    """Looks at every file of a sequence: first which there are, then their headers, then every pixel once."""
    report = SequenceReport(name)
    faults = report.findings
    frames = _attempt(lambda: dataset.frame_files(name), faults, name, {})
    masks = _attempt(lambda: dataset.mask_files(name), faults, name, {})
    if not faults:
        faults += [Finding(name, *fault) for fault in _file_faults(dataset, frames, masks)]
    frame_sizes, mask_sizes = (_each(image_size, files, faults, name) for files in (frames, masks))
    faults += [Finding(name, text) for text in _size_faults(dataset, frames, masks, frame_sizes, mask_sizes)]
    _each(verify_image, {key: frames[key] for key in frame_sizes}, faults, name)
    reader = MaskReader(masks=[masks[key] for key in mask_sizes])
    shows = _each(lambda path: _shows_object(dataset, reader, path, faults, name),
                  {key: masks[key] for key in mask_sizes}, faults, name)
    faults += [Finding(name, notice, 'warning') for notice in reader.notices]
    first = next(iter(frames), None)
    if not dataset.SPARSE and shows.get(first) is False:
        faults.append(Finding(name, f'{masks[first]}, the first mask, shows no object: nothing to begin with'))
    if not any(fault.level == 'error' for fault in faults):  # whatever else the data set itself objects to
        sequence = _attempt(lambda: dataset.sequence(name), faults, name, None)
        faults += [Finding(name, *fault) for fault in _sequence_faults(dataset, sequence)] if sequence else []
    report.num_frames, report.num_annotated, report.num_with_object = len(frames), len(masks), sum(shows.values())
    report.sizes = set(frame_sizes.values())
    return report


def _attempt(call: Callable, faults: list, where: str = '', otherwise: Any = ()) -> Any:
    try:
        return call()
    except (OSError, ValueError) as error:
        faults.append(Finding(where, str(error)))
        return otherwise


def _each(look: Callable, files: dict, faults: list, name: str) -> dict:
    """Key -> what ``look`` finds in its file, where it can be read."""
    unread = object()
    found = {key: _attempt(partial(look, path), faults, name, unread) for key, path in files.items()}
    return {key: value for key, value in found.items() if value is not unread}


def _file_faults(dataset: VOSDataset, frames: dict, masks: dict) -> Iterator[tuple]:
    if not frames:
        yield ('has no frames',)
    least = 2 if dataset.test_mode else dataset.clip_sampler.span
    if 0 < len(frames) < least:
        yield (f'has {len(frames)} frame(s), needed are at least {least}',)
    bare = [os.path.basename(path) for key, path in frames.items() if key not in masks]
    given = len(frames) - len(bare)
    if bare and not dataset.test_mode:
        yield (f'{len(bare)} frame(s) without mask, but training needs all: {", ".join(bare)}',)
    elif bare and not dataset.SPARSE:
        if 0 < given <= MOST_GIVEN and all(key in masks for key in list(frames)[:given]):
            yield f'only the first {given} frame(s) have a mask: enough to segment, not to score', 'warning'
        else:
            yield (f'{len(bare)} frame(s) without mask: {", ".join(bare)}',)
    for path in (path for key, path in masks.items() if key not in frames):
        yield (f'{path} is a mask without frame',)
    gaps = [f'{os.path.basename(frames[a])} then {os.path.basename(frames[b])}' for a, b in pairwise(frames)
            if None not in (_number(a), _number(b)) and _number(b) != _number(a) + 1]
    if gaps:
        yield f'frame numbers are not contiguous, {len(gaps)} time(s): {"; ".join(gaps[:3])}', 'warning'
    read = {*frames.values(), *masks.values()}
    for folder in sorted({os.path.dirname(path) for path in read}):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if os.path.isfile(entry.path) and entry.path not in read and not entry.name.startswith('.'):
                yield f'{entry.path} is not read: neither a frame nor a mask, or another has its name', 'warning'


def _number(key: str | int) -> int | None:
    found = re.search(r'(\d+)\D*$', str(key))
    return int(found.group(1)) if found else None


def _size_faults(dataset: VOSDataset, frames: dict, masks: dict, frame_sizes: dict, mask_sizes: dict) -> Iterator[str]:
    for paths, sizes in ((frames, frame_sizes), (masks, mask_sizes if dataset.SPARSE else {})):
        first = next(iter(sizes), None)
        for key, size in sizes.items():
            if size != sizes[first]:
                yield f'{paths[key]} is {_text(size)}, but {paths[first]} is {_text(sizes[first])}'
    for key, size in ({} if dataset.SPARSE else mask_sizes).items():
        if key in frame_sizes and size != frame_sizes[key]:
            yield f'{masks[key]} is {_text(size)}, but its frame {frames[key]} is {_text(frame_sizes[key])}'


def _text(size: tuple) -> str:
    return f'{size[0]}x{size[1]} (height x width)'


def _shows_object(dataset: VOSDataset, reader: MaskReader, path: str, faults: list, name: str) -> bool:
    stored, threshold = decode_mask(path), dataset.THRESHOLD
    if threshold is not None:
        highest, mask = int(stored.levels.max()), stored.above(threshold)
        if 0 < highest <= threshold:
            faults.append(Finding(name, f'{path} holds values up to {highest}, none above the threshold of '
                                        f'{threshold}'))
        return bool(mask.any())
    ids = np.unique(reader.labels_of(stored).ids)
    if np.count_nonzero(ids) > 1:
        faults.append(Finding(name, f'{path} shows {np.count_nonzero(ids)} objects, which count as one', 'warning'))
    return bool(ids.any())


def _sequence_faults(dataset: VOSDataset, sequence: VOSSequence) -> Iterator[tuple]:
    if dataset.SPARSE and not any(map(sequence.is_annotated, range(1, len(sequence)))):
        yield 'has no mask after the one that is given: nothing of it is scored', 'warning'
    if None in sequence.flow_paths:
        yield f'{sequence.flow_paths.count(None)} of {len(sequence.flow_paths)} flow files are missing', 'warning'
    faults: list = []
    for i in range(len(sequence.flow_paths)):
        _attempt(partial(sequence.flow, i), faults)
    yield from ((fault.text,) for fault in faults)


def summary(reports: Sequence[SequenceReport]) -> str:
    """A table of the sequences with a line of totals, as text."""
    rows = [('sequence', 'frames', 'annotated', 'with object', 'errors', 'warnings', 'size (h x w)')]
    for report in reports:
        sizes = ', '.join(f'{height}x{width}' for height, width in sorted(report.sizes)[:3])
        rows.append((report.name, *_numbers([report]), sizes + (', ...' if len(report.sizes) > 3 else '')))
    several = len({size for report in reports for size in report.sizes})
    rows.append((f'all {len(reports)}', *_numbers(reports), f'{several} different' if several > 1 else ''))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return '\n'.join('  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]]).rstrip()
                     for row in rows)


def _numbers(reports: Sequence[SequenceReport]) -> list:
    levels = [finding.level for report in reports for finding in report.findings]
    sums = [sum(getattr(report, key) for report in reports)
            for key in ('num_frames', 'num_annotated', 'num_with_object')]
    return [str(number) for number in (*sums, levels.count('error'), levels.count('warning'))]
