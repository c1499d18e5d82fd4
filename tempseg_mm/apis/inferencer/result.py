"""What a call gives back, and ``result.json``, which holds the same."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tempseg_mm.runtime.atomic import written_beside


@dataclass
class SegmentationResult:
    """What was written and what is known of it.

    Attributes:
        masks_dir: folder of indexed PNG files, one a frame.
        result_json: all of this, and settings and versions.
        overlay: WebM video that browsers play; ``None`` where no pictures were wanted.
        report: page to look at; likewise.
        gif: animation; ``None`` where none was wanted.
        given: folder of masks made from boxes; ``None`` without boxes.
        records: a ``FrameRecord`` for each frame.
        finetune_losses: object id -> loss before each step.
        timings: ``finetune``, then seconds of each stage (they overlap), ``total``, and ``frames_per_s`` of the walk.
        mean_j: object id -> mean J; empty without ground truth.
        notices: sentences that the user should read.
        settings: what the masks depend on, and more.
        versions: of the packages involved.
    """
    masks_dir: Path
    result_json: Path
    overlay: Path | None = None
    report: Path | None = None
    gif: Path | None = None
    given: Path | None = None
    records: list = field(default_factory=list)
    finetune_losses: dict = field(default_factory=dict)
    timings: dict = field(default_factory=dict)
    mean_j: dict = field(default_factory=dict)
    notices: list = field(default_factory=list)
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)

    @property
    def paths(self) -> dict:
        """What was written, by kind."""
        named = dict(masks=self.masks_dir, overlay=self.overlay, report=self.report, gif=self.gif, given=self.given,
                     result=self.result_json)
        return {kind: path for kind, path in named.items() if path is not None}

    def write(self) -> None:
        """Write ``result_json``, whole or not at all."""
        with written_beside(self.result_json) as path:
            path.write_text(json.dumps(asdict(self), indent=1, default=str), encoding='utf-8')


def rounded(timings: Mapping[str, float]) -> dict:
    """Milliseconds are enough."""
    return {name: round(float(value), 3) for name, value in timings.items()}
