"""Pairs the masks of one sequence in two folders: selects the mask files, matches them, and lists their faults.

It uses only the names and headers of files.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.runtime.safe_path import natural_key
from tempseg_mm.sources.image_io import image_size

# If files with several suffixes have one name, the first suffix in this order is used.
SUFFIXES = ('.png', '.npy', '.bmp', '.tif', '.tiff', '.webp', '.pgm', '.ppm', '.gif', '.jpg', '.jpeg')
RARE = ('.gif', '.jpg', '.jpeg')  # beside other masks, such files are frames, overviews or animations
MOST_LINES = 3  # lines for a fault that several frames of a sequence share


def masks_in(folder: Path, notices: Notices | None = None) -> dict[str, str]:
    """Return stem -> path of the masks in a folder, without hidden files.

    JPEG and GIF files are masks only if there are no others. If two files have the same stem, the one whose suffix
    comes first in :data:`SUFFIXES` is used.

    Args:
        folder: folder to search, without its subfolders.
        notices: receives a sentence if files were left out.
    """
    files = [path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and not path.name.startswith('.')]
    usual = [path for path in files if path.suffix.lower() not in RARE]
    found: dict[str, Path] = {}
    for path in sorted(usual or files, key=lambda path: (SUFFIXES.index(path.suffix.lower()), path.name)):
        found.setdefault(path.stem, path)
    left_out = sorted({*files} - {*found.values()})
    if left_out and notices is not None:
        notices.add(f'{folder} holds {len(left_out)} image(s) beside the masks, {left_out[0].name} first; the masks '
                    f'were taken to be the {"/".join(sorted({path.suffix for path in found.values()}))} files. Move '
                    'files that are not masks to another folder')
    return {stem: str(path) for stem, path in sorted(found.items())}


def has_gaps(stems: Iterable[str]) -> bool:
    """Return True if the numbers in the names have gaps, that is, if some frames have no annotation."""
    numbers = sorted(_by_number(stems))
    return len(numbers) > 1 and numbers[-1] - numbers[0] >= len(numbers)


def paired(gt: Mapping[str, str], pred: Mapping[str, str], *, sequence: str = '', notices: Notices | None = None
           ) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Match the masks of one sequence.

    Two masks belong together if they have the same name. If names differ, masks are matched by their numbers, provided
    that each number of the ground truth occurs in the prediction. Masks that only the prediction has belong to frames
    without annotation.

    Args:
        gt: stem -> path of the ground truth.
        pred: stem -> path of the prediction.
        sequence: name of the sequence, for notices.
        notices: receives a sentence if names differ, or a prediction has no annotation.

    Returns:
        ``{stem: (path of the ground truth, path of the prediction)}`` in the order of the frames; and the faults, as
        texts.
    """
    notices = Notices('sequence') if notices is None else notices
    order = sorted(gt, key=natural_key)
    missing = [stem for stem in order if stem not in pred]
    if not missing:
        partner = {stem: stem for stem in order}
    elif partner := _partners_by_number(gt, pred):
        stem = order[0]
        notices.add(f'has other names in the prediction; masks were matched by the number in their names, '
                    f'{Path(gt[stem]).name} with {Path(pred[partner[stem]]).name} and so on', file=sequence)
    more = sorted(pred.keys() - {*(partner or order).values()} if partner else pred.keys() - gt.keys(), key=natural_key)
    if partner:
        if more:
            notices.add(f'has {len(more)} prediction(s) of frames without annotation, which were not scored; the first '
                        f'is {more[0]}', file=sequence)
        return {stem: (gt[stem], pred[partner[stem]]) for stem in order}, []
    hint = _hint(order, sorted(pred, key=natural_key))
    faults = _lines(missing, lambda stem: f'mask {stem} is missing in the prediction',
                    f'{len(missing)} of {len(gt)} masks are missing in the prediction', hint)
    faults += _lines(more, lambda stem: f'mask {stem} is in the prediction, but not in the ground truth',
                     f'{len(more)} masks are in the prediction, but not in the ground truth')
    return {stem: (gt[stem], pred[stem]) for stem in order if stem in pred}, faults


