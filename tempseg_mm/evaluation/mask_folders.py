"""Matches two folders of masks sequence by sequence and frame by frame before any mask is decoded.

It uses only the names and headers of files.
"""

import difflib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tempseg_mm.datasets.name_list import sequence_names
from tempseg_mm.datasets.splits import DAVIS_2016, shipped_lists, split_text
from tempseg_mm.runtime.notices import Notices

from .mask_pairs import faults_of_files, faults_of_number, has_gaps, masks_in, paired

PROTOCOLS = ('auto', 'davis', 'annotated')
SYSTEM_FOLDERS = ('__macosx', '@eadir', 'lost+found', '$recycle.bin')  # created by programs, not by the user
TRUTH_NAMES = ('annotations', 'gt', 'groundtruth', 'ground_truth')


class MaskFaults(ValueError):
    """Raised with all faults of two folders of masks.

    Args:
        faults: one line per fault; also an attribute.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(f'{len(self.faults)} fault(s) in the masks:\n  ' + '\n  '.join(self.faults))


@dataclass(frozen=True)
class MaskSequence:
    """Paths of the masks of one sequence. Ground truth and prediction of a frame have the same index.

    Attributes:
        name: name of the sequence.
        gt_paths: N annotation files in order.
        pred_paths: N predicted masks in the same order.
        last_counts: True if the last mask is scored; the protocol of DAVIS leaves it out.
    """
    name: str
    gt_paths: tuple[str, ...]
    pred_paths: tuple[str, ...]
    last_counts: bool = False

    def __len__(self) -> int:
        return len(self.gt_paths)


def match_folders(gt: str | Path, pred: str | Path, split: str | Path | Sequence[str] | None = None, *,
                  protocol: str = 'auto', notices: Notices | None = None) -> list[MaskSequence]:
    """Find the sequences of two folders of masks, and the pairs of masks that belong together.

    A folder may hold ``<sequence>/*.png``; ``<sequence>/masks/*.png``, as results of videos do; either of these below
    ``Annotations`` or ``masks``, or below a single folder such as ``480p``; or ``*.png`` for one sequence. Masks are
    paired by their names, or by the numbers in them; see :func:`~tempseg_mm.evaluation.mask_pairs.paired`. Hidden files
    and folders and those of operating systems are ignored. Sequences and masks that only the prediction has are left
    out with a notice.

    Args:
        gt: folder of the ground truth.
        pred: folder of the predictions.
        split: one of: a file with one sequence per line, or with lines of paths as in the lists of DAVIS 2016; the name
            of a list that the project ships, or of a sequence; names of sequences. Other sequences are left out.
            ``None``: all sequences of ``gt``.
        protocol: 'davis': the last annotation of a sequence does not count. 'annotated': it counts. 'auto': it counts
            if the numbers of the annotations have gaps, because the last annotation may then not be that of the last
            frame.
        notices: receives a sentence for each choice between several readings. The "files" of these notices are
            sequences.

    Returns:
        The sequences, by name.

    Raises:
        FileNotFoundError: if a folder or the split file does not exist.
        ValueError: for an unknown protocol, or a split file that is not text or names a place elsewhere, see
            :func:`~tempseg_mm.datasets.name_list.sequence_names`.
        MaskFaults: with all faults: masks or sequences that are missing, masks whose size differs from their partner's,
            files that are not images, sequences without a frame that counts.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f'protocol must be one of {", ".join(PROTOCOLS)}, got {protocol!r}')
    notices = Notices('sequence') if notices is None else notices
    gt, pred = Path(gt), Path(pred)
    gt_masks, pred_masks = _masks(gt, notices), _masks(pred, notices)
    _note_suspicious(gt, pred, notices)
    gt_masks, pred_masks = _with_names(gt, gt_masks, pred, pred_masks, notices)
    names = sorted(gt_masks) if split is None else _split_names(split, gt_masks)
    faults, sequences = [], []
    for name in names:
        lacking = [(folder, masks) for folder, masks in ((gt, gt_masks), (pred, pred_masks)) if name not in masks]
        if lacking:
            faults += [f'sequence {name} is missing in {folder}{_near(name, masks)}' for folder, masks in lacking]
            continue
        last_counts = protocol == 'annotated' or protocol == 'auto' and has_gaps(gt_masks[name])
        pairs, found = paired(gt_masks[name], pred_masks[name], sequence=name, notices=notices)
        found += faults_of_files(pairs) + faults_of_number(len(gt_masks[name]), last_counts=last_counts)
        faults += [f'{name}: {fault}' for fault in found]
        if not found:
            sequences.append(MaskSequence(name, *(tuple(paths) for paths in zip(*pairs.values(), strict=True)),
                                          last_counts))
            if last_counts and protocol == 'auto':
                notices.add('has frames without annotation: every annotation after the first of an object counts, '
                            'including the last one, and T compares masks of annotated frames; --protocol davis leaves '
                            'the last one out', file=name)
    more = sorted(pred_masks.keys() - gt_masks.keys()) if split is None else []
    if more and faults:  # they may be the missing sequences under another name
        faults += [f'sequence {name} is in {pred}, but not in {gt}' for name in more]
    elif more:
        notices.add(f'{pred} holds {len(more)} sequence(s) without ground truth, which were not scored: '
                    f'{", ".join(more[:3])}{", ..." if len(more) > 3 else ""}')
    if not names:
        faults.append(f'{gt if split is None else split_text(split)} holds no sequence (a folder of masks, usually '
                      '.png files)')
    if faults:
        raise MaskFaults(faults)
    return sequences


def _masks(folder: Path, notices: Notices) -> dict[str, dict[str, str]]:
    """Return ``{sequence: {stem: path}}`` of a folder; masks in the folder itself form the sequence ``''``."""
    if not folder.is_dir():
        what = 'it is a file' if folder.exists() else 'it does not exist'
        raise FileNotFoundError(f'there is no folder {folder} ({what}); it should hold <sequence>/*.png')
    for below in ('Annotations', 'masks'):
        if (folder / below).is_dir():
            folder = folder / below
    here = masks_in(folder, notices)
    inner = _folders(folder)
    if here and len(here) < 3 and any(masks_in(path) for path in inner):
        notices.add(f'{folder} holds sequences; the {len(here)} image(s) beside their folders were left out: '
                    f'{", ".join(sorted(here))}')
        here = {}
    if here:
        return {'': here}
    if len(inner) == 1 and not _masks_of_sequence(inner[0]) and any(map(_masks_of_sequence, _folders(inner[0]))):
        inner = _folders(inner[0])
    found = {path.name: masks for path in inner if (masks := _masks_of_sequence(path, notices))}
    deeper = [path.name for path in inner if any(masks_in(below) for below in _folders(path))]
    if deeper and not found:
        raise MaskFaults([f'{folder} holds {", ".join(deeper[:4])}{", ..." if len(deeper) > 4 else ""}, and masks only '
                          'in folders below these: name the folder that holds <sequence>/*.png'])
    return found


def _masks_of_sequence(folder: Path, notices: Notices | None = None) -> dict[str, str]:
    below = folder / 'masks'
    return below.is_dir() and masks_in(below, notices) or masks_in(folder, notices)


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith('.')
                  and path.name.lower() not in SYSTEM_FOLDERS)


def _with_names(gt: Path, gt_masks: dict, pred: Path, pred_masks: dict, notices: Notices) -> tuple[dict, dict]:
    """Name the masks that lie in a folder itself after the sequence of the other folder that they belong to."""
    if '' not in gt_masks and '' not in pred_masks:
        return gt_masks, pred_masks
    if '' in gt_masks and '' in pred_masks:
        name = gt.resolve().name
        return {name: gt_masks['']}, {name: pred_masks['']}
    flat, flat_masks, other, other_masks = ((gt, gt_masks, pred, pred_masks) if '' in gt_masks
                                            else (pred, pred_masks, gt, gt_masks))
    own = flat.resolve().name
    name = own if own in other_masks else next(iter(other_masks)) if len(other_masks) == 1 else None
    if name is None:
        raise MaskFaults([f'{flat} holds masks itself, one sequence, but {other} holds folders of sequences '
                          f'({", ".join(sorted(other_masks)[:3])}, ...): name the one that belongs to these masks'])
    notices.add(f'the masks in {flat} were matched with the sequence {name} in {other}')
    one = {name: flat_masks['']}
    return (one, {name: other_masks[name]}) if flat is gt else ({name: other_masks[name]}, one)


def _note_suspicious(gt: Path, pred: Path, notices: Notices) -> None:
    if gt.samefile(pred):
        notices.add(f'--gt and --pred are one folder, {gt}: the ground truth was scored against itself')
        return
    looks_true = [any(name.lower() in TRUTH_NAMES for name in path.parts[-3:]) for path in (gt, pred)]
    if looks_true == [False, True]:
        notices.add(f'{pred} was used as the prediction, but is named like a ground truth: were --gt and --pred '
                    'swapped?')


def _near(name: str, masks: Iterable[str]) -> str:
    folded = {other.lower(): other for other in masks}
    near = [folded[other] for other in difflib.get_close_matches(name.lower(), folded, n=3)]
    return f' (which has {", ".join(near)})' if near else ''


def _split_names(split: str | Path | Sequence[str], known: Collection[str]) -> list[str]:
    if not isinstance(split, str | Path):
        return sorted(set(split))
    shipped = shipped_lists(DAVIS_2016)
    path = split if Path(split).is_file() else shipped.get(str(split))
    if path is None and str(split) in known:
        return [str(split)]
    if path is None:
        raise FileNotFoundError(f'there is no split file {split}, which should hold one sequence per line, and no '
                                f'sequence of that name. The project ships the lists {", ".join(shipped)}')
    return sorted(sequence_names(path))
