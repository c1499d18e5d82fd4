"""Finds all faults of a data set in one pass. Called by ``tempseg-check-dataset``.

A data set itself raises an error at its first fault. Here each fault becomes a
:class:`~tempseg_mm.datasets.checked_sequence.Finding`, and the search continues.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from tempseg_mm.registry import DATASETS

from .checked_sequence import Finding, SequenceReport, attempt, check_sequence
from .vos_dataset import VOSDataset

__all__ = ['Finding', 'SequenceReport', 'check_sequence', 'check_sequences', 'find_sequences', 'summary', 'unloaded']


def unloaded(cfg: Mapping) -> VOSDataset:
    """Build a data set without its pipeline and without listing its sequences (which raises at the first fault).

    Raises:
        KeyError: if ``type`` in ``cfg`` is unknown.
        TypeError: if the class is not a ``VOSDataset``.
    """
    cfg = {key: value for key, value in cfg.items() if key != 'pipeline'}
    cls = DATASETS.get(cfg.pop('type'))
    if not issubclass(cls, VOSDataset):
        raise TypeError(f'only data sets of sequences can be checked, but {cls.__name__} is not a VOSDataset')
    return type(cls.__name__, (cls,), dict(full_init=lambda self: None))(**cfg)


def find_sequences(dataset: VOSDataset, splits: Sequence[str] = ()) -> tuple[list, list]:
    """Return the names of the sequences to check, and the faults found while listing them.

    Args:
        dataset: made by :func:`unloaded`.
        splits: splits to check instead of the data set's own; ``['*']``: all splits, and sequences on disk in no split.

    Returns:
        Names in the order of the splits, each once; then the findings. If there are findings and no list gives a name,
        all sequences on disk are taken.
    """
    if not os.path.isdir(dataset.data_root):
        return [], [Finding('', dataset.root_fault())]
    names: list = []
    findings = [Finding('', text, 'warning') for text in attempt(dataset.missing_parts, [])]
    everything = list(splits) == ['*']
    if everything:
        splits = attempt(dataset.splits, findings)
    for split in splits or [dataset.split]:
        dataset.split = split
        names += attempt(dataset.selected_names, findings, split)
    if everything or not names and findings:
        extra = [name for name in attempt(dataset.names_on_disk, findings) if name not in names]
        findings += [Finding(name, 'is on disk, but no split names it', 'warning') for name in extra if names]
        names += extra
    errors = {finding.text: finding for finding in reversed(findings) if finding.level == 'error'}  # each once
    return list(dict.fromkeys(names)), [
        finding for finding in dict.fromkeys(findings) if errors.get(finding.text, finding) is finding]


def check_sequences(dataset: VOSDataset, names: Sequence[str], *, workers: int = 1) -> Iterator[SequenceReport]:
    """Yield :func:`check_sequence` of each name, in order, using ``workers`` threads.

    Raises:
        ValueError: if ``workers`` is below 1.
    """
    if workers < 1:
        raise ValueError(f'workers must be at least 1, got {workers}')
    with ThreadPoolExecutor(workers) as pool:  # decoding does not hold Python's lock
        yield from pool.map(lambda name: check_sequence(dataset, name), names)


def summary(reports: Sequence[SequenceReport]) -> str:
    """Return the reports as a plain-text table with a line of totals, followed by remarks that are not faults.

    The column ``objects`` appears only if a sequence has several objects.
    """
    several = any(len(report.objects) > 1 for report in reports)
    rows = [('sequence', 'frames', 'annotated', 'with object', *['objects'][:several], 'errors', 'warnings',
             'size (h x w)')]
    for report in reports:
        sizes = ', '.join(f'{height}x{width}' for height, width in sorted(report.sizes)[:3])
        rows.append((report.name, *_numbers([report], several), sizes + (', ...' if len(report.sizes) > 3 else '')))
    sizes = len({size for report in reports for size in report.sizes})
    rows.append((f'all {len(reports)}', *_numbers(reports, several), f'{sizes} different' if sizes > 1 else ''))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ['  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:-1], widths[1:-1]), row[-1]]).rstrip()
             for row in rows]
    late = [report for report in reports if report.late]
    if late:
        lines += ['', f'{sum(len(report.late) for report in late)} object(s) of {len(late)} sequence(s) appear later; '
                      'each is given in the frame where it first shows']
    given_only = sum(report.has_given_masks_only for report in reports)
    if given_only:
        lines += ['', f'{given_only} sequence(s) have only the masks to begin with: they are segmented, not scored']
    return '\n'.join(lines)


def _numbers(reports: Sequence[SequenceReport], several: bool) -> list:
    levels = [finding.level for report in reports for finding in report.findings]
    sums = [sum(getattr(report, key) for report in reports)
            for key in ('num_frames', 'num_annotated', 'num_with_object')]
    sums += [sum(len(report.objects) for report in reports)][:several]
    return [str(number) for number in (*sums, levels.count('error'), levels.count('warning'))]
