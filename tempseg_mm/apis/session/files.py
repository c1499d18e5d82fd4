"""Files of a session: given masks, found masks and adapted generators. Each may be read at any time.

They are in the output folder of a segmented video, beside ``masks``::

    given/00040.png         mask that a person gave, with only the objects drawn there
    masks/00040.png         labels of each finished frame
    .session/session.json   the video, the objects, and which of them were given in which frame
    .session/figures.jsonl  one line per finished frame; a later line for the same frame replaces an earlier one
    .session/found/         labels that were found in frames whose masks were given afterwards
    .session/adapted/       one generator per object
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
    """Video, objects and given masks of a session, without pictures.

    Attributes:
        video: absolute path of a file or folder, a pattern, or a list of paths.
        name: name of the sequence.
        start: number of the first frame.
        num_frames: number of frames.
        size: (H, W) of the frames in pixels.
        model: config of the network to which the generators belong.
        frames: digest of the content of each file that frames come from, by path.
        objects: object id -> name, '' if it has none.
        given: frame number -> ids of the objects that were drawn there, including those drawn as absent.
        palette: object id -> (red, green, blue) in mask files, if that differs from the colours of DAVIS.
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
        """Return the state of a new session on a video, without masks.

        Args:
            video: a path, a pattern, or a list of paths.
            source: the open video.
            model: config of the network.
            size: (H, W) of the frames if it is already known.

        Raises:
            ValueError: if the source can be read only once.
        """
        if not source.rewindable or source.num_frames is None:
            raise ValueError(f'{source.name} can be read only once, but corrections read frames again: save the '
                             'frames to a file or a folder first')
        if size is None:
            size = source.frame(source.start).image.shape[:2]
        paths = [os.path.abspath(path) for path in ([video] if isinstance(video, (str, os.PathLike)) else video)]
        return cls(paths[0] if len(paths) == 1 else paths, source.name, source.start, source.num_frames, tuple(size),
                   model=json.loads(json.dumps(model, default=str)), frames=source.digests())

    def require_same(self, now: 'SessionState', folder: Path) -> None:
        """Raise ValueError if ``folder``, which holds this session, is about another video or network than ``now``."""
        changed = changed_files(self.frames, now.frames)
        if changed or (self.name, self.size) != (now.name, now.size):
            raise ValueError(f'{folder} holds a session on another video, {self.video}: '
                             f'{changed or f"its frames are {self.size}"}. Choose another --out')
        if other := '; '.join(map(str, differences(self.model, now.model))):
            raise ValueError(f'{folder} holds generators of another network, which differs in {other}. Use the '
                             '--config of that session, or another --out')


class SessionFiles:
    """Reads and writes the files of a session, see the module.

    Args:
        out: the result folder.

    Attributes:
        adapted: files of the adapted generators.
    """

    def __init__(self, out: OutputFolder) -> None:
        self.out = out
        self._state, self._figures = out.session / 'session.json', out.session / 'figures.jsonl'
        self.adapted = AdaptedFiles(out.session / 'adapted')

    @property
    def exists(self) -> bool:
        """True if a session was begun here."""
        return self._state.is_file()

    def save(self, state: SessionState) -> None:
        """Write the state of the session; the file appears complete or not at all."""
        with written_beside(self._state) as path:
            path.write_text(json.dumps(dict(version=VERSION, **asdict(state)), indent=1), encoding='utf-8')

    def load(self) -> SessionState:
        """Read the state of the session.

        Raises:
            ValueError: if another version of the project wrote it.
        """
        saved = json.loads(self._state.read_text(encoding='utf-8'))
        if saved.pop('version', None) != VERSION:
            raise ValueError(f'{self._state} was written by another version of the project: choose another --out')
        for name in ('objects', 'given', 'palette'):
            saved[name] = {int(key): value for key, value in saved[name].items()}
        for name in ('given', 'palette'):
            saved[name] = {key: tuple(value) for key, value in saved[name].items()}
        return SessionState(**{**saved, 'size': tuple(saved['size'])})

    def note(self, record: FrameRecord) -> None:
        """Append the figures of a frame."""
        self._figures.parent.mkdir(parents=True, exist_ok=True)
        with open(self._figures, 'a', encoding='utf-8') as file:
            file.write(json.dumps(record.to_dict()) + '\n')

    def note_all(self, records: Iterable[FrameRecord]) -> None:
        """Write the figures of all frames again; the file appears complete or not at all."""
        with written_beside(self._figures) as path:
            path.write_text(''.join(json.dumps(record.to_dict()) + '\n' for record in records), encoding='utf-8')

    def figures(self) -> dict[int, FrameRecord]:
        """Return frame number -> figures, in the order of frames. Lines that were cut off are skipped."""
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
        """Return the (H, W) uint8 labels that a person drew in a frame."""
        return decode_mask(self._given_file(file_name)).pixels

    def found(self, file_name: str, *, given: bool) -> np.ndarray | None:
        """Return the (H, W) uint8 labels that the network found in a frame; ``None`` if there are none.

        ``given`` says whether a mask is given for the frame now: the found labels are then stored elsewhere.
        """
        path = self._found_file(file_name) if given else self.out.mask_file(file_name)
        return decode_mask(path).pixels if path.is_file() else None

    def labels(self, file_name: str) -> np.ndarray | None:
        """Return the (H, W) uint8 labels of a frame; given masks replace found ones. ``None`` if there are neither."""
        path = self.out.mask_file(file_name)
        return decode_mask(path).pixels if path.is_file() else None

    def write_labels(self, file_name: str, labels: np.ndarray, state: SessionState) -> None:
        """Write the labels of a frame."""
        write_indexed_png(self.out.mask_file(file_name), labels, _table(state.palette))

    def write_found(self, file_name: str, labels: np.ndarray) -> None:
        """Write the network's own labels of a frame whose mask is given."""
        write_indexed_png(self._found_file(file_name), labels)

    def keep_found(self, file_name: str) -> None:
        """Keep a copy of the labels that were found in a frame, before a mask is given for it."""
        mask = self.out.mask_file(file_name)
        if mask.is_file():
            with written_beside(self._found_file(file_name)) as path:
                shutil.copyfile(mask, path)

    def write_given(self, file_name: str, labels: np.ndarray, mentioned: Iterable[int], state: SessionState) -> None:
        """Write the labels that a person drew in a frame.

        Args:
            file_name: file name of the frame.
            labels: (H, W) uint8 labels of the whole frame.
            mentioned: ids of the objects that were drawn.
            state: state with the colours of the mask files.
        """
        drawn = np.where(np.isin(labels, list(mentioned)), labels, 0).astype(np.uint8)
        write_indexed_png(self._given_file(file_name), drawn, _table(state.palette))
        self.write_labels(file_name, labels, state)

    def remove_given(self, file_name: str) -> None:
        """Restore the labels that were found in a frame before a mask was given."""
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
