"""Manages the result folder of a call: what is written where, what may be replaced, and ``result.json``."""

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from numbers import Integral
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.sources.stored_mask import decode_mask
from tempseg_mm.sources.unreadable import read_as

DEFAULT_OUT = 'work_dirs/segment_video'


def default_folder(video: object) -> Path:
    """Return the default result folder of a video, such as ``work_dirs/segment_video/dog-1f9ac2``.

    The digits depend on the location of the video (links resolved), so that ``a/dog.mp4`` and ``b/dog.mp4`` have
    different folders and ``--resume`` finds the earlier one. A camera is named by its number; arrays are called
    ``frames``.

    Args:
        video: any video that ``open_source`` accepts.
    """
    if isinstance(video, Integral) or isinstance(video, str) and video.isdecimal() and not os.path.exists(video):
        return Path(DEFAULT_OUT, f'camera{video}')
    paths = [video] if isinstance(video, str | os.PathLike) else list(video) if isinstance(video, list | tuple) else []
    if not paths or not all(isinstance(path, str | os.PathLike) for path in paths):
        return Path(DEFAULT_OUT, 'frames')
    first = Path(paths[0]).absolute()
    if len(paths) > 1 or not first.exists():  # a pattern or a list: named after its folder
        name = next(folder.name for folder in first.parents if not set(folder.name) & set('*?['))
    else:
        name = first.resolve().name if first.is_dir() else first.stem
    places = '\0'.join(map(os.path.realpath, paths)).encode('utf-8', 'surrogateescape')
    return Path(DEFAULT_OUT, f'{name or "video"}-{hashlib.blake2b(places, digest_size=3).hexdigest()}')


class OutputFolder:
    """The files of one segmented sequence.

    Args:
        root: the folder; it is created when something is written.

    Attributes:
        masks: folder of indexed PNG files, one per frame.
        given: folder of given masks.
        exports: folder of exports, see :mod:`~tempseg_mm.apis.inferencer.exports`.
        overlay, gif, report, result: paths of the files.
        resume: folder of the state that an interrupted call leaves.
        session: folder of the state that corrections continue from, see ``SessionFiles``.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.masks, self.given = self.root / 'masks', self.root / 'given'
        self.exports = self.root / 'exports'
        self.overlay, self.gif = self.root / 'overlay.webm', self.root / 'overlay.gif'
        self.report, self.result = self.root / 'report.html', self.root / 'result.json'
        self.resume, self.session = self.root / '.resume', self.root / '.session'

    def held(self) -> AbstractContextManager:
        """Lock the folder, so that no other run writes to it. Enter it before any other use of the folder.

        Raises:
            FileExistsError: if a file is in the place of the folder.
            InUseError: if another run holds the folder.
        """
        if self.root.exists() and not self.root.is_dir():
            raise FileExistsError(f'{self.root} is a file; --out must name a folder')
        return locked(self.root, option='--out')

    def claim(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Check that no earlier result is overwritten by mistake.

        Args:
            resume: continue an interrupted call.
            overwrite: allow :meth:`clear` to remove the results of an earlier call.

        Raises:
            ValueError: if both are set, or ``resume`` is set and the result is finished.
            FileExistsError: if there are results, or with ``overwrite``, if another program wrote the masks.
        """
        if resume and overwrite:
            raise ValueError('--resume continues the earlier run, --overwrite removes it: choose one of them')
        if resume and self.result.exists() and not self.resume.exists():
            raise ValueError(f'there is nothing to resume: {self.root} is finished. --overwrite segments it again; '
                             '--export without --mask and --box exports the result')
        if overwrite:
            self._require_own_results()
            return
        held = [path for path in (self.result, self.resume, self.masks, self.overlay) if path.exists()]
        if held and not (resume and self.resume.exists()):
            unfinished = 'an interrupted run' if self.resume.exists() else 'results'
            ways = ('--resume continues it, --overwrite starts again' if self.resume.exists()
                    else '--overwrite replaces them')
            raise FileExistsError(f'{self.root} holds {unfinished} ({held[0].name}): {ways}, another --out keeps them')

    def mask_file(self, file_name: str) -> Path:
        """Return the path of the mask of a frame."""
        return inside(self.root, self.masks.name, f'{file_name}.png')

    def read_mask(self, file_name: str) -> np.ndarray:
        """Read the (H, W) uint8 object ids of a frame that was written.

        Raises:
            FileNotFoundError: if the mask is missing.
        """
        with read_as('result'):
            return decode_mask(self.mask_file(file_name)).pixels

    def clear(self) -> None:
        """Remove the results of an earlier call; ``given`` and files of other origin stay. First read the inputs: a
        mask to correct with may be one of the results.
        """
        for path in (self.result, self.overlay, self.gif, self.report):
            path.unlink(missing_ok=True)
        for folder in (self.masks, self.resume, self.session, self.exports):
            shutil.rmtree(folder, ignore_errors=True)

    def _require_own_results(self) -> None:
        if self.masks.exists() and not any(own.exists() for own in (self.result, self.resume, self.session)):
            raise FileExistsError(f'{self.masks} was not written by this tool (no {self.result.name} beside it), so it '
                                  'is not overwritten: choose another --out')


@dataclass
class SegmentationResult:
    """Paths and figures of a segmented sequence.

    Attributes:
        masks_dir: folder of indexed PNG files, one per frame.
        result_json: file with everything listed here.
        overlay: WebM video that browsers play; ``None`` if no pictures were requested.
        report: HTML page; ``None`` if no pictures were requested.
        gif: animation; ``None`` if it was not requested.
        given: folder of given masks, at least of those made from boxes; ``None`` if there are none.
        exports: kind of export -> its file or folder.
        records: one ``FrameRecord`` per frame.
        finetune_losses: object id -> loss before each fine-tuning step.
        finetune_fit: object id -> ``GivenFit``, the IoU on the given frames before and after; no entry without a step.
        timings: seconds of ``finetune``, each stage (stages overlap) and ``total``; ``frames_per_s`` of the walk.
        mean_j: object id -> mean J; empty without ground truth.
        notices: sentences for the user.
        lost: one ``LostSpan`` for each range of frames in which an object was probably lost.
        settings: settings that determine the masks, and others such as the path of the video.
        versions: versions of the packages involved.
    """
    masks_dir: Path
    result_json: Path
    overlay: Path | None = None
    report: Path | None = None
    gif: Path | None = None
    given: Path | None = None
    exports: dict = field(default_factory=dict)
    records: list = field(default_factory=list)
    finetune_losses: dict = field(default_factory=dict)
    finetune_fit: dict = field(default_factory=dict)
    timings: dict = field(default_factory=dict)
    mean_j: dict = field(default_factory=dict)
    notices: list = field(default_factory=list)
    lost: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)

    @property
    def paths(self) -> dict:
        """Paths of everything that was written, by kind."""
        named = dict(masks=self.masks_dir, overlay=self.overlay, report=self.report, gif=self.gif, given=self.given,
                     **self.exports, result=self.result_json)
        return {kind: path for kind, path in named.items() if path is not None}

    def write(self) -> None:
        """Write ``result_json``; it appears complete or not at all."""
        with written_beside(self.result_json) as path:
            path.write_text(json.dumps(asdict(self), indent=1, default=str), encoding='utf-8')


def rounded(timings: Mapping[str, float]) -> dict:
    """Round timings to milliseconds."""
    return {name: round(float(value), 3) for name, value in timings.items()}
