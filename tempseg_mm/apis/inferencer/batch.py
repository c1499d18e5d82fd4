"""Segments several videos with one network, each into its own folder, and writes one page for all of them."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from pathlib import Path
from urllib.parse import quote

import numpy as np

from tempseg_mm.runtime.folder_lock import locked
from tempseg_mm.sources.video_file import VideoFileSource
from tempseg_mm.visualization.report import VideoRow, write_batch_report

from .lost_spans import LostSpan, sentences_on
from .output import OutputFolder, SegmentationResult
from .shots import Shot
from .vos_inferencer import VOSInferencer


class Batch:
    """Segments shots one by one; if one fails, the others still run.

    ::

        batch = Batch(inferencer, named_shots(shots), 'out', resume=True)
        with batch.held():
            for shot in batch.to_do:
                result = batch.segment(shot)      # None: it failed, batch.faults[shot.name] says why
        print(batch.page)

    Args:
        inferencer: the inferencer for all shots.
        shots: shots with masks and names.
        out_dir: output folder; the results of a shot go to the folder of its name below it.
        resume: continue an earlier call; finished shots are skipped.
        overwrite: replace the results of an earlier call.

    Attributes:
        page: page about all shots, written after each shot.
        faults: name of a failed shot -> its error.

    Raises:
        ValueError: if ``resume`` and ``overwrite`` are both set.
        FileExistsError: if there are results, and neither ``resume`` nor ``overwrite`` is set.
    """

    def __init__(self, inferencer: VOSInferencer, shots: Sequence[Shot], out_dir: str | Path, *, resume: bool = False,
                 overwrite: bool = False) -> None:
        self.inferencer, self.shots, self.root = inferencer, list(shots), Path(out_dir)
        self.resume, self.overwrite = resume, overwrite
        self.page = self.root / 'index.html'
        self.faults: dict[str, Exception] = {}
        self._finished_now: set[str] = set()
        self._rows: dict[str, VideoRow] = {}
        if resume and overwrite:
            raise ValueError('--resume continues the earlier run, --overwrite removes it: choose one of them')
        begun = [shot.name for shot in self.shots if self._folder(shot).result.exists() or
                 self._folder(shot).resume.exists()]
        if begun and not (resume or overwrite):
            raise FileExistsError(f'{self.root} holds results ({", ".join(begun[:3])}{", ..." * (len(begun) > 3)}): '
                                  '--resume skips the finished videos and segments the rest, --overwrite replaces '
                                  'all, another --out keeps them')

    @property
    def to_do(self) -> list[Shot]:
        """The shots that are not finished; all shots with ``overwrite``."""
        return [shot for shot in self.shots if not self._is_finished(shot)]

    def held(self) -> AbstractContextManager:
        """Lock the output folder, so that no other run writes the page.

        Raises:
            InUseError: if another run holds the folder.
        """
        return locked(self.root, option='--out')

    def segment(self, shot: Shot, **wishes: object) -> SegmentationResult | None:
        """Segment one shot and write the page.

        Args:
            shot: one of the shots.
            wishes: further arguments of ``VOSInferencer.__call__``.

        Returns:
            The result; ``None`` if any error occurred, see :attr:`faults`.

        Raises:
            KeyboardInterrupt: passed on; ``resume`` continues after the finished masks.
        """
        folder = self._folder(shot)
        try:
            result = self.inferencer(
                shot.video, shot.masks or None, boxes=shot.boxes, out_dir=folder.root, start=shot.start, end=shot.end,
                ground_truth=shot.ground_truth, overwrite=self.overwrite,
                resume=self.resume and folder.resume.exists(), **wishes)
            self._finished_now.add(shot.name)
            return result
        except Exception as error:
            self.faults[shot.name] = error
            return None
        finally:
            self.write_page()

    def write_page(self) -> None:
        """Write :attr:`page` with the present state of all shots."""
        write_batch_report(self.page, title=self.root.resolve().name, rows=[self._row(shot) for shot in self.shots])

    def _folder(self, shot: Shot) -> OutputFolder:
        return OutputFolder(self.root / shot.name)

    def _row(self, shot: Shot) -> VideoRow:
        if shot.name in self.faults:
            return VideoRow(shot.name, fault=f'failed: {self.faults[shot.name]}')
        if not self._is_finished(shot):
            return VideoRow(shot.name, fault='not finished' if self._folder(shot).resume.exists() else 'not begun')
        if shot.name not in self._rows:
            self._rows[shot.name] = _row_of_result(shot.name, self._folder(shot))
        return self._rows[shot.name]

    def _is_finished(self, shot: Shot) -> bool:
        folder = self._folder(shot)
        is_there = folder.result.exists() and not folder.resume.exists()
        return is_there and (shot.name in self._finished_now or not self.overwrite)


def _row_of_result(name: str, folder: OutputFolder) -> VideoRow:
    """Read the row of a finished video from its files, whichever run wrote them."""
    saved = json.loads(folder.result.read_text(encoding='utf-8'))
    lost = [LostSpan(**span) for span in saved.get('lost', ())]
    told = sentences_on(lost)
    frame_ids = [record['frame_id'] for record in saved['records']]
    index = frame_ids.index(lost[0].at) if lost else len(frame_ids) // 2
    links = {title: f'{quote(name)}/{path.name}' for title, path in dict(
        page=folder.report, overlay=folder.overlay, masks=folder.masks, result=folder.result).items() if path.exists()}
    scores = list(saved['mean_j'].values())
    return VideoRow(
        name, frames=len(frame_ids), objects=len(saved['records'][0]['areas']), seconds=saved['timings']['total'],
        mean_j=float(np.mean(scores)) if scores else None, lost=told,
        notices=[notice for notice in saved['notices'] if notice not in told], links=links,
        thumbnail=_frame_of(folder.overlay, index), caption=f'frame {frame_ids[index]}')


def _frame_of(overlay: Path, index: int) -> np.ndarray | None:
    """Read a frame of the overlay, (h, w, 3) uint8 RGB; ``None`` if the overlay is missing or unreadable."""
    try:
        with VideoFileSource(overlay) as source, closing(source.frames()) as frames:
            return next((frame.image for i, frame in enumerate(frames) if i == index), None)
    except (OSError, ValueError):
        return None
