"""The annotations of one sequence as object ids, with the frame where each object first shows. Read by the scoring."""

from collections.abc import Sequence

from tempseg_mm.sources.mask_files import Labels, MaskReader
from tempseg_mm.structures.segmented_frame import ids_of

MOST_KEPT = 2 ** 28  # bytes of decoded annotations that a process keeps between its two passes


class Annotations:
    """All annotations of a sequence, looked through once for the objects that they hold.

    Args:
        paths: N files in order.
        reader: of these files.

    Attributes:
        first_seen: object id -> index of the first annotation that holds it, by id.
        has_void: whether any annotation has void pixels.
        faults: what could not be read, in words.
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
        """Annotation ``i``; ``None`` where it is among the faults."""
        return self._kept[i] if i in self._kept else self._reader.read(self._paths[i])
