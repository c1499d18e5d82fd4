"""One picture that sums up a sequence, made frame by frame by the picture hook. Only the frames shown are kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from tempseg_mm.ops.resize import fit_width
from tempseg_mm.runtime.safe_path import inside
from tempseg_mm.structures.segmented_frame import SegmentedFrame

from .contact_sheet import LegendEntry, contact_sheet, with_legend
from .exporters import write_png
from .overlay import GROUND_TRUTH_COLOR, draw_contour, overlay_mask
from .palette import object_colors


class SequenceSheet:
    """Writes ``directory/<sequence>.png``: evenly spaced frames, prediction filled, truth outlined, with a legend.

    ::

        sheet = SequenceSheet('work_dirs/show', score=mean_similarity)
        for prediction in stream:      # one sequence after the other, frames in order
            sheet.add(prediction)      # the path, once the last frame has come
        sheet.close()                  # a sequence that was cut short gets its sheet too

    Args:
        directory: folder of the sheets; created with the first one.
        num_tiles: number of frames to show, including the first and the last.
        columns: columns of the grid.
        tile_width: wider frames are shrunk to this many pixels.
        score: function for the captions, such as ``mean_similarity``, called as ``score(mask, gt_mask)`` or, if the
            frame has void pixels, ``score(mask, gt_mask, void)``; only for the frames shown.

    Raises:
        ValueError: if ``num_tiles`` is below 1.
    """

    def __init__(self, directory: str | Path, *, num_tiles: int = 8, columns: int = 4, tile_width: int = 427,
                 score: Callable[..., float] | None = None) -> None:
        if num_tiles < 1:
            raise ValueError(f'num_tiles must be at least 1, got {num_tiles}')
        self.directory = Path(directory)
        self.num_tiles = num_tiles
        self.columns = columns
        self.tile_width = tile_width
        self.score = score
        self._sequence = ''
        self._tiles: list[np.ndarray] = []
        self._captions: list[str] = []
        self._shown: dict[LegendEntry, None] = {}  # entries in order, each once

    def add(self, prediction: SegmentedFrame) -> Path | None:
        """Add a frame.

        Args:
            prediction: the next frame of its sequence, or the first frame of another sequence (which closes the one
                before).

        Returns:
            Path of the sheet if this was the last frame of the sequence, otherwise ``None``.
        """
        if prediction.sequence != self._sequence:
            self.close()
            self._sequence = prediction.sequence
        if prediction.frame_id in self._picks(prediction.num_frames):
            self._tiles.append(self._tile(prediction))
            self._captions.append(self._caption(prediction))
            self._shown.update(dict.fromkeys(self._legend(prediction)))
        return self.close() if prediction.frame_id == prediction.num_frames - 1 else None

    def close(self) -> Path | None:
        """Write the sheet of the frames so far.

        Returns:
            Path of the sheet; ``None`` if there is nothing to show.
        """
        tiles, captions, legend = self._tiles, self._captions, sorted(self._shown, key=lambda entry: not entry.filled)
        self._tiles, self._captions, self._shown = [], [], {}
        if not tiles:
            return None
        path = inside(self.directory, f'{self._sequence}.png')
        write_png(path, with_legend(contact_sheet(tiles, self.columns, captions=captions), legend))
        return path

    def _picks(self, num_frames: int) -> set[int]:
        return set(np.linspace(0, num_frames - 1, self.num_tiles).round().astype(int).tolist())

    def _tile(self, prediction: SegmentedFrame) -> np.ndarray:
        image = fit_width(prediction.image, self.tile_width)
        tile = overlay_mask(image, fit_width(prediction.labels, self.tile_width, labels=True))
        if prediction.gt_labels is None:
            return tile
        gt_mask = fit_width(prediction.gt_labels, self.tile_width, labels=True)
        return draw_contour(tile, gt_mask, color=GROUND_TRUTH_COLOR)

    def _caption(self, prediction: SegmentedFrame) -> str:
        caption = f'frame {prediction.frame_id}'
        if prediction.given:
            return f'{caption}  given'
        if prediction.gt_labels is None or self.score is None:
            return caption
        void = () if prediction.gt_void is None else (prediction.gt_void,)
        return f'{caption}  J {self.score(prediction.labels, prediction.gt_labels, *void):.2f}'

    @staticmethod
    def _legend(prediction: SegmentedFrame) -> list[LegendEntry]:
        ids = prediction.object_ids
        texts = [f'object {i}' for i in ids] if len(ids) > 1 else ['the mask found']
        entries = [LegendEntry(text if k else f'filled: {text}', tuple(object_colors()[i].tolist()))
                   for k, (i, text) in enumerate(zip(ids, texts, strict=True))]
        if prediction.gt_labels is not None:
            entries.append(LegendEntry('outlined: the ground truth', GROUND_TRUTH_COLOR, filled=False))
        return entries
