"""Joins what the page works on: a session, its running job, and the files to export or download."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Self

import numpy as np

from tempseg_mm.apis.inferencer.exports import EXPORTS, export_kinds, export_masks
from tempseg_mm.apis.inferencer.sequence_run import DEFAULT_FPS, Wishes
from tempseg_mm.apis.session.result import give_masks, write_result
from tempseg_mm.apis.session.session import Session
from tempseg_mm.structures import FrameRecord
from tempseg_mm.visualization.palette import object_colors

from .events import EventHub
from .jobs import Jobs, OnProgress, Tell
from .messages import jpeg_of
from .proxies import FrameProxies, small_jpeg

PROXIES = '.page'  # folder of small copies, in the folder of the session
DIRECTIONS = ('forwards', 'backwards')
REPORT = 'report'
# Entries of the export dialog besides EXPORTS: name -> (file or folder, description, programs that it suits).
AT_HAND = {'masks': ('masks', 'masks as indexed PNG, one number per object', 'programs, other annotators'),
           REPORT: ('report.html', 'page with player and curves', 'any browser')}


def begin(session: Session, masks: list[str] | None, boxes: list[str]) -> list[str]:
    """Give a new session its first masks. A session that has masks keeps them, because they may be corrected.

    Args:
        session: an open session.
        masks, boxes: see :func:`~tempseg_mm.apis.session.result.give_masks`.

    Returns:
        Notices for the user.

    Raises:
        OSError, ValueError: see ``give_masks``.
    """
    if not masks and not boxes:
        return []
    if session.given:
        return [f'{session.folder} already has masks and work continues with them: --mask and --box are ignored']
    return give_masks(session, masks, boxes)[1]


class Workspace:
    """A session as the page sees it.

    It is safe for several threads. While a job is running, reading works, but every change is refused.

    Args:
        session: an open session. The caller closes it.
        tell: see :class:`~tempseg_mm.annotator.jobs.Jobs`.
        settings: plain values that :meth:`state` adds for the page, such as ``device`` and ``steps``.
    """

    def __init__(self, session: Session, tell: Tell, settings: dict) -> None:
        self.session, self.folder, self._settings = session, session.folder, settings
        self.hub = EventHub()
        self.jobs = Jobs(self.hub, tell)
        self._changing, self._image = threading.Lock(), threading.Lock()
        self._changed = self._last_change()
        self.proxies = FrameProxies(self.folder / PROXIES, session.frames, lambda ready: self.hub.publish(
            dict(type='loading', ready_frames=ready)))

    def state(self, *, records: bool = True) -> dict:
        """Return all that the page shows, as JSON values; ``records`` includes those of all frames, maybe thousands."""
        session = self.session
        colors = object_colors()
        state = dict(
            name=session.name, start=session.start, num_frames=session.num_frames, fps=session.fps,
            size=list(session.size), given={str(i): list(ids) for i, ids in sorted(session.given.items())},
            objects=[dict(id=i, name=name, color=colors[i].tolist()) for i, name in session.objects.items()],
            lost=[dict(asdict(span), object=span.object_id) for span in session.lost], job=self.jobs.current,
            notices=list(session.notices),
            ready_frames=self.proxies.num_ready, exports=self._exports(), folder=str(self.folder), **self._settings)
        if records:
            state['records'] = {str(i): record.to_dict() for i, record in sorted(session.records.items())}
        return state

    def require_frame(self, frame_id: int) -> int:
        """Return ``frame_id`` if the frame exists; otherwise raise LookupError."""
        if frame_id not in self.session.frame_ids:
            frames = self.session.frame_ids
            raise LookupError(f'there is no frame {frame_id}: the frames are {frames[0]} to {frames[-1]}')
        return frame_id

    def require_object(self, object_id: int) -> int:
        """Return ``object_id`` if the object exists; otherwise raise LookupError."""
        if object_id not in self.session.objects:
            raise LookupError(f'there is no object {object_id}')
        return object_id

    def image(self, frame_id: int) -> np.ndarray:
        """Return a frame in full size, (H, W, 3) uint8 RGB."""
        with self._image:  # one thread at a time uses the decoder
            return self.session.image(frame_id)

    def jpeg(self, frame_id: int, *, whole: bool = False) -> bytes:
        """Return a frame as a JPEG, in full size if ``whole``, else small."""
        if whole:
            return jpeg_of(self.image(frame_id), quality=95)
        return self.proxies.read(frame_id) or small_jpeg(self.image(frame_id))

    def change(self, change: Callable[[Session], object], frame_id: int | None = None, tab: str = '') -> object:
        """Change the session while no job is running, and send the event ``changed`` to all listeners.

        Args:
            change: function that makes the change, called with the session. Its result is returned.
            frame_id: frame whose mask changes; ``None``: any mask may change.
            tab: id of the browser tab that asked for the change.

        Raises:
            BusyError: if a job is running.
        """
        with self._changing:
            self.jobs.require_idle()
            outcome = change(self.session)
            self._changed = time.time()
        self.hub.publish(dict(type='changed', frame=frame_id, tab=tab))
        return outcome

    def segment(self) -> None:
        """Start segmenting all frames.

        Raises:
            BusyError: if a job is running.
            ValueError: if no mask is given yet.
        """
        if not self.session.given:
            raise ValueError('draw an object on one of the frames first')
        self._start('segment', lambda on_progress: self._walk(self.session.segment(on_progress)))

    def go_on(self, frame_id: int, direction: str) -> None:
        """Start segmenting the frames after a frame, or before it, again.

        Args:
            frame_id: a frame with a given mask, or one that is done. With a given mask, the network first learns from
                it. Without one it does not, so a stopped walk simply continues.
            direction: ``'forwards'`` or ``'backwards'``.

        Raises:
            BusyError: if a job is running.
            ValueError: if the frame has no mask, or the direction is another one.
        """
        if direction not in DIRECTIONS:
            raise ValueError(f'direction must be one of {", ".join(DIRECTIONS)}')
        if self.session.labels(frame_id) is None:
            raise ValueError(f'frame {frame_id} has no mask yet: draw one, or continue from a frame that is done')
        self._start('go-on', lambda on_progress: self._walk(
            self.session.go_on([frame_id], on_progress, direction=direction)))

    def export(self, kinds: list[str]) -> None:
        """Start writing files for other programs.

        Args:
            kinds: keys of ``EXPORTS``, and ``'report'``.

        Raises:
            BusyError: if a job is running.
            ValueError: if ``kinds`` is empty or has an unknown kind, or if a frame is not done yet.
            ImportError: if COCO JSON is wanted and pycocotools is not installed.
        """
        if not kinds:
            raise ValueError(f'kinds must be some of {", ".join((*EXPORTS, REPORT))}')
        kinds = [*export_kinds(kind for kind in kinds if kind != REPORT), *[REPORT] * (REPORT in kinds)]
        missing = [i for i in self.session.frame_ids if i not in self.session.records]
        if missing:
            raise ValueError(f'{len(missing)} of {self.session.num_frames} frames have no mask yet (the first is frame '
                             f'{missing[0]}): segment them first')
        self._start('export', lambda on_progress: self._export(kinds, on_progress))

    def export_file(self, name: str) -> Path | None:
        """Return the file or folder to download under a name; ``None`` if it does not exist."""
        known = {export['file']: export['path'] for export in self._take_away()}
        return known[name] if name in known and known[name].exists() else None

    def close(self) -> None:
        """Stop the running job and delete the small copies. Finished frames are kept."""
        self.hub.close()
        self.jobs.close()
        self.proxies.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _start(self, kind: str, work: Callable[[OnProgress], None]) -> None:
        with self._changing:
            self.jobs.start(kind, work)

    def _walk(self, records: Iterator[FrameRecord]) -> None:
        with closing(records):
            for record in records:
                self._changed = time.time()
                self.hub.publish(dict(type='frame', record=record.to_dict()))

    def _export(self, kinds: list[str], on_progress: OnProgress) -> None:
        session = self.session
        if rest := [kind for kind in kinds if kind != REPORT]:
            with closing(self._finished_frames()) as frames:
                export_masks(rest, frames, self.folder / 'exports', size=session.size, times=session.times,
                             fps=session.fps or DEFAULT_FPS, object_names=session.objects,
                             num_frames=session.num_frames, on_progress=on_progress)
        if REPORT in kinds:
            write_result(session, Wishes(on_progress=on_progress))

    def _finished_frames(self) -> Iterator[tuple[int, str, np.ndarray, np.ndarray]]:
        with closing(self.session.frames()) as frames:
            for frame in frames:
                yield frame.frame_id, frame.file_name, frame.image, self.session.labels(frame.frame_id)

    def _take_away(self) -> list[dict]:
        exports = {name: (self.folder / 'exports' / export.file_name, export.description, export.suits)
                   for name, export in EXPORTS.items()}
        at_hand = {name: (self.folder / file, *rest) for name, (file, *rest) in AT_HAND.items()}
        return [dict(name=name, path=path, file=path.name, description=description, suits=suits)
                for name, (path, description, suits) in {**exports, **at_hand}.items()]

    def _exports(self) -> list[dict]:
        """List all exports. An export is ready if it was written after the last change."""
        shown = []
        for export in self._take_away():
            path = export.pop('path')
            is_ready = path.exists() and (export['name'] == 'masks' or path.stat().st_mtime >= self._changed)
            shown.append(dict(export, ready=is_ready))
        return shown

    def _last_change(self) -> float:
        paths = [path for name in ('masks', 'given') for path in (self.folder / name).glob('*.png')]
        return max((path.stat().st_mtime for path in paths), default=0.0)