def faults_of_files(pairs: Mapping[str, tuple[str, str]]) -> list[str]:
    """Return the faults of :func:`paired` masks of one sequence that their headers show, as sorted texts."""
    faults, resized, first_size = [], [], None
    for stem, paths in pairs.items():
        try:
            sizes = [mask_size(path) for path in paths]
        except (OSError, ValueError) as error:
            faults.append(f'mask {stem}: {error}')
            continue
        first_size = first_size or sizes[0]
        if sizes[0] != sizes[1]:
            turned = ', turned by 90 degrees' if sizes[0] == sizes[1][::-1] else ''
            resized.append(f'mask {stem} is {_text(sizes[1])} in the prediction, {_text(sizes[0])} in the ground truth'
                           f'{turned}')
        elif sizes[0] != first_size:
            faults.append(f'mask {stem} is {_text(sizes[0])}, but the first mask is {_text(first_size)}')
    if resized:
        more = f', and {len(resized) - 1} more' if len(resized) > 1 else ''
        faults.append(f'{resized[0]}{more}: predict at the size of the annotations, or resize the predictions to it '
                      'with nearest neighbours')
    return sorted(faults)


def faults_of_number(number: int, *, last_counts: bool = False) -> list[str]:
    """Return a fault if ``number`` annotations are so few that none counts; ``last_counts``: the last one does."""
    if number >= (2 if last_counts else 3):
        return []
    counted = 'as the first does not count' if last_counts else 'as the first and the last do not count'
    return [f'{number} mask(s); {counted}, at least {"two" if last_counts else "three"} are needed']


def mask_size(path: str) -> tuple:
    """Return (H, W) of a mask file, from its header.

    Raises:
        OSError: if the file does not exist or is not an image.
        ValueError: if a ``.npy`` file holds no array.
    """
    if Path(path).suffix.lower() == '.npy':
        return np.load(path, mmap_mode='r', allow_pickle=False).shape[:2]
    return image_size(path)


def _numbers(stem: str) -> list[int]:
    return [int(digits) for digits in re.findall('[0-9]+', stem)]


def _by_number(stems: Iterable[str]) -> dict[int, str]:
    """Return number -> stem by the last number in the names that differs between all of them; empty if none does."""
    stems = list(stems)
    columns = zip(*(_numbers(stem)[::-1] for stem in stems), strict=False)
    return next((dict(zip(column, stems, strict=True)) for column in columns if len({*column}) == len(stems)), {})


def _partners_by_number(gt: Iterable[str], pred: Iterable[str]) -> dict[str, str]:
    gt_numbers, pred_numbers = _by_number(gt), _by_number(pred)
    if not gt_numbers or not gt_numbers.keys() <= pred_numbers.keys():
        return {}
    return {stem: pred_numbers[number] for number, stem in gt_numbers.items()}


def _hint(gt: list[str], pred: list[str]) -> str:
    """Return the likely reason why names differ, if the names show it."""
    if {*pred} < {*gt}:
        return '; were --gt and --pred swapped?' if 2 * len(pred) <= len(gt) else ''
    numbers, others = sorted(_by_number(gt)), sorted(_by_number(pred))
    hint = f': the ground truth has {gt[0]} to {gt[-1]}, the prediction {pred[0]} to {pred[-1]}'
    if numbers and len(numbers) == len(others) and numbers != others:
        offset = others[0] - numbers[0]
        if others == [number + offset for number in numbers]:
            hint += (f'; if {pred[0]} belongs to the frame of {gt[0]}, numbered from {others[0]} instead of '
                     f'{numbers[0]}, rename the predictions')
    return hint


def _lines(stems: list[str], line: Callable[[str], str], together: str, hint: str = '') -> list[str]:
    """Return one line per stem, or a single line if there are many. The hint is added to the first line."""
    if len(stems) > MOST_LINES:
        return [f'{together} ({", ".join(stems[:MOST_LINES])}, ...){hint}']
    return [line(stem) + (hint if i == 0 else '') for i, stem in enumerate(stems)]


def _text(size: tuple) -> str:
    return f'{size[0]}x{size[1]}'
