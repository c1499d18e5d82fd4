"""Checks whether a config can be used: it loads, its components are known, its files and data exist.

``tempseg-doctor`` uses it. The rest of the project is imported inside the functions, since it may be broken.
"""

import os
import textwrap
from collections.abc import Iterator
from typing import Any

from tempseg_mm.runtime.command_names import runnable

from .check import BROKEN, MISSING, NOTE, OK, WRONG, Check

LOOKED_INTO = 3  # number of sequences to check of a data set, unless all are requested
SHOWN = 3  # number of findings to show of a data set
DATA_PARTS = ('train', 'val', 'test')
FILE_KEYS = ('weights', 'load_from', 'checkpoint')
WORDS = ('newest', 'none')  # values of `checkpoint` that are not paths
LONGEST = 400  # longest shown text of an error, in characters


def check_config(path: str, *, data: str = 'quick') -> list[Check]:
    """Check a config and everything that it names. All faults are listed; nothing is written or downloaded.

    Args:
        path: the config file.
        data: 'quick' for the lists of sequences and the files of three sequences; 'all' for every file; 'none'.

    Raises:
        ValueError: if ``data`` has another value.
    """
    if data not in ('quick', 'all', 'none'):
        raise ValueError(f"data must be 'quick', 'all' or 'none', got {data!r}")
    try:
        from tempseg_mm.apis.config import load_config
        unknown: list = []
        cfg = load_config(path, faults=unknown)
    except (Exception, SystemExit) as error:  # a config is a program and may raise anything
        return [Check('config', WRONG, f'{path} does not load: {_said(error)}', 'correct it, or name another config')]
    checks = [Check('config', OK, f'{path} loads')]
    checks += [Check(fault.path, WRONG, fault.what, fault.remedy or 'remove it') for fault in unknown]
    try:
        checks += [*_types(cfg.to_dict()), *_files(cfg)]
        for part in DATA_PARTS if data != 'none' else ():
            if cfg.get(f'{part}_dataloader'):
                checks.append(_data(part, cfg[f'{part}_dataloader'].dataset.to_dict(), path, data == 'all'))
    except (Exception, SystemExit) as error:
        checks.append(Check('config', BROKEN, f'cannot be checked: {_said(error)}',
                            'first fix the faults of the packages above'))
    return checks


def _said(error: BaseException) -> str:
    return textwrap.shorten(f'{type(error).__name__}: {error}', LONGEST, placeholder=' ...')


def _types(cfg: dict) -> Iterator[Check]:
    from tempseg_mm.settings.components import find_types

    from .config_types import unknown_type
    found = list(find_types(cfg))
    faults = [(place, fault) for place, name in found if (fault := unknown_type(place, name))]
    for place, fault in faults:
        yield Check('.'.join(map(str, place)), WRONG, fault,
                    'correct the name, or add the module that registers it to `custom_imports`')
    if not faults:
        yield Check('types', OK, f'{len(found)} components, all known')


def _files(cfg: Any) -> Iterator[Check]:
    from tempseg_mm.runtime.project_files import find_file
    seen = set()
    for place, value in _paths(cfg.to_dict()):
        if value in seen:
            continue
        seen.add(value)
        if '://' in value:
            yield Check(place, NOTE, f'{value} is downloaded when it is first used')
        elif not os.path.exists(find_file(value)):
            yield Check(place, MISSING, f'there is no {value}', 'put it there, or set the path with '
                                                                f'--cfg-options {place}=PATH')
        else:
            yield Check(place, OK, value)
    if cfg.get('checkpoint') == 'newest' and not os.path.isdir(cfg.work_dir):
        yield Check('checkpoint', NOTE, f'no training has run yet: there is no {cfg.work_dir}')


def _paths(cfg: Any, place: tuple = ()) -> Iterator[tuple[str, str]]:
    """Yield (place, value) of the weights and checkpoints that a config names."""
    items = cfg.items() if isinstance(cfg, dict) else enumerate(cfg) if isinstance(cfg, (list, tuple)) else ()
    for key, value in items:
        if key in FILE_KEYS and isinstance(value, str) and value and value not in WORDS:
            yield '.'.join(map(str, (*place, key))), value
        yield from _paths(value, (*place, key))


def _data(part: str, cfg: dict, path: str, look_at_all: bool) -> Check:
    from tempseg_mm.datasets.check import check_sequences, find_sequences, unloaded
    from tempseg_mm.datasets.synthetic.dataset import SyntheticVOSDataset
    from tempseg_mm.datasets.vos_dataset import VOSDataset
    from tempseg_mm.registry import DATASETS
    name, root = f'{part} data', cfg.get('data_root', '')
    cls = DATASETS.module_dict.get(cfg.get('type'))  # an unknown type is reported by _types
    made = cls is not None and issubclass(cls, SyntheticVOSDataset)
    if made and not os.path.isdir(root):
        return Check(name, NOTE, f'{root} is rendered when it is first used')
    if cls is None or not issubclass(cls, VOSDataset):
        if os.path.isdir(root):
            return Check(name, NOTE, f'{cfg.get("type")} in {root}, which exists; its files are not checked')
        return Check(name, MISSING, f'data root {root} is not a folder', f'set {part}_dataloader.dataset.data_root')
    try:
        dataset = unloaded(cfg)
        names, findings = find_sequences(dataset)
        chosen = names if look_at_all else names[::max(1, -(-len(names) // LOOKED_INTO))]
        reports = list(check_sequences(dataset, chosen))
    except (OSError, TypeError, ValueError) as error:
        return Check(name, WRONG, _said(error), runnable('check_dataset', path, '--part', part))
    findings = [*findings, *(finding for report in reports for finding in report.findings)]
    return _verdict(name, f'{cfg["type"]} in {root}: {len(names)} sequence(s), {len(chosen)} of them checked, '
                          f'{sum(report.num_frames for report in reports)} frames', findings, path, len(names))


def _verdict(name: str, text: str, findings: list, path: str, num_sequences: int) -> Check:
    errors = [finding for finding in findings if finding.level == 'error']
    if not num_sequences and not errors:
        return Check(name, WRONG, f'{text}: nothing to read', runnable('check_dataset', path))
    if not findings:
        return Check(name, OK, text)
    first = '; '.join(f'{finding.where}: {finding.text}' if finding.where else finding.text
                      for finding in (errors or findings)[:SHOWN])
    counts = f'{len(errors)} error(s), {len(findings) - len(errors)} warning(s): {first}'
    text = f'{text}; {counts}' if num_sequences else first
    return Check(name, WRONG if errors else NOTE, text, runnable('check_dataset', path))
