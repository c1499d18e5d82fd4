"""Clips synthesised from one annotated frame, for training and online fine-tuning; masks and flow are exact.

Used in a clip's pipeline before the transforms that move, recolour or deform it.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, fields, replace

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from tempseg_mm.registry import TRANSFORMS

from .lucid_motion import Bending, LayerMotion
from .photometric import ClipPhotometric

OBJECT_MOTION = LayerMotion(degrees=25, scale=(0.7, 1.4), shift=0.25, turn=4, zoom=0.04, speed=0.05)
BACKGROUND_MOTION = LayerMotion(degrees=5, scale=(1.0, 1.15), shift=0.05, turn=0.5, zoom=0.01, speed=0.01)
CACHED_FRAMES = 4
EDGE_SIGMA = 0.5  # pixels; the largest value for which thresholding alpha at one half gives the same mask
HUE_DEGREES = 40  # largest hue rotation for relight=1
INPAINT_SIDE = 128  # pixels, longer side: Telea's method is slow, and its result is smooth anyway


def clean_background(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Fill the object's place smoothly from its surroundings (Telea, 2004, on a reduced copy).

    Fine detail is copied from the image beside the object.

    Args:
        frame: (H, W, 3) uint8.
        mask: (H, W) uint8 0/1.

    Returns:
        (H, W, 3) uint8, equal to ``frame`` at a distance from the object.
    """
    height, width = mask.shape
    radius = max(2, round(0.01 * max(height, width)))
    hole = _dilate(mask, 2 * radius)
    ratio = min(1, INPAINT_SIDE / max(height, width))
    size = (max(1, round(ratio * width)), max(1, round(ratio * height)))
    small_hole = (cv2.resize(hole * 255, size, interpolation=cv2.INTER_AREA) > 0).astype(np.uint8)
    if small_hole.all():  # there is nothing to fill the hole from
        return np.broadcast_to(frame.mean(axis=(0, 1)).astype(np.uint8), frame.shape).copy()
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    filled = _enlarge(cv2.inpaint(small, small_hole, 3, cv2.INPAINT_TELEA), mask.shape)
    detail = np.where(hole[..., None] > 0, 0, frame - _enlarge(small, mask.shape))
    filled = np.maximum(filled + np.roll(detail, cv2.boundingRect(hole)[2], axis=1), 0)
    # 1 on the object, 0 outside the hole.
    weight = cv2.blur(_dilate(mask, radius).astype(np.float32), (2 * radius + 1, 2 * radius + 1))[..., None]
    return cv2.convertScaleAbs(weight * filled + (1 - weight) * frame)


def _enlarge(image: np.ndarray, shape: tuple) -> np.ndarray:
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _dilate(mask: np.ndarray, radius: int) -> np.ndarray:
    return cv2.dilate(mask, np.ones((2 * radius + 1, 2 * radius + 1), np.uint8))


