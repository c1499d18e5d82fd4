"""Stores the state of an interrupted run over one sequence, so that another run continues with the same results."""

import json
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.content_digest import changed_files
from tempseg_mm.runtime.differences import ResumeError, differences

from .adapted_files import AdaptedFiles
from .object_mask import ObjectMask
from .walk import Snapshot

INTERVAL = 20.0  # seconds between two writes: an abrupt end loses at most this much work


class RunState:
    """The folder ``.resume`` of an output folder. It is removed at the end of the run.

    Args:
        folder: path of the folder; created by :meth:`begin`.
        inputs: everything that determines the masks, by name, of types that JSON knows.
        frames: file name -> digest of the content, for the files of the frames, in order.
        adapted: storage of the adapted generators; default: a folder inside ``folder``.
        interval: seconds between two writes.

    Attributes:
        figures: frame number -> figures that need the probabilities, for all finished frames.
        snapshot: state of the walk; ``None`` at its beginning.
    """

    def __init__(self, folder: str | Path, inputs: Mapping, *, frames: Mapping[str, str] | None = None,
                 adapted: AdaptedFiles | None = None, interval: float = INTERVAL) -> None:
        self.folder = Path(folder)
        self.adapted = adapted or AdaptedFiles(self.folder / 'adapted')
        self.frames = dict(frames or {})
        self.inputs = json.loads(json.dumps(inputs, default=str))
        self.interval = interval
        self.figures: dict = {}
        self.snapshot: Snapshot | None = None
        self._goes_on = False
        self._written = time.monotonic()

    def load(self) -> bool:
        """Read the state of an earlier run.

        Returns:
            Whether there was one.

        Raises:
            ResumeError: if that run had other inputs or other frames, which the message names, or if version 0.8.0 or
                earlier wrote it.
        """
        if not (self.folder / 'inputs.json').is_file():
            return False
        saved = json.loads((self.folder / 'inputs.json').read_text(encoding='utf-8'))
        if saved.keys() != {'inputs', 'frames'}:
            raise ResumeError(f'the interrupted run in {self.folder.parent} was started by version 0.8.0 or earlier, '
                             'which stored no digest of the frames. Start again with --overwrite')
        before = saved['inputs']
        if before != self.inputs:
            listed = '; '.join(map(str, differences(before, self.inputs)))
            raise ResumeError(f'the interrupted run in {self.folder.parent} differs in {listed}. Resume with its old '
                             'inputs, or start again with --overwrite')
        if changed := changed_files(saved['frames'], self.frames):
            raise ResumeError(f'the frames are not those of the interrupted run in {self.folder.parent}: {changed}, '
                              'and the masks of both would be mixed. Restore the old frames, or start again with '
                              '--overwrite')
        if (self.folder / 'walk.pth').is_file():
            saved = torch.load(self.folder / 'walk.pth', map_location='cpu', weights_only=True)
            if not all(isinstance(state, dict) for state in saved['masks'].values()):
                raise ResumeError(f'the interrupted run in {self.folder.parent} was started by version 0.7.0 or '
                                  'earlier, which stored less of the masks. Start again with --overwrite')
            self.figures = saved['figures']
            self.snapshot = Snapshot(saved['direction'], saved['frame_id'], {
                object_id: ObjectMask.from_state(state) for object_id, state in saved['masks'].items()},
                saved.get('learnt', {}))
        self._goes_on = True
        return True

    def begin(self) -> None:
        """Create the folder and write the inputs. Remove the state of an earlier run, unless :meth:`load` read it."""
        if not self._goes_on:
            self.remove()
            self.adapted.clear()
        with written_beside(self.folder / 'inputs.json') as path:
            path.write_text(json.dumps(dict(inputs=self.inputs, frames=self.frames), indent=1), encoding='utf-8')

    def note(self, snapshot: Snapshot | None, flush: Callable[[], None]) -> None:
        """Record that a frame is done. Write the state if the last write was at least ``interval`` seconds ago.

        Before it is written, ``flush`` is called, which waits for all mask files.
        """
        if snapshot is not None:
            self.snapshot = snapshot
        if time.monotonic() - self._written >= self.interval:
            flush()
            self.write()

    def write(self) -> None:
        """Write the state of the walk."""
        if self.snapshot is not None:
            masks = {object_id: found.state() for object_id, found in self.snapshot.masks.items()}
            with written_beside(self.folder / 'walk.pth') as path:
                torch.save(dict(direction=self.snapshot.direction, frame_id=self.snapshot.frame_id, masks=masks,
                                learnt=self.snapshot.learnt, figures=self.figures), path)
        self._written = time.monotonic()

    def remove(self) -> None:
        """Remove the folder, because there is nothing left to resume."""
        shutil.rmtree(self.folder, ignore_errors=True)
