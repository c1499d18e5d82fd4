"""What an interrupted run over one sequence leaves, so that another continues as if nothing had happened."""

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
from .views import ObjectMask
from .walk import Snapshot

INTERVAL = 20.0  # seconds between two writings: what an abrupt end loses at most


class RunState:
    """The folder ``.resume`` of an output folder; removed when all is done.

    Args:
        folder: it; made when there is something to keep.
        inputs: everything that decides the masks, by name, of types that JSON knows.
        frames: name -> digest of the content, of the files that the frames come from, in order.
        adapted: where generators are kept that were adapted; default: in the folder.
        interval: seconds between two writings.

    Attributes:
        figures: frame number -> figures that only the probabilities tell, of all frames that are done.
        snapshot: where the walk is; ``None`` at its beginning.
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
        """Read what an earlier call left.

        Returns:
            Whether there was anything.

        Raises:
            ResumeError: if that call had other inputs, or frames of other content, and which; or if an earlier version
                wrote it.
        """
        if not (self.folder / 'inputs.json').is_file():
            return False
        saved = json.loads((self.folder / 'inputs.json').read_text(encoding='utf-8'))
        if saved.keys() != {'inputs', 'frames'}:
            raise ResumeError(f'the interrupted run in {self.folder.parent} was begun by version 0.8.0 or earlier, '
                             'which kept no digest of the frames. Start afresh with --overwrite')
        before = saved['inputs']
        if before != self.inputs:
            listed = '; '.join(map(str, differences(before, self.inputs)))
            raise ResumeError(f'the interrupted run in {self.folder.parent} differs in {listed}. Resume with what it '
                             'had, or start afresh with --overwrite')
        if changed := changed_files(saved['frames'], self.frames):
            raise ResumeError(f'the frames are not those of the interrupted run in {self.folder.parent}: {changed}, '
                              'and the masks of both would be mixed. Put them back as they were, or start afresh with '
                              '--overwrite')
        if (self.folder / 'walk.pth').is_file():
            saved = torch.load(self.folder / 'walk.pth', map_location='cpu', weights_only=True)
            if not all(isinstance(state, dict) for state in saved['masks'].values()):
                raise ResumeError(f'the interrupted run in {self.folder.parent} was begun by version 0.7.0 or earlier, '
                                 'which kept less of the masks. Start afresh with --overwrite')
            self.figures = saved['figures']
            self.snapshot = Snapshot(saved['direction'], saved['frame_id'], {
                object_id: ObjectMask.from_state(state) for object_id, state in saved['masks'].items()})
        self._goes_on = True
        return True

    def begin(self) -> None:
        """Make the folder, and note what the masks depend on. What another call left is removed, unless :meth:`load`
        has taken it."""
        if not self._goes_on:
            self.remove()
            self.adapted.clear()
        with written_beside(self.folder / 'inputs.json') as path:
            path.write_text(json.dumps(dict(inputs=self.inputs, frames=self.frames), indent=1), encoding='utf-8')

    def note(self, snapshot: Snapshot | None, flush: Callable[[], None]) -> None:
        """A frame is done. Now and then this is written, after ``flush``, which waits for all mask files."""
        if snapshot is not None:
            self.snapshot = snapshot
        if time.monotonic() - self._written >= self.interval:
            flush()
            self.write()

    def write(self) -> None:
        """Write where the walk is."""
        if self.snapshot is not None:
            masks = {object_id: found.state() for object_id, found in self.snapshot.masks.items()}
            with written_beside(self.folder / 'walk.pth') as path:
                torch.save(dict(direction=self.snapshot.direction, frame_id=self.snapshot.frame_id, masks=masks,
                                figures=self.figures), path)
        self._written = time.monotonic()

    def remove(self) -> None:
        """There is nothing to go on with."""
        shutil.rmtree(self.folder, ignore_errors=True)
