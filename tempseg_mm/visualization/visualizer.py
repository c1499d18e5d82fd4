"""Pictures of training clips for TensorBoard and the work folder. The picture hook feeds the visualizer."""

from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dist import master_only
from mmengine.visualization import Visualizer

from tempseg_mm.ops.resize import fit_width
from tempseg_mm.registry import VISUALIZERS

from .contact_sheet import contact_sheet
from .palette import flow_colors


@VISUALIZERS.register_module()
class VOSVisualizer(Visualizer):
    """mmengine's visualizer, extended by pictures of clips.

    The backends get the config together with the first image or scalar. So a run that shows nothing, such as a test,
    leaves no TensorBoard run that contains only its config.

    Args:
        name: name of the instance.
        tile_width: wider frames are shrunk to this many pixels.
        **kwargs: arguments of mmengine's ``Visualizer`` (``vis_backends``, ``save_dir``, …), which refuses unknown
            ones.
    """

    def __init__(self, name: str = 'visualizer', *, tile_width: int = 224, **kwargs: Any) -> None:
        super().__init__(name, **kwargs)
        self.tile_width = tile_width
        self._config: tuple | None = None

    @master_only
    def add_config(self, config: Config, **kwargs: Any) -> None:
        """Keep the config for the backends."""
        self._config = config, kwargs

    @master_only
    def add_image(self, name: str, image: np.ndarray, step: int = 0) -> None:
        """See mmengine's ``Visualizer``."""
        self._show_config()
        super().add_image(name, image, step)

    @master_only
    def add_scalar(self, name: str, value: Any, step: int = 0, **kwargs: Any) -> None:
        """See mmengine's ``Visualizer``."""
        self._show_config()
        super().add_scalar(name, value, step, **kwargs)

    @master_only
    def add_scalars(self, scalar_dict: dict, step: int = 0, file_path: str | None = None, **kwargs: Any) -> None:
        """See mmengine's ``Visualizer``."""
        self._show_config()
        super().add_scalars(scalar_dict, step, file_path, **kwargs)

    def _show_config(self) -> None:
        if self._config is not None:
            (config, kwargs), self._config = self._config, None
            super().add_config(config, **kwargs)

    @master_only
    def add_clip(self,
                 name: str,
                 frames: np.ndarray,
                 *,
                 gt_masks: np.ndarray | None = None,
                 pred_masks: np.ndarray | None = None,
                 reference_masks: np.ndarray | None = None,
                 flow: np.ndarray | None = None,
                 warped_target: np.ndarray | None = None,
                 step: int = 0) -> None:
        """Send one contact sheet to every backend: one row per frame, one column per argument that is given.

        The flow t → t+1 is in row t, since it belongs to the pixels of frame t; all flows of a clip share one scale.
        The target warped from frame t is in row t+1, beside the prediction that it is compared with.

        Args:
            name: name of the picture; ``/`` becomes ``_``, because one backend uses it as a file name.
            frames: (T, H, W, 3) uint8 RGB.
            gt_masks: (T, H, W), 0 to 1.
            pred_masks: (T, H, W), 0 to 1.
            reference_masks: (T, H, W), 0 to 1.
            flow: (T-1, H, W, 2), (x, y) in pixels, forward.
            warped_target: (T-1, H, W), 0 to 1.
            step: iteration.

        Raises:
            ValueError: if an array has another shape, or if the clip has no frame.
        """
        if frames.ndim != 4 or frames.shape[-1] != 3 or frames.dtype != np.uint8 or len(frames) == 0:
            raise ValueError(f'frames must be (T, H, W, 3) uint8 RGB, got {frames.shape} {frames.dtype}')
        masks = dict(gt_masks=gt_masks, pred_masks=pred_masks, reference_masks=reference_masks)
        for key, value in dict(masks, flow=flow, warped_target=warped_target).items():
            _check(key, value, frames.shape, pairs=key not in masks)

        columns = {'frame': list(frames)}
        columns.update({_TITLES[key]: [_gray(m) for m in value] for key, value in masks.items() if value is not None})
        if flow is not None:
            columns['flow'] = [*_flow_tiles(flow), None]
        if warped_target is not None:
            columns['warped target'] = [None, *(_gray(mask) for mask in warped_target)]
        captions = [f'{title} {t}' if column[t] is not None else ''
                    for t in range(len(frames)) for title, column in columns.items()]
        tiles = [None if column[t] is None else fit_width(column[t], self.tile_width)
                 for t in range(len(frames)) for column in columns.values()]
        self.add_image(name.replace('/', '_'), contact_sheet(tiles, len(columns), captions=captions), step)


_TITLES = dict(gt_masks='ground truth', pred_masks='prediction', reference_masks='reference mask')


def _check(key: str, value: np.ndarray | None, shape: tuple[int, ...], *, pairs: bool) -> None:
    if value is None:
        return
    expected = (shape[0] - pairs, *shape[1:3]) + ((2, ) if key == 'flow' else ())
    if value.shape != expected:
        raise ValueError(f'{key} must be {expected} for frames {shape}, got {value.shape}')


def _gray(mask: np.ndarray) -> np.ndarray:
    """Convert (H, W) in [0, 1] to (H, W, 3) uint8."""
    levels = np.round(255 * np.clip(mask.astype(np.float32), 0, 1)).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def _flow_tiles(flow: np.ndarray) -> list[np.ndarray]:
    lengths = np.hypot(flow[..., 0], flow[..., 1])
    known = lengths[np.isfinite(lengths)]
    longest = float(np.quantile(known, 0.99)) if known.size else 0.0  # so that a few stray vectors do not fade the rest
    return [flow_colors(field, max_flow=max(longest, 1.0)) for field in flow]
