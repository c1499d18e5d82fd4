"""Two folders of masks, matched frame by frame before anything is decoded. Called by the scoring of masks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tempseg_mm.datasets.name_list import sequence_names
from tempseg_mm.runtime.safe_path import natural_key
from tempseg_mm.sources.image_io import image_size


class MaskFaults(ValueError):
    """Everything that is wrong with two folders of masks, a line each.

    Args:
        faults: the lines.

    Attributes:
        faults: likewise.
    """

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        super().__init__(f'{len(self.faults)} fault(s) in the masks:\n  ' + '\n  '.join(self.faults))


@dataclass(frozen=True)
class MaskSequence:
    """Paths of the masks of one sequence, ground truth and prediction of a frame at the same place.

    Attributes:
        name: of the sequence.
        gt_paths: N files in order.
        pred_paths: likewise.
    """
    name: str
    gt_paths: tuple[str, ...]
    pred_paths: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.gt_paths)


def match_folders(gt: str | Path, pred: str | Path, split: str | Path | None = None) -> list[MaskSequence]:
    """The sequences of two folders of masks.

    A folder is one of: ``<sequence>/*.png``; the same below ``Annotations`` or ``masks``, or below a single folder
    such as ``480p``; ``*.png``, one sequence (then both must be). Masks belong together by their names.

    Args:
        gt: folder of the ground truth.
        pred: folder of the predictions.
        split: file with a sequence a line, or lines of paths as in the lists of DAVIS 2016; what it does not name is
            left out. Default: all sequences of ``gt``.

    Returns:
        The sequences, by name.

    Raises:
        FileNotFoundError: a folder or the split file that is not there.
        ValueError: a split file that is no text or names a place elsewhere, see
            :func:`~tempseg_mm.datasets.name_list.sequence_names`.
        MaskFaults: masks or sequences that are missing, that have no partner, of another size than their partner or
            that are no image; sequences without a frame that counts. All of them.
    """
    gt_masks, pred_masks = _masks(Path(gt)), _masks(Path(pred))
    if len(gt_masks) == len(pred_masks) == 1 and '' in gt_masks and '' in pred_masks:
        name = Path(gt).resolve().name
        gt_masks, pred_masks = {name: gt_masks['']}, {name: pred_masks['']}
    names = sorted(gt_masks) if split is None else _split_names(Path(split))
    faults = [f'sequence {name} is in {pred}, but not in {gt}' for name in sorted(pred_masks.keys() - gt_masks.keys())
              if split is None]
    sequences = []
    for name in names:
        lacking = [str(folder) for folder, masks in ((gt, gt_masks), (pred, pred_masks)) if name not in masks]
        if lacking:
            faults += [f'sequence {name} is missing in {folder}' for folder in lacking]
            continue
        found = _faults_of_pairs(gt_masks[name], pred_masks[name])
        faults += [f'{name}: {fault}' for fault in found]
        if not found:
            stems = sorted(gt_masks[name], key=natural_key)
            sequences.append(MaskSequence(name, *(tuple(masks[name][stem] for stem in stems)
                                                  for masks in (gt_masks, pred_masks))))
    if not names:
        faults.append(f'{gt if split is None else split} holds no sequence (folders of .png masks)')
    if faults:
        raise MaskFaults(faults)
    return sequences


def _masks(folder: Path) -> dict[str, dict[str, str]]:
    """``{sequence: {stem: path}}`` of a folder; the sequence of masks that lie in the folder itself is ``''``."""
    if not folder.is_dir():
        raise FileNotFoundError(f'there is no folder {folder}; it should hold <sequence>/*.png')
    for below in ('Annotations', 'masks'):
        if (folder / below).is_dir():
            folder = folder / below
    here = _stems(folder)
    if here:
        return {'': here}
    inner = sorted(path for path in folder.iterdir() if path.is_dir())
    if len(inner) == 1 and not _stems(inner[0]) and any(_stems(path) for path in inner[0].iterdir() if path.is_dir()):
        inner = sorted(path for path in inner[0].iterdir() if path.is_dir())
    return {path.name: masks for path in inner if (masks := _stems(path))}


def _stems(folder: Path) -> dict[str, str]:
    return {path.stem: str(path) for path in sorted(folder.iterdir())
            if path.suffix.lower() == '.png' and not path.name.startswith('.')}


def _split_names(split: Path) -> list[str]:
    if not split.is_file():
        raise FileNotFoundError(f'there is no split file {split}; it should hold a sequence a line')
    return sorted(sequence_names(split))


def _faults_of_pairs(gt: dict[str, str], pred: dict[str, str]) -> list[str]:
    faults = [f'mask {stem} is missing in the prediction' for stem in gt.keys() - pred.keys()]
    faults += [f'mask {stem} is in the prediction, but not in the ground truth' for stem in pred.keys() - gt.keys()]
    first_size = None
    for stem in sorted(gt.keys() & pred.keys(), key=natural_key):
        try:
            sizes = [image_size(masks[stem]) for masks in (gt, pred)]
        except OSError as error:
            faults.append(f'mask {stem}: {error}')
            continue
        first_size = first_size or sizes[0]
        if sizes[0] != sizes[1]:
            faults.append(f'mask {stem} is {_text(sizes[1])} in the prediction, {_text(sizes[0])} in the ground truth')
        elif sizes[0] != first_size:
            faults.append(f'mask {stem} is {_text(sizes[0])}, the first {_text(first_size)}')
    if len(gt) < 3:
        faults.append(f'{len(gt)} mask(s); as the first and the last do not count, it needs three')
    return sorted(faults)


def _text(size: tuple) -> str:
    return f'{size[0]}x{size[1]}'
