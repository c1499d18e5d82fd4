"""Packs the masks of a test for a benchmark's server as an archive, and writes them as COCO JSON."""

import os.path as osp
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.dist import master_only
from mmengine.hooks import Hook

from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.sources.stored_mask import decode_mask
from tempseg_mm.visualization.coco_writer import coco_file, require_pycocotools

from .result_hook import mask_file

EARLIEST = (1980, 1, 1, 0, 0, 0)  # the earliest time of an archive, so that the same masks give the same bytes
FILES = dict(zip='submission.zip', coco='coco.json')
CATEGORY = 'object'  # data sets for video object segmentation have no classes


@HOOKS.register_module()
class SubmissionHook(Hook):
    """Packs the masks that ``ResultHook`` wrote, after all sequences, into the folder of the test.

    - ``submission.zip``: the mask files, under the names that the data set's ``SUBMISSION`` states. Only frames in
      ``VOSSequence.asked`` are packed, if a sequence has such a list.
    - ``coco.json``: every frame and mask of all sequences, see
      :class:`~tempseg_mm.visualization.coco_writer.CocoWriter`.

    The main process packs the masks that all processes wrote, in this run or in an earlier one that is resumed.

    Args:
        formats: ``'zip'``, ``'coco'`` or both.

    Raises:
        ValueError: if a format is unknown or none is given; from ``before_test``, if frames that the server asks for
            are missing, or if two masks have the same name.
        ImportError: from ``before_test``, for COCO JSON without pycocotools.
        FileNotFoundError: after the test, if a mask was not written.
    """

    def __init__(self, formats: Sequence[str] = ('zip',)) -> None:
        formats = [formats] if isinstance(formats, str) else list(formats)
        if not formats or not {*formats} <= {*FILES}:
            raise ValueError(f'the format of a submission must be {" or ".join(FILES)}, or both; got '
                             f'{", ".join(map(repr, formats)) or "none"}')
        self.formats = list(dict.fromkeys(formats))

    def before_test(self, runner) -> None:
        self._dataset, self._out_dir = runner.test_loop.dataloader.dataset, runner.test_loop.out_dir
        if 'coco' in self.formats:
            require_pycocotools()
        self._places = _places(self._dataset) if 'zip' in self.formats else {}

    @master_only
    def after_test_epoch(self, runner, metrics: dict | None = None) -> None:
        for name in self.formats:
            path = osp.join(self._out_dir, FILES[name])
            dict(zip=self._write_zip, coco=self._write_coco)[name](path)
            runner.test_loop.written[FILES[name]] = path
        count, whole = len(self._dataset), len(self._dataset.split_names())
        if self._places and count < whole:
            runner.logger.warning(f'{FILES["zip"]} holds {count} of the {whole} sequences of the split, but servers '
                                  'accept only whole splits: leave --sequences out')

    def _write_zip(self, path: str) -> None:
        with written_beside(path) as beside, zipfile.ZipFile(beside, 'w', zipfile.ZIP_DEFLATED) as archive:
            for place, (sequence, i) in self._places.items():
                entry = zipfile.ZipInfo(place, EARLIEST)
                entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
                archive.writestr(entry, self._mask(sequence, i).read_bytes())

    def _write_coco(self, path: str) -> None:
        with coco_file(path) as coco:
            for sequence, i in _frames(self._dataset):
                labels = decode_mask(self._mask(sequence, i)).pixels
                coco.add(f'{sequence.name}/{osp.basename(sequence.frame_paths[i])}', labels,
                         dict.fromkeys(range(256), CATEGORY), frame_id=i, sequence=sequence.name)

    def _mask(self, sequence: VOSSequence, i: int) -> Path:
        path = mask_file(self._out_dir, sequence.name, sequence.file_name(i))
        if not path.is_file():
            raise FileNotFoundError(f'{path} is missing, so no submission can be written. Test again with --resume: '
                                    'this repeats the sequence')
        return path


def _frames(dataset: VOSDataset) -> Iterator[tuple[VOSSequence, int]]:
    """Yield every frame of a test, in order."""
    for sequence in (dataset[index]['sequence'] for index in range(len(dataset))):
        yield from ((sequence, i) for i in range(len(sequence)))


def _places(dataset: VOSDataset) -> dict[str, tuple[VOSSequence, int]]:
    """Return name in the archive -> the frame whose mask gets this name."""
    found: dict = {}
    asked = {sequence.name: set(sequence.asked or ()) for sequence, _ in _frames(dataset)}
    for sequence, i in _frames(dataset):
        name = sequence.file_name(i)
        if sequence.asked is not None and name not in sequence.asked:
            continue
        asked[sequence.name].discard(name)
        place = dataset.SUBMISSION.format(sequence=sequence.name, frame=name)
        if place in found:
            raise ValueError(f'two masks would have the name {place} in the archive: SUBMISSION of '
                             f'{type(dataset).__name__} is {dataset.SUBMISSION!r}, but must contain {{sequence}} and '
                             '{frame}')
        found[place] = sequence, i
    if lacking := {name: sorted(names) for name, names in asked.items() if names}:
        name, names = next(iter(lacking.items()))
        raise ValueError(f'frames that the server asks for are missing: {names[0]} of {name} ({len(names)} of this '
                         f'sequence, {len(lacking)} sequence(s) in all). Unpack the frames of the data set again')
    return found
