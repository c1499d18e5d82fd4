"""Segments a single sequence from any video and its masks: the main entry of the Python API."""

import os
import shutil
import zlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from mmengine.config import Config

from tempseg_mm.apis.session.files import SessionFiles
from tempseg_mm.apis.session.result import can_be_corrected, give_masks, keep_session, write_result
from tempseg_mm.apis.session.session import Session
from tempseg_mm.inference.resume import RunState
from tempseg_mm.ops.resize import Size
from tempseg_mm.sources.frame_names import FrameNames
from tempseg_mm.sources.given_frames import mask_paths
from tempseg_mm.sources.ground_truth import GroundTruth
from tempseg_mm.sources.inputs import InputReader, Inputs
from tempseg_mm.sources.open_source import open_source

from .display import OnProgress, Window, silent
from .exports import DEFAULT_FPS, export_kinds, export_result, require_second_reading
from .loading import default_config, find_config, load_segmenter
from .object_stream import ObjectStream
from .output import OutputFolder, SegmentationResult, default_folder
from .sequence_run import SequenceRun, Wishes

NO_CHANGE = ('threads',)  # settings that may change when a call is resumed


class VOSInferencer:
    """Follows objects through a sequence from masks of one or more of its frames.

    ::

        inferencer = VOSInferencer()  # or with your own config and checkpoint
        result = inferencer('dog.mp4', 'dog_first_frame.png', out_dir='out')
        print(result.paths['overlay'], result.timings['frames_per_s'])

    The network is built once and serves any number of calls. Each call fine-tunes one copy of the generator per object,
    which carries the mask of its object from frame to frame. Time and memory grow with the number of objects; memory
    does not grow with the length of the sequence.

    Args:
        config: config of a test: a ``Config``, a dict, or a file relative to the working folder or to the project's
            folder. ``None``: see :func:`~tempseg_mm.apis.inferencer.loading.default_config`.
        checkpoint: checkpoint of a training, or a generator alone; ``'newest'``, a folder or ``'none'`` as in
            ``tempseg-test``. ``None``: the file that the config names, if it exists (the default config names the
            weights that come with the project), else weights from scratch.
        device: such as ``'cpu'``; ``None`` for the GPU if there is one.
        steps: fine-tuning steps per object; below 1, a share of the config's steps (``1 / 2`` is ``--fast``); ``None``
            for the config's steps.
        size: working size, such as 240 for the shorter side in pixels; ``None`` for the config's size.
        tta: use test-time augmentation, for the frames that are fine-tuned on and for predictions.
        crf: refine masks with the dense CRF even if the config does not.
        seed: seed of all random draws.
        cfg_options: overrides of the config, by dotted key.

    Raises:
        FileNotFoundError: if there is no such config or checkpoint.
        ValueError: if the weights have another architecture than the config, or a setting is out of range.
    """

    def __init__(self, config: str | os.PathLike | dict | Config | None = None, checkpoint: str | None = None,
                 device: str | None = None, *, steps: float | None = None, size: Size = None, tta: bool = False,
                 crf: bool = False, seed: int = 0, cfg_options: dict | None = None) -> None:
        self.cfg = default_config(checkpoint, cfg_options) if config is None else find_config(config, cfg_options)
        self.loaded = load_segmenter(self.cfg, checkpoint, device, steps=steps, size=size, tta=tta, crf=crf, seed=seed)
        self.segmenter = self.loaded.segmenter

    def __call__(self, video: object, masks: object = None, *, boxes: Sequence = (), out_dir: str | Path | None = None,
                 start: int = 0, end: int | None = None, fps: float | None = None,
                 ground_truth: str | Path | Sequence | Mapping | None = None, gif: bool = False, show: bool = False,
                 resume: bool = False, overwrite: bool = False, resize_mask: bool = False, resize_frames: bool = False,
                 ends: bool = False, pictures: bool = True, exports: str | Iterable[str] = (),
                 on_progress: OnProgress = silent) -> SegmentationResult:
        """Segment a sequence and write the results to a folder.

        Frames before the first given mask are segmented backwards from it. On a given frame, the given mask is the
        result for the objects that it shows, and they continue from it; other objects continue as they were, unless
        ``ends`` is set. An object that first appears in a later mask is followed from there.

        Args:
            video: a video file, a folder of frames, a pattern, the number of a camera, or arrays, see ``open_source``.
            masks: paths (images, COCO JSON) or arrays, for one or more frames; objects differ by value. See
                ``read_given_masks``.
            boxes: ``'x,y,w,h'`` or ``'x,y,w,h@FRAME'``, each around its own object.
            out_dir: result folder; default: see :func:`~tempseg_mm.apis.inferencer.output.default_folder`.
            start: first frame.
            end: frame to stop before; ``None`` for all.
            fps: frames per second of the overlay; default: the rate of the source, else 24.
            ground_truth: masks to score against, see ``GroundTruth``.
            gif: also write an animation, made from the overlay.
            show: show the overlay in a window; q stops.
            resume: continue an interrupted call; the masks equal those of an uninterrupted call, bit for bit.
            overwrite: replace the results of an earlier call.
            resize_mask: resize masks of another size to the size of the frames.
            resize_frames: resize frames of another size to the size of the first frame.
            ends: an object that a later mask does not show ends there; else it continues.
            pictures: write overlay and page; without them, a small network is several times as fast.
            exports: kinds of export, by name or ``'all'``, see :data:`~tempseg_mm.apis.inferencer.exports.EXPORTS`.
            on_progress: called with the stage (``'fine-tuning'``, ``'backwards'``, ``'forwards'``, ``'exporting'``),
                steps done and steps in all (``None`` if not known).

        Raises:
            OSError: if a file cannot be read or written, ``out_dir`` holds results already, or another run writes
                there.
            ValueError: if masks, frames and settings do not fit together; the message names them and the way out.
            KeyboardInterrupt: passed on; finished masks are complete, and ``resume=True`` continues after them.
        """
        if gif and not pictures:
            raise ValueError('the animation is made from the overlay: leave pictures on, or switch gif off')
        exports = export_kinds(exports)
        with ExitStack() as stack:
            show_frame = stack.enter_context(Window('tempseg_mm')).show if show else None
            reading = dict(fps=fps, resize_frames=resize_frames,
                           masks=[os.path.abspath(path) for path in mask_paths(masks)])
            source = stack.enter_context(open_source(video, start=start, end=end, **reading))
            if exports:
                require_second_reading(source)
            out = OutputFolder(out_dir or default_folder(video))
            stack.enter_context(out.held())
            out.claim(resume=resume, overwrite=overwrite)
            truth = None if ground_truth is None else GroundTruth(ground_truth, names=FrameNames.of(source),
                                                                  notices=source.notices)
            boxes = [boxes] if isinstance(boxes, str) else list(boxes or ())
            reader = InputReader(source, masks, boxes, resize_mask=resize_mask, ground_truth=truth, ends=ends)
            # Refiners look at the pixels of all frames, also on the walk backwards.
            inputs = reader.read(stack, working_size=self.segmenter.seen_size, whole=bool(self.segmenter.refiners),
                                 given_dir=out.given)
            settings = dict(self._settings(video, inputs), end=end, fps=source.fps)
            correctable = can_be_corrected(video, source)
            state = RunState(out.resume, self._decisive(inputs), frames=source.digests(),
                             adapted=SessionFiles(out).adapted if correctable else None)
            if overwrite:
                out.clear()
            elif resume:
                state.load()
            state.begin()
            wishes = Wishes(gif, pictures, show_frame, on_progress)
            run = SequenceRun(self.loaded, inputs, out, state, wishes)
            result = run.run(settings)
            if correctable:
                keep_session(video, run, self.loaded, result, reading)
            if exports:
                result.exports = export_result(exports, source, out, fps=DEFAULT_FPS, on_progress=on_progress,
                                               object_names=inputs.object_names)
                result.write()
            return result

    def correct(self, video: object, masks: object = None, *, boxes: Sequence = (), out_dir: str | Path | None = None,
                ground_truth: str | Path | Sequence | Mapping | None = None, gif: bool = False, pictures: bool = True,
                resize_mask: bool = False, ends: bool = False, exports: Iterable[str] = (),
                on_progress: OnProgress = silent) -> SegmentationResult:
        """Correct the result of an earlier call with masks of more frames.

        The adapted generators learn from these masks for half of the steps. Only the frames that follow each new mask,
        up to the next given mask, are segmented again.

        Args:
            video: video of that call.
            masks: masks of frames that were wrong; objects that they do not show stay as they were found.
            boxes: boxes around further objects to follow.
            out_dir: result folder of that call.
            ground_truth, gif, pictures, resize_mask, ends, exports, on_progress: as in a call; earlier exports are
                removed.

        Returns:
            The whole result, written again.

        Raises:
            FileNotFoundError: if the folder has no result that can be corrected.
            OSError, ValueError: as in a call.
        """
        exports, folder = export_kinds(exports), out_dir or default_folder(video)
        if not SessionFiles(OutputFolder(folder)).exists:
            raise FileNotFoundError(f'{folder} has no result to correct: it needs a finished result of a video '
                                    'file or a folder of frames. Segment the video first, without --correct')
        with Session.open(self.loaded, video, folder, masks=mask_paths(masks)) as session:
            boxes = [boxes] if isinstance(boxes, str) else list(boxes or ())
            frame_ids, notices = give_masks(session, masks, boxes, resize=resize_mask, ends=ends)
            for _ in session.go_on(frame_ids, on_progress):
                """The session keeps what comes."""
            out = session.files.out
            shutil.rmtree(out.exports, ignore_errors=True)
            result = write_result(session, Wishes(gif, pictures, None, on_progress), ground_truth=ground_truth)
            result.notices += notices
            if exports:
                result.exports = export_result(exports, session.source, out, fps=DEFAULT_FPS,
                                               object_names=session.objects, on_progress=on_progress)
            result.write()
            return result

    def stream(self, first_frames: np.ndarray | Sequence[np.ndarray], masks: object, *, ends: bool = False,
               on_progress: OnProgress = silent) -> ObjectStream:
        """Fine-tune on the first frames, then segment frame by frame; nothing is written. See ``ObjectStream``."""
        return ObjectStream(self.segmenter, first_frames, masks, ends=ends, on_progress=on_progress)

    def _settings(self, video: object, inputs: Inputs) -> dict:
        named = os.fspath(video) if isinstance(video, (str, os.PathLike)) else inputs.source.name
        return dict(video=named, start=inputs.source.start, given_frames=sorted(inputs.labels),
                    objects=list(inputs.object_ids), frame_size=list(inputs.size), **self.loaded.settings)

    def _decisive(self, inputs: Inputs) -> dict:
        """Return everything that determines the masks."""
        settings = {name: value for name, value in self.loaded.settings.items() if name not in NO_CHANGE}
        return dict(
            sequence=inputs.source.name, start=inputs.source.start, ends=inputs.ends, frame_size=list(inputs.size),
            given_masks={i: _digest(labels) for i, labels in sorted(inputs.labels.items())},
            given_frames={i: _digest(image) for i, image in sorted(inputs.images.items())}, **settings)


def _digest(array: np.ndarray) -> str:
    return f'{zlib.crc32(np.ascontiguousarray(array)):08x}'
