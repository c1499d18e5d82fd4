"""Files of a session: what was given, what was found, and the adapted generators. Any of it may be read at any moment.

Lies in the output folder of a segmented video, beside ``masks``::

    given/00040.png         masks that a person gave, those objects only that were drawn there
    masks/00040.png         labels of each frame that is done
    .session/session.json   the video, objects, and which of them were given in which frame
    .session/figures.jsonl  a line a frame that is done; a later line of a frame counts
    .session/found/         labels that were found in frames whose masks were given afterwards
    .session/adapted/       a generator an object
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.inference.adapted_files import AdaptedFiles
from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.content_digest import changed_files
from tempseg_mm.runtime.differences import differences
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.sources.frame_source import FrameSource
from tempseg_mm.sources.stored_mask import decode_mask
from tempseg_mm.structures import FrameRecord
from tempseg_mm.visualization.exporters import write_indexed_png
from tempseg_mm.visualization.palette import color_palette

VERSION = 1


@dataclass
class SessionState:
    """What a session is about, pictures apart.

    Attributes:
        video: absolute path of a file or folder, a pattern, or a list of paths.
        name: of the sequence.
        start: number of the first frame.
        num_frames: how many there are.
        size: (H, W) of the frames.
        model: config of the network that the generators are of.
        frames: file -> digest of the content, of the files that frames come from.
        objects: object id -> name, '' where it has none.
        given: frame number -> ids of the objects that were drawn there; one that was drawn as absent is among them.
        palette: object id -> (red, green, blue) in mask files, where that is not DAVIS's.
        reading: further arguments of ``open_source``: ``fps``, ``resize_frames``, ``masks``.
    """
    video: str | list
    name: str
    start: int
    num_frames: int
    size: tuple
    model: dict = field(default_factory=dict)
    frames: dict = field(default_factory=dict)
    objects: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    palette: dict = field(default_factory=dict)
    reading: dict = field(default_factory=dict)

    @classmethod
    def of(cls, video: str | os.PathLike | list, source: FrameSource, model: Mapping, *, size: tuple | None = None
           ) -> 'SessionState':
        """That of a session on a video, without a mask.

        Args:
            video: a path, a pattern, or a list of paths.
            source: the video, open.
            model: config of the network.
            size: (H, W) of the frames where it is known already.

        Raises:
            ValueError: a source that can be read only once.
        """
        if not source.rewindable or source.num_frames is None:
            raise ValueError(f'{source.name} can be read only once; frames that are corrected are read again: save '
                             'them to a file or a folder first')
        if size is None:
            size = source.frame(source.start).image.shape[:2]
        paths = [os.path.abspath(path) for path in ([video] if isinstance(video, (str, os.PathLike)) else video)]
        return cls(paths[0] if len(paths) == 1 else paths, source.name, source.start, source.num_frames, tuple(size),
                   model=json.loads(json.dumps(model, default=str)), frames=source.digests())

    def require_same(self, now: 'SessionState', folder: Path) -> None:
        """Raises ValueError if ``folder``, which holds this session, is about another video or network than ``now``."""
        changed = changed_files(self.frames, now.frames)
        if changed or (self.name, self.size) != (now.name, now.size):
            raise ValueError(f'{folder} holds a session on another video, {self.video}: '
                             f'{changed or f"that one has frames of {self.size}"}. Name another --out')
        if other := '; '.join(map(str, differences(self.model, now.model))):
            raise ValueError(f'{folder} holds generators of another network, which differs in {other}. Use the '
                             '--config that it was made with, or another --out')


class SessionFiles:
    """See the module.

    Args:
        out: the folder.

    Attributes:
        adapted: the generators.
    """

    def __init__(self, out: OutputFolder) -> None:
        self.out = out
        self._state, self._figures = out.session / 'session.json', out.session / 'figures.jsonl'
        self.adapted = AdaptedFiles(out.session / 'adapted')

    @property
    def exists(self) -> bool:
        """Whether a session was begun here."""
        return self._state.is_file()

    def save(self, state: SessionState) -> None:
        """Write what the session is about, whole or not at all."""
        with written_beside(self._state) as path:
            path.write_text(json.dumps(dict(version=VERSION, **asdict(state)), indent=1), encoding='utf-8')

    def load(self) -> SessionState:
        """Read it.

        Raises:
            ValueError: if another version of the project wrote it.
        """
        saved = json.loads(self._state.read_text(encoding='utf-8'))
        if saved.pop('version', None) != VERSION:
            raise ValueError(f'{self._state} was written by another version of the project: name another --out')
        for name in ('objects', 'given', 'palette'):
            saved[name] = {int(key): value for key, value in saved[name].items()}
        for name in ('given', 'palette'):
            saved[name] = {key: tuple(value) for key, value in saved[name].items()}
        return SessionState(**{**saved, 'size': tuple(saved['size'])})

    def note(self, record: FrameRecord) -> None:
        """Add the figures of a frame."""
        self._figures.parent.mkdir(parents=True, exist_ok=True)
        with open(self._figures, 'a', encoding='utf-8') as file:
            file.write(json.dumps(record.to_dict()) + '\n')

    def note_all(self, records: Iterable[FrameRecord]) -> None:
        """Write the figures of all frames anew, whole or not at all."""
        with written_beside(self._figures) as path:
            path.write_text(''.join(json.dumps(record.to_dict()) + '\n' for record in records), encoding='utf-8')

    def figures(self) -> dict[int, FrameRecord]:
        """Frame number -> its figures, in the order of frames. A last line that was cut off is left out."""
        found = {}
        lines = self._figures.read_text(encoding='utf-8').splitlines() if self._figures.is_file() else ()
        for line in lines:
            try:
                record = FrameRecord.from_dict(json.loads(line))
            except ValueError:
                continue
            found[record.frame_id] = record
        return dict(sorted(found.items()))

    def given(self, file_name: str) -> np.ndarray:
        """(H, W) uint8: what a person drew in a frame."""
        return decode_mask(self._given_file(file_name)).pixels

    def found(self, file_name: str, *, given: bool) -> np.ndarray | None:
        """(H, W) uint8: what was found in a frame before a mask was given for it; ``None``: nothing yet.

        Args:
            file_name: of the frame.
            given: whether a mask is given for it.
        """
        path = self._found_file(file_name) if given else self.out.mask_file(file_name)
        return decode_mask(path).pixels if path.is_file() else None

    def labels(self, file_name: str) -> np.ndarray | None:
        """(H, W) uint8: what was given over what was found; ``None``: neither."""
        path = self.out.mask_file(file_name)
        return decode_mask(path).pixels if path.is_file() else None

    def write_labels(self, file_name: str, labels: np.ndarray, state: SessionState) -> None:
        """Write the labels of a frame."""
        write_indexed_png(self.out.mask_file(file_name), labels, _table(state.palette))

    def write_found(self, file_name: str, labels: np.ndarray) -> None:
        """Write what the network found in a frame whose mask is given."""
        write_indexed_png(self._found_file(file_name), labels)

    def keep_found(self, file_name: str) -> None:
        """Put the labels of a frame aside, which a mask is about to be given for."""
        mask = self.out.mask_file(file_name)
        if mask.is_file():
            with written_beside(self._found_file(file_name)) as path:
                shutil.copyfile(mask, path)

    def write_given(self, file_name: str, labels: np.ndarray, mentioned: Iterable[int], state: SessionState) -> None:
        """Write what a person drew in a frame.

        Args:
            file_name: of the frame.
            labels: (H, W) uint8, all of the frame.
            mentioned: the objects that were drawn.
            state: for the colours.
        """
        drawn = np.where(np.isin(labels, list(mentioned)), labels, 0).astype(np.uint8)
        write_indexed_png(self._given_file(file_name), drawn, _table(state.palette))
        self.write_labels(file_name, labels, state)

    def remove_given(self, file_name: str) -> None:
        """Put back what had been found in a frame."""
        found, mask = self._found_file(file_name), self.out.mask_file(file_name)
        if found.is_file():
            found.replace(mask)
        else:
            mask.unlink(missing_ok=True)
        self._given_file(file_name).unlink(missing_ok=True)

    def remove_object(self, file_name: str, object_id: int, state: SessionState) -> None:
        """Remove the pixels of an object from all labels of a frame."""
        for path in (self.out.mask_file(file_name), self._given_file(file_name), self._found_file(file_name)):
            labels = decode_mask(path).pixels if path.is_file() else None
            if labels is not None and (labels == object_id).any():
                write_indexed_png(path, np.where(labels == object_id, 0, labels), _table(state.palette))

    def _given_file(self, file_name: str) -> Path:
        return inside(self.out.root, self.out.given.name, f'{file_name}.png')

    def _found_file(self, file_name: str) -> Path:
        return inside(self.out.root, self.out.session.name, 'found', f'{file_name}.png')


def _table(palette: Mapping[int, tuple]) -> np.ndarray:
    table = color_palette()
    for object_id, color in palette.items():
        table[object_id] = color
    return table
