"""Annotations of one sequence as object ids, with the frame in which each object first shows."""

from collections.abc import Sequence

from tempseg_mm.sources.mask_files import Labels, MaskReader
from tempseg_mm.structures.segmented_frame import ids_of

MOST_KEPT = 2 ** 28  # bytes of decoded annotations that a process may keep between its two passes


class Annotations:
    """All annotations of a sequence. They are read once to find their objects.

    Args:
        paths: N files in order.
        reader: mask reader for these files.

    Attributes:
        first_seen: object id -> index of the first annotation that shows it, sorted by id.
        has_void: True if any annotation has void pixels.
        faults: messages on annotations that could not be read.
    """

    def __init__(self, paths: Sequence[str], reader: MaskReader) -> None:
        self._paths, self._reader = paths, reader
        self._kept: dict[int, Labels | None] = {}
        self.has_void = False
        first_seen: dict[int, int] = {}
        faults: dict[str, None] = {}
        kept_bytes = 0
        for i, path in enumerate(paths):
            try:
                labels = reader.read(path)
            except (OSError, ValueError) as error:
                faults[str(error)] = None
                self._kept[i] = None
                continue
            self.has_void |= labels.void is not None
            for label in ids_of(labels.ids):
                first_seen.setdefault(label, i)
            kept_bytes += labels.ids.nbytes * (1 if labels.void is None else 2)
            if kept_bytes <= MOST_KEPT:
                self._kept[i] = labels
        self.first_seen = dict(sorted(first_seen.items()))
        self.faults = list(faults)

    def read(self, i: int) -> Labels | None:
        """Return annotation ``i``; ``None`` if it could not be read."""
        return self._kept[i] if i in self._kept else self._reader.read(self._paths[i])
