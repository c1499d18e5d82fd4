"""What a call writes and where, whether it may, and what it gives back: the result, which ``result.json`` holds too."""

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
    """Where the results of a video go unless a folder is named: ``work_dirs/segment_video/dog-1f9ac2``.

    The digits come from where the video lies (links followed), so that ``a/dog.mp4`` and ``b/dog.mp4`` have folders of
    their own and ``--resume`` finds the one of before. A camera is named by its number; arrays are ``frames``.

    Args:
        video: as ``open_source`` takes it.
    """
    if isinstance(video, Integral) or isinstance(video, str) and video.isdecimal() and not os.path.exists(video):
        return Path(DEFAULT_OUT, f'camera{video}')
    paths = [video] if isinstance(video, str | os.PathLike) else list(video) if isinstance(video, list | tuple) else []
    if not paths or not all(isinstance(path, str | os.PathLike) for path in paths):
        return Path(DEFAULT_OUT, 'frames')
    first = Path(paths[0]).absolute()
    if len(paths) > 1 or not first.exists():  # or a pattern: named after the folder that it looks in
        name = next(folder.name for folder in first.parents if not set(folder.name) & set('*?['))
    else:
        name = first.resolve().name if first.is_dir() else first.stem
    places = '\0'.join(map(os.path.realpath, paths)).encode('utf-8', 'surrogateescape')
    return Path(DEFAULT_OUT, f'{name or "video"}-{hashlib.blake2b(places, digest_size=3).hexdigest()}')


class OutputFolder:
    """The files of one segmented sequence.

    Args:
        root: the folder; made when something is written.

    Attributes:
        masks: folder of indexed PNG files, one a frame.
        given: folder of masks that were given.
        overlay, gif, report, result: files.
        resume: folder of what an interrupted call left.
        session: folder of what corrections go on from, see ``SessionFiles``.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)
        self.masks, self.given = self.root / 'masks', self.root / 'given'
        self.overlay, self.gif = self.root / 'overlay.webm', self.root / 'overlay.gif'
        self.report, self.result = self.root / 'report.html', self.root / 'result.json'
        self.resume, self.session = self.root / '.resume', self.root / '.session'

    def held(self) -> AbstractContextManager:
        """Inside, no other run writes to the folder. Enter it before anything else is asked of the folder.

        Raises:
            FileExistsError: if a file stands where the folder should be.
            InUseError: if another run is inside.
        """
        if self.root.exists() and not self.root.is_dir():
            raise FileExistsError(f'{self.root} is a file; --out names a folder')
        return locked(self.root, option='--out')

    def claim(self, *, resume: bool = False, overwrite: bool = False) -> None:
        """Make sure that nothing of value is written over.

        Args:
            resume: going on is what is wanted.
            overwrite: results of an earlier call may be removed, by :meth:`clear`.

        Raises:
            ValueError: for both at once, or ``resume`` where all is done.
            FileExistsError: if there are results.
        """
        if resume and overwrite:
            raise ValueError('--resume goes on with what is there, --overwrite removes it: choose one')
        if resume and self.result.exists() and not self.resume.exists():
            raise ValueError(f'there is nothing to go on with: {self.root} is finished. --overwrite does it again')
        if overwrite:
            self._require_own_results()
            return
        held = [path for path in (self.result, self.resume, self.masks, self.overlay) if path.exists()]
        if held and not (resume and self.resume.exists()):
            unfinished = 'an interrupted run' if self.resume.exists() else 'results'
            ways = ('--resume goes on with it, --overwrite begins again' if self.resume.exists()
                    else '--overwrite replaces them')
            raise FileExistsError(f'{self.root} holds {unfinished} ({held[0].name}): {ways}, another --out leaves them')

    def mask_file(self, file_name: str) -> Path:
        """Of a frame."""
        return inside(self.root, self.masks.name, f'{file_name}.png')

    def read_mask(self, file_name: str) -> np.ndarray:
        """(H, W) uint8 object ids of a frame that was written.

        Raises:
            FileNotFoundError: if it is not there.
        """
        with read_as('result'):
            return decode_mask(self.mask_file(file_name)).pixels

    def clear(self) -> None:
        """Remove the results of an earlier call; ``given`` and files of other origin stay. Call when inputs are read:
        a mask to correct by may lie among the results."""
        for path in (self.result, self.overlay, self.gif, self.report):
            path.unlink(missing_ok=True)
        for folder in (self.masks, self.resume, self.session):
            shutil.rmtree(folder, ignore_errors=True)

    def _require_own_results(self) -> None:
        if self.masks.exists() and not any(own.exists() for own in (self.result, self.resume, self.session)):
            raise FileExistsError(f'{self.masks} was not written by this tool (no {self.result.name} beside it), so it '
                                  'is not overwritten: name another --out')


@dataclass
class SegmentationResult:
    """What was written and what is known of it.

    Attributes:
        masks_dir: folder of indexed PNG files, one a frame.
        result_json: all of this, and settings and versions.
        overlay: WebM video that browsers play; ``None`` where no pictures were wanted.
        report: page to look at; likewise.
        gif: animation; ``None`` where none was wanted.
        given: folder of masks made from boxes; ``None`` without boxes.
        records: a ``FrameRecord`` for each frame.
        finetune_losses: object id -> loss before each step.
        finetune_fit: object id -> ``GivenFit``, its IoU on the given frames before and after; none without a step.
        timings: ``finetune``, then seconds of each stage (they overlap), ``total``, and ``frames_per_s`` of the walk.
        mean_j: object id -> mean J; empty without ground truth.
        notices: sentences that the user should read.
        lost: a ``LostSpan`` for each stretch of frames in which an object was probably lost.
        settings: what the masks depend on, and more.
        versions: of the packages involved.
    """
    masks_dir: Path
    result_json: Path
    overlay: Path | None = None
    report: Path | None = None
    gif: Path | None = None
    given: Path | None = None
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
        """What was written, by kind."""
        named = dict(masks=self.masks_dir, overlay=self.overlay, report=self.report, gif=self.gif, given=self.given,
                     result=self.result_json)
        return {kind: path for kind, path in named.items() if path is not None}

    def write(self) -> None:
        """Write ``result_json``, whole or not at all."""
        with written_beside(self.result_json) as path:
            path.write_text(json.dumps(asdict(self), indent=1, default=str), encoding='utf-8')


def rounded(timings: Mapping[str, float]) -> dict:
    """Milliseconds are enough."""
    return {name: round(float(value), 3) for name, value in timings.items()}
