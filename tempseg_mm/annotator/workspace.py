"""What the page works on: a session, the job that is at work on it, and what there is to take away."""

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

PROXIES = '.page'  # folder in that of the session
DIRECTIONS = ('forwards', 'backwards')
REPORT = 'report'
# What lies in the folder without an export: name -> file or folder, what it is, what it suits.
AT_HAND = {'masks': ('masks', 'masks as indexed PNG, a number an object', 'programs, other annotators'),
           REPORT: ('report.html', 'page with player and curves, for looking at', 'any browser')}


def begin(session: Session, masks: list[str] | None, boxes: list[str]) -> list[str]:
    """Give a session the masks to begin with; one that has masks keeps those, which may have been corrected.

    Args:
        session: open.
        masks, boxes: see :func:`~tempseg_mm.apis.session.result.give_masks`.

    Returns:
        What to tell.

    Raises:
        OSError, ValueError: as there.
    """
    if not masks and not boxes:
        return []
    if session.given:
        return [f'{session.folder} has masks already, of which work goes on: --mask and --box are left out']
    return give_masks(session, masks, boxes)[1]


class Workspace:
    """A session as the page sees it. Safe for several threads: reading goes on while a job is at work, what changes
    something is refused then.

    Args:
        session: open; closing it is up to the caller.
        tell: see :class:`~tempseg_mm.annotator.jobs.Jobs`.
        settings: plain values that the page shows, such as ``device`` and ``steps``.
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
        """What the page shows, of types that JSON knows.

        Args:
            records: with those of all frames, which may be thousands.
        """
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
        """The number of a frame that is there.

        Raises:
            LookupError: if there is none.
        """
        if frame_id not in self.session.frame_ids:
            frames = self.session.frame_ids
            raise LookupError(f'there is no frame {frame_id}: frames are {frames[0]} to {frames[-1]}')
        return frame_id

    def require_object(self, object_id: int) -> int:
        """The id of an object that is there.

        Raises:
            LookupError: if there is none.
        """
        if object_id not in self.session.objects:
            raise LookupError(f'there is no object {object_id}')
        return object_id

    def image(self, frame_id: int) -> np.ndarray:
        """(H, W, 3) uint8 RGB, of the whole size."""
        with self._image:  # a decoder goes one way at a time
            return self.session.image(frame_id)

    def jpeg(self, frame_id: int, *, whole: bool = False) -> bytes:
        """A frame as a JPEG, of the small size unless ``whole``."""
        if whole:
            return jpeg_of(self.image(frame_id), quality=95)
        return self.proxies.read(frame_id) or small_jpeg(self.image(frame_id))

    def change(self, change: Callable[[Session], object], frame_id: int | None = None, tab: str = '') -> object:
        """Change the session between jobs; all listeners are told.

        Args:
            change: called with the session.
            frame_id: whose masks change; ``None``: all of them may.
            tab: of the page that asked for it.

        Raises:
            BusyError: if a job is at work.
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
            BusyError, ValueError: if a job is at work; if nothing is given yet.
        """
        if not self.session.given:
            raise ValueError('draw an object on one of the frames first')
        self._start('segment', lambda on_progress: self._walk(self.session.segment(on_progress)))

    def go_on(self, frame_id: int, direction: str) -> None:
        """Start redoing the frames after a corrected one, or before it.

        Args:
            frame_id: that is done, or has a given mask. Without one nothing is learnt: a walk that was stopped goes on.
            direction: ``'forwards'`` or ``'backwards'``.

        Raises:
            BusyError, ValueError: if a job is at work; if the frame has no mask, or for another direction.
        """
        if direction not in DIRECTIONS:
            raise ValueError(f'direction must be one of {", ".join(DIRECTIONS)}')
        if self.session.labels(frame_id) is None:
            raise ValueError(f'frame {frame_id} has no mask yet: draw one, or go on from a frame that is done')
        self._start('go-on', lambda on_progress: self._walk(
            self.session.go_on([frame_id], on_progress, direction=direction)))

    def export(self, kinds: list[str]) -> None:
        """Start writing files to take away.

        Args:
            kinds: keys of ``EXPORTS``, and ``'report'``.

        Raises:
            BusyError, ValueError: if a job is at work; for no kind or another one; if a frame is not done yet.
            ImportError: COCO JSON without pycocotools.
        """
        if not kinds:
            raise ValueError(f'kinds must be some of {", ".join((*EXPORTS, REPORT))}')
        kinds = [*export_kinds(kind for kind in kinds if kind != REPORT), *[REPORT] * (REPORT in kinds)]
        missing = [i for i in self.session.frame_ids if i not in self.session.records]
        if missing:
            raise ValueError(f'frame {missing[0]} has no mask yet, and so it is with {len(missing)} of '
                             f'{self.session.num_frames} frames: segment them first')
        self._start('export', lambda on_progress: self._export(kinds, on_progress))

    def export_file(self, name: str) -> Path | None:
        """The file or folder of that name to download; ``None`` where there is none."""
        known = {export['file']: export['path'] for export in self._take_away()}
        return known[name] if name in known and known[name].exists() else None

    def close(self) -> None:
        """Stop the job at work, keeping what is done."""
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
        """Ready is what was written after the last change."""
        shown = []
        for export in self._take_away():
            path = export.pop('path')
            is_ready = path.exists() and (export['name'] == 'masks' or path.stat().st_mtime >= self._changed)
            shown.append(dict(export, ready=is_ready))
        return shown

    def _last_change(self) -> float:
        paths = [path for name in ('masks', 'given') for path in (self.folder / name).glob('*.png')]
        return max((path.stat().st_mtime for path in paths), default=0.0)
