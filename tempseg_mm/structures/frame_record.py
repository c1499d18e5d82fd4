"""Numbers about a segmented frame that remain for reports when its pixels are gone. They go to JSON unchanged."""

from dataclasses import asdict, dataclass, field, replace

BY_OBJECT = 'areas', 'confidences', 'sure', 'changes', 'scores'


@dataclass(frozen=True)
class FrameRecord:
    """Figures of one frame. Every dict maps object id (1 to 255) -> value.

    Attributes:
        frame_id: index within the sequence, from 0.
        file_name: stem of the frame's mask file, e.g. ``'00007'``.
        given: True if the masks of this frame were given.
        areas: pixels of each object at the original size.
        confidences: mean probability over the pixels of each object's mask, in (0, 1]; ``None`` if the mask is empty.
        sure: number of pixels in each object's mask over the number of pixels where the object is possible (probability
            above 0.05), in [0, 1]; ``None`` if it is possible nowhere.
        changes: 1 - IoU of each object's mask with its mask in the frame before, in [0, 1]; ``None`` in the first
            frame.
        scores: region similarity J of each object, in [0, 1]; empty without ground truth.
    """
    frame_id: int
    file_name: str
    given: bool = False
    areas: dict = field(default_factory=dict)
    confidences: dict = field(default_factory=dict)
    sure: dict = field(default_factory=dict)
    changes: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)

    def without(self, object_id: int) -> 'FrameRecord':
        """Return a copy without the figures of one object."""
        kept = {name: {i: value for i, value in getattr(self, name).items() if i != object_id} for name in BY_OBJECT}
        return replace(self, **kept)

    def to_dict(self) -> dict:
        """Return plain types only, for JSON (which turns the ids into text)."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: dict) -> 'FrameRecord':
        """Restore a record from :meth:`to_dict`, also after a round trip through JSON."""
        by_object = {name: {int(key): value for key, value in saved[name].items()}
                     for name in BY_OBJECT}
        return cls(frame_id=saved['frame_id'], file_name=saved['file_name'], given=saved['given'], **by_object)