def object_colours(frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Extend the object's colours beyond its outline, so that soft edges show no background.

    Args:
        frame: (H, W, 3) uint8.
        mask: (H, W) uint8 0/1.

    Returns:
        (H, W, 3) uint8; just outside the object the mean of the object's nearby colours, elsewhere ``frame``.
    """
    inside = mask[..., None] > 0
    total = cv2.blur(np.where(inside, frame, np.uint8(0)).astype(np.float32), (7, 7))
    share = cv2.blur(mask.astype(np.float32), (7, 7))[..., None]
    return np.where(inside | (share < 0.01), frame, cv2.convertScaleAbs(total / np.maximum(share, 0.01)))


@dataclass(frozen=True)
class _ObjectView:
    """The object in one frame, cut out by a window (left, top, right, bottom) that contains it."""
    window: tuple
    inverse_affine: np.ndarray  # (h, w, 2) float32, positions before the affine map
    source: np.ndarray  # (h, w, 2) float32, positions in the drawn frame
    alpha: np.ndarray  # (h, w) uint8, above 127 where the object is

    @property
    def slices(self) -> tuple:
        left, top, right, bottom = self.window
        return slice(top, bottom), slice(left, right)


@TRANSFORMS.register_module()
class LucidClip(BaseTransform):
    """Replaces a clip by one synthesised from a single frame of it: Lucid Data Dreaming (Khoreva et al., 2017).

    A frame that shows the object is drawn at random. The object is cut out and the hole is filled. Over T frames,
    object and background then move apart, each by its own smooth path of similarities; the object also bends, and both
    are relit. This replaces ``frames``, ``gt_masks`` and ``flow`` (T-1 arrays, forward, exact also where the object
    covers its target); ``frame_ids`` becomes T copies of the drawn frame's id. A clip without object is not changed,
    nor is one with ``void``, whose object is not known whole.

    Args:
        prob: probability of synthesising. Otherwise the clip is not changed, and ``flow`` is not added if it is absent.
        object_motion: fields of :class:`~tempseg_mm.datasets.transforms.lucid_motion.LayerMotion` that replace those of
            :data:`OBJECT_MOTION`. The object turns about its pixel nearest to the centre of its bounding box. This
            pixel stays in view. The size of the object is the square root of that box's area.
        background_motion: fields that replace those of :data:`BACKGROUND_MOTION`. The background turns about the centre
            of the frame; its size is the size of the frame. Areas that come into view show the reflected image.
        deform: largest bending of the object, in widths and heights of its box; above about 0.1 there is little more
            effect. The amount of bending changes over time.
        relight: largest relative change of brightness, contrast and saturation, drawn for each layer. Hue turns by up
            to 40 × ``relight`` degrees.
        blur: probability that a layer is slightly blurred, so that the network cannot find the object by its sharpness.

    Raises:
        ValueError: if ``prob``, ``deform``, ``relight`` or ``blur`` is outside [0, 1], or a motion has an unknown field
            or a bad range.
    """

    def __init__(self, prob: float = 1.0, *, object_motion: dict | None = None, background_motion: dict | None = None,
                 deform: float = 0.08, relight: float = 0.15, blur: float = 0.25) -> None:
        for name, value in (('prob', prob), ('deform', deform), ('relight', relight), ('blur', blur)):
            if not 0 <= value <= 1:
                raise ValueError(f'{name} of LucidClip must be in [0, 1], got {value!r}')
        self.prob, self.deform, self.relight, self.blur = prob, deform, relight, blur
        self.object_motion = _changed(OBJECT_MOTION, object_motion)
        self.background_motion = _changed(BACKGROUND_MOTION, background_motion)
        self._layers: OrderedDict = OrderedDict()  # fine-tuning uses the same frames again and again

    def transform(self, results: dict) -> dict:
        shown = [t for t, mask in enumerate(results['gt_masks']) if mask.any()]
        if not shown or 'void' in results or np.random.rand() >= self.prob:
            return results
        t, num_frames = shown[np.random.randint(len(shown))], len(results['frames'])
        dream = self.dream(results['frames'][t], results['gt_masks'][t], num_frames)
        results['frames'], results['gt_masks'], results['flow'] = dream
        if 'frame_ids' in results:
            results['frame_ids'] = [results['frame_ids'][t]] * num_frames
        return results

    def dream(self, frame: np.ndarray, mask: np.ndarray, num_frames: int) -> tuple[list, list, list]:
        """Synthesise a clip of T frames from one frame.

        Args:
            frame: (H, W, 3) uint8 RGB.
            mask: (H, W) uint8 0/1, not empty.
            num_frames: T.

        Returns:
            T frames and T masks like ``frame`` and ``mask``; T-1 flow fields (H, W, 2) float32 in pixels.
        """
        background, colours = (self._lit(layer) for layer in self._split(frame, mask))
        frame_size, box = np.array(mask.shape[::-1]), cv2.boundingRect(mask)
        camera = self.background_motion.draw(
            num_frames, centre=(frame_size - 1) / 2, size=frame_size, frame_size=frame_size)
        paths = self.object_motion.draw(
            num_frames, centre=_anchor(mask, box), size=np.full(2, np.sqrt(box[2] * box[3])), frame_size=frame_size)
        bending = Bending(box, self.deform)
        amounts = np.clip(np.random.uniform(-1, 1) + np.random.uniform(-0.3, 0.3) * np.arange(num_frames), -1, 1)
        matte = cv2.GaussianBlur(mask * 255, (3, 3), EDGE_SIGMA)
        views = [_view(matte, box, path, bending, s) for path, s in zip(paths, amounts, strict=True)]
        masks = [_mask(view, mask.shape) for view in views]
        frames = [_compose(background, colours, matrix, view) for matrix, view in zip(camera, views, strict=True)]
        flow = []
        for t in range(num_frames - 1):
            field = _camera_flow(camera[t], camera[t + 1], mask.shape)
            _add_object_flow(field, views[t], paths[t + 1], bending, amounts[t + 1])
            flow.append(field)
        return frames, masks, flow

    def __getstate__(self) -> dict:
        return {**vars(self), '_layers': OrderedDict()}  # workers start with an empty cache

    def _split(self, frame: np.ndarray, mask: np.ndarray) -> tuple:
        """Return background and object, both (H, W, 3) uint8, from the cache if possible."""
        digest = hashlib.blake2b(np.ascontiguousarray(mask), digest_size=16)
        digest.update(np.ascontiguousarray(frame))
        key = (frame.shape, digest.digest())
        if key not in self._layers:
            self._layers[key] = clean_background(frame, mask), object_colours(frame, mask)
            if len(self._layers) > CACHED_FRAMES:
                self._layers.popitem(last=False)
        return self._layers[key]

    def _lit(self, layer: np.ndarray) -> np.ndarray:
        light = ClipPhotometric(self.relight, self.relight, saturation=self.relight, hue=HUE_DEGREES * self.relight)
        layer = light.transform(dict(frames=[layer]))['frames'][0]
        if np.random.rand() < self.blur:
            layer = cv2.GaussianBlur(layer, (0, 0), min(layer.shape[:2]) / 240 * np.random.uniform(0.4, 1.2))
        return layer


def _changed(motion: LayerMotion, changes: dict | None) -> LayerMotion:
    known = [field.name for field in fields(LayerMotion)]
    unknown = set(changes or ()) - set(known)
    if unknown:
        raise ValueError(f'a motion of LucidClip has no {sorted(unknown)}; its fields are {known}')
    return replace(motion, **changes or {})


def _anchor(mask: np.ndarray, box: tuple) -> np.ndarray:
    """Return (x, y) of the object's pixel nearest to the centre of its bounding box."""
    left, top, width, height = box
    points = cv2.findNonZero(mask).reshape(-1, 2)
    return points[np.square(points - (left + (width - 1) / 2, top + (height - 1) / 2)).sum(axis=1).argmin()]


def _grid(left: int, top: int, right: int, bottom: int) -> np.ndarray:
    """Return the positions (x, y) of the pixels of a window, (h, w, 2) float32."""
    return np.dstack(np.meshgrid(np.arange(left, right, dtype=np.float32), np.arange(top, bottom, dtype=np.float32)))


def _view(matte: np.ndarray, box: tuple, matrix: np.ndarray, bending: Bending, amount: float) -> _ObjectView:
    """Render the object: pixel y of the frame shows p + s φ(p) of the drawn frame, where p = A^-1 y."""
    left, top, width, height = box
    near, far = (left, top) - bending.reach - 2, (left + width, top + height) + bending.reach + 2
    corners = np.array([[near, (far[0], near[1]), far, (near[0], far[1])]])
    landed = cv2.transform(corners, matrix)[0]
    low = np.maximum(np.floor(landed.min(axis=0)), 0).astype(int)
    high = np.minimum(np.ceil(landed.max(axis=0)) + 1, matte.shape[::-1]).astype(int)
    window = (*low, *high)
    before = cv2.transform(_grid(*window), cv2.invertAffineTransform(matrix))
    source = before + np.float32(amount) * bending.displacement(before)
    return _ObjectView(window, before, source, cv2.remap(matte, source, None, cv2.INTER_LINEAR))


def _mask(view: _ObjectView, shape: tuple) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    mask[view.slices] = view.alpha > 127
    return mask


def _compose(background: np.ndarray, colours: np.ndarray, matrix: np.ndarray, view: _ObjectView) -> np.ndarray:
    frame = cv2.warpAffine(background, matrix, background.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101)
    moved = cv2.remap(colours, view.source, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    alpha = view.alpha[..., None].astype(np.float32) / 255
    frame[view.slices] = cv2.convertScaleAbs(alpha * moved + (1 - alpha) * frame[view.slices])
    return frame


def _camera_flow(matrix: np.ndarray, following: np.ndarray, shape: tuple) -> np.ndarray:
    linear = following[:, :2] @ np.linalg.inv(matrix[:, :2])
    step = np.column_stack([linear - np.eye(2), following[:, 2] - linear @ matrix[:, 2]])
    return cv2.transform(_grid(0, 0, shape[1], shape[0]), step)


def _add_object_flow(flow: np.ndarray, view: _ObjectView, following: np.ndarray, bending: Bending, amount: float
                     ) -> None:
    """Write the object's flow into ``flow``: it leads to the pixel that shows the same source in the next frame."""
    left, top, right, bottom = view.window
    before = bending.inverse(view.source, np.float32(amount), view.inverse_affine)
    vectors = cv2.transform(before, following) - _grid(left, top, right, bottom)
    part = flow[view.slices]
    part[view.alpha > 127] = vectors[view.alpha > 127]
