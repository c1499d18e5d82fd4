"""Combines a frame source with its given masks and keeps the frames that are needed a second time.

A source may be readable only once and only forwards, so these frames are stored on disk. ``VOSInferencer`` uses this.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from tempseg_mm.ops.resize import Size, resize_image, target_size
from tempseg_mm.runtime.notices import Notices
from tempseg_mm.visualization.exporters import write_indexed_png

from .frame_names import FrameNames
from .frame_source import FrameSource, SourceFrame
from .given_masks import read_given_masks
from .given_sequence import GivenSequence
from .ground_truth import GroundTruth
from .mask_files import Labels, MaskReader
from .selection import parse_box, select_object
from .spool import FrameSpool


class Inputs(GivenSequence):
    """The frames of a source with its given masks, as :class:`InputReader` found them.

    Args:
        source: source of the frames.
        size: (H, W) of the frames.
        ground_truth: masks to score against.
        ends: whether an object ends where a later mask does not show it.

    Attributes:
        notices: facts for the user about how source and masks were read.
        reader: reader of the given masks; it knows which object each colour is.
        labels: frame number -> given mask, (H, W) uint8 object ids.
        images: frame number -> picture of the frame, (H, W, 3) uint8 RGB, for frames with a given mask.
        spool: stored frames, from the first frame on, in the working size or the original size; ``None`` if none are
            stored.
        names: file names of the frames in the spool.
        rest: iterator of the frames after the spool, if the source cannot be read again; else ``None``.
    """

    def __init__(self, source: FrameSource, size: tuple, *, ground_truth: GroundTruth | None = None,
                 ends: bool = False) -> None:
        self.source, self._size, self.ground_truth, self.ends = source, size, ground_truth, ends
        self.notices = source.notices
        self.name, self.start, self.num_frames = source.name, source.start, source.num_frames
        self.reader = MaskReader(self.notices)
        self.labels, self.images = {}, {}
        self.spool: FrameSpool | None = None
        self.names: list = []
        self.rest: Iterator | None = None

    @property
    def size(self) -> tuple:
        return self._size

    @property
    def object_names(self) -> dict[int, str]:
        """Object id -> name of the object; '' if the masks do not name it."""
        return {i: self.reader.names.titles.get(i, '') for i in self.object_ids}

    def frames(self) -> Iterator[SourceFrame]:
        """Yield all frames in order, in their original size; only once if the source is not rewindable."""
        if self.rest is None:
            yield from self.source.frames()
            return
        for i, name in enumerate(self.names):
            yield SourceFrame(self.source.start + i, name, self.spool.read(i))
        yield from self.rest

    def given_image(self, frame_id: int) -> np.ndarray:
        return self.images[frame_id]

    def earlier(self, frame_id: int) -> SourceFrame:
        i = frame_id - self.start
        return SourceFrame(frame_id, self.names[i], self.spool.read(i))

    def truth(self, frame: SourceFrame) -> Labels | None:
        return None if self.ground_truth is None else self.ground_truth.labels(frame)


class InputReader:
    """Reads a source up to its last frame with a given mask or box.

    Args:
        source: source of the frames.
        masks: see :func:`~tempseg_mm.sources.given_masks.read_given_masks`; ``None``: only boxes are given.
        boxes: ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'``, or tuples (x, y, w, h). Each box is one object, and GrabCut makes
            its mask. A box without a frame is for the first frame.
        resize_mask: resize masks to the size of the frames.
        ground_truth: masks to score against.
        ends: whether an object ends where a later mask does not show it; else the network continues it.

    Raises:
        ValueError: if neither a mask nor a box is given, or a box cannot be read.
    """

    def __init__(self, source: FrameSource, masks: object = None, boxes: Sequence = (), *, resize_mask: bool = False,
                 ground_truth: GroundTruth | None = None, ends: bool = False) -> None:
        if masks is None and not len(boxes):
            raise ValueError('a mask or a box is needed to show what to follow: --mask FILE or --box x,y,w,h')
        self.source = source
        self.masks = masks
        self.names = FrameNames.of(source)
        if source.start and self.names.numbers_differ(source.start):
            source.notices.add(f'frames are counted from 0, whatever their names say: --start {source.start} is '
                               f'{self.names.name(source.start)}')
        self.boxes = [placed_box(box, self.names, source.notices) for box in boxes]
        self.resize_mask, self.ground_truth, self.ends = resize_mask, ground_truth, ends

    def read(self, stack: ExitStack, *, working_size: Size = None, whole: bool = False,
             given_dir: str | Path | None = None) -> Inputs:
        """Read and check all masks and boxes, and store the frames that are needed a second time.

        Args:
            stack: closes the spool later.
            working_size: size of the stored frames, see :func:`~tempseg_mm.ops.resize.target_size`.
            whole: store them in their original size instead.
            given_dir: folder for masks made from boxes, for a person to inspect and correct; ``None``: write none.

        Raises:
            OSError, ValueError: if the source, ``read_given_masks`` or ``select_object`` refuses its input, or a mask
                or box is for a frame that does not exist.
        """
        frames = self.source.frames()
        first = next(frames)
        inputs = Inputs(self.source, first.image.shape[:2], ground_truth=self.ground_truth, ends=self.ends)
        if self.masks is not None:
            given = read_given_masks(self.masks, inputs.size, names=self.names, resize=self.resize_mask, ends=self.ends,
                                     turned=getattr(self.source, 'is_turned', False), reader=inputs.reader)
            inputs.labels = {mask.frame_id: mask.labels for mask in given}
        wanted = {*inputs.labels, *(frame_id for _, frame_id in self.boxes)}
        self._require_within(wanted)
        last = max(wanted)
        put_aside_to = min(wanted) - 1 if self.source.rewindable else last
        shape = inputs.size if whole or not self.source.rewindable else target_size(working_size, inputs.size)
        if put_aside_to >= self.source.start:
            inputs.spool = stack.enter_context(FrameSpool())
        names = {}
        frame: SourceFrame | None = first
        while frame is not None:
            if frame.frame_id <= put_aside_to:
                inputs.spool.append(resize_image(frame.image, shape))
                inputs.names.append(frame.file_name)
            if frame.frame_id in wanted:
                inputs.images[frame.frame_id], names[frame.frame_id] = frame.image, frame.file_name
            if frame.frame_id == last:
                break
            ended, frame = frame.frame_id, next(frames, None)
        else:
            raise ValueError(f'a mask or box is given for frame {last}, but {self.source.name} ended after frame '
                             f'{ended}')
        if self.source.rewindable:
            frames.close()
        else:
            inputs.rest = frames
        self._add_boxes(inputs, names, given_dir)
        if self.ground_truth is not None:
            self.ground_truth.reader = inputs.reader.companion()
        _tell_unmentioned(inputs)
        return inputs

    def _require_within(self, wanted: set) -> None:
        start, count = self.source.start, self.source.num_frames
        wrong = [i for i in sorted(wanted) if i < start or count is not None and i >= start + count]
        if wrong:
            end = '' if count is None else f' to {start + count - 1}'
            raise ValueError(f'a mask or box is given for frame {wrong[0]}, but the frames to segment are {start}{end}')

    def _add_boxes(self, inputs: Inputs, names: dict, given_dir: str | Path | None) -> None:
        """Add one object per box. Ids follow those of the masks; a box takes no pixel from another object."""
        largest = max(inputs.object_ids, default=0)
        if largest + len(self.boxes) > 255:
            raise ValueError(f'there may be at most 255 objects; the masks hold ids up to {largest}, and '
                             f'{len(self.boxes)} boxes add more')
        for object_id, (box, frame_id) in enumerate(self.boxes, largest + 1):
            mask = select_object(inputs.images[frame_id], box=box)
            labels = inputs.labels.get(frame_id, np.zeros(inputs.size, np.uint8))
            inputs.labels[frame_id] = np.where((labels == 0) & (mask > 0), object_id, labels).astype(np.uint8)
            if not (inputs.labels[frame_id] == object_id).any():
                raise ValueError(f'the object in box {box} of frame {frame_id} lies within objects that are already '
                                 'given: leave the box out, or correct the masks')
            inputs.reader.names.add_numbers([object_id])
        for frame_id in sorted({frame_id for _, frame_id in self.boxes}) if given_dir else ():
            write_indexed_png(Path(given_dir) / f'{names[frame_id]}.png', inputs.labels[frame_id],
                              inputs.reader.names.saved_palette())


def placed_box(box: object, names: FrameNames, notices: Notices) -> tuple[tuple, int]:
    """Parse a box and find its frame.

    Args:
        box: ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'`` with the number or the name of a frame; or a tuple (x, y, w, h).
            Without a frame it is for the first frame.
        names: names of the frames.
        notices: receives the chosen frame if it is not obvious.

    Returns:
        (x, y, w, h) in pixels, and the number of the frame.

    Raises:
        ValueError: if ``box`` is no box, or its frame does not exist.
    """
    if not isinstance(box, str):
        return tuple(box), names.start
    place, at, frame = box.partition('@')
    corners, _ = parse_box(place)
    frame_id, note = names.place(f'box {box}', frame.strip() if at else None, None)
    if note:
        notices.add(note)
    return corners, names.start if frame_id is None else frame_id


def _tell_unmentioned(inputs: Inputs) -> None:
    """Add a notice for each later mask that does not show all earlier objects."""
    shown: set = set()
    for frame_id in sorted(inputs.labels):
        here = {int(i) for i in np.unique(inputs.labels[frame_id])} - {0}
        if missing := sorted(shown - here):
            one = len(missing) == 1
            what = f'object{"" if one else "s"} {", ".join(map(str, missing))}'
            inputs.notices.add(f'the mask given for frame {frame_id} does not show {what}, which ' + (
                f'end{"s" * one} there because of --ends (ends=True)' if inputs.ends else
                f'{"is" if one else "are"} still followed: --ends (ends=True) ends such objects there'))
        shown = here if inputs.ends else shown | here
