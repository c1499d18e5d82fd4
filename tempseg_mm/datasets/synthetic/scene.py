"""Textured surfaces that move and deform in closed form, and the camera that records them.

Masks and flow follow from the same formulas as the pixels, so they are exact. The module ``draw`` draws the scenes and
the module ``dataset`` writes them to disk. Points are (..., 2) float64 arrays of (x, y) in pixels; T is the number of
frames.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np


@dataclass(frozen=True)
class Motion:
    """Places a surface in the image: at frame t its local point p is seen at ``centre[t] + linear[t] @ p``.

    Attributes:
        centre: (T, 2) pixels.
        linear: (T, 2, 2), invertible.
    """
    centre: np.ndarray
    linear: np.ndarray

    def to_image(self, local: np.ndarray, t: int) -> np.ndarray:
        """Return the image points at which local points are seen at frame t."""
        return local @ self.linear[t].T + self.centre[t]

    def to_local(self, points: np.ndarray, t: int) -> np.ndarray:
        """Return the local points that are seen at image ``points`` at frame t."""
        return (points - self.centre[t]) @ np.linalg.inv(self.linear[t]).T


@dataclass(frozen=True)
class Outline:
    """A star-shaped outline that changes: ``radius * (1 + sum_k amplitudes[t, k] cos((k + 2) angle + phases[k]))``.

    Attributes:
        radius: mean radius in local units.
        amplitudes: (T, K); the absolute values of a frame sum to less than 1.
        phases: (K,) radians.
    """
    radius: float
    amplitudes: np.ndarray
    phases: np.ndarray

    def at(self, angle: np.ndarray, t: int) -> np.ndarray:
        """Return the distance of the outline from the centre in the direction ``angle`` at frame t, in local units."""
        distance = np.ones_like(angle)
        for k, (amplitude, phase) in enumerate(zip(self.amplitudes[t], self.phases, strict=True)):
            distance += amplitude * np.cos((k + 2) * angle + phase)
        return self.radius * distance

    def area(self, t: int) -> float:
        """Return the enclosed area at frame t in square local units: half the integral of the squared radius."""
        return np.pi * self.radius**2 * (1 + 0.5 * np.sum(self.amplitudes[t]**2))


@dataclass(frozen=True)
class Surface:
    """A texture that a motion carries along. Inside an outline, the texture stretches along the radius with the
    outline.

    The *canonical* coordinate of a point of the surface never changes: it is the local point at frame 0.

    Attributes:
        motion: position over time.
        texture: (h, w, 3) float32 RGB 0..255; its middle is canonical (0, 0), and it is mirrored beyond its borders.
        outline: ``None`` for a surface without borders, the background.
    """
    motion: Motion
    texture: np.ndarray
    outline: Outline | None = None

    def to_canonical(self, points: np.ndarray, t: int) -> np.ndarray:
        """Return the points of the surface that are seen at image ``points`` at frame t."""
        return self._stretch(self.motion.to_local(points, t), t, 0)

    def to_image(self, canonical: np.ndarray, t: int) -> np.ndarray:
        """Return where points of the surface are seen in the image at frame t; the inverse of :meth:`to_canonical`."""
        return self.motion.to_image(self._stretch(canonical, 0, t), t)

    def flow(self, points: np.ndarray, t: int) -> np.ndarray:
        """Return the displacement, in pixels, of what is seen at ``points`` from frame t to t+1."""
        return self.to_image(self.to_canonical(points, t), t + 1) - points

    def depth_inside(self, points: np.ndarray, t: int) -> np.ndarray:
        """Return the distance from the outline along the radius, in pixels, positive inside; (...,)."""
        if self.outline is None:
            return np.full(points.shape[:-1], np.inf)
        local = self.motion.to_local(points, t)
        depth = self.outline.at(_angle(local), t) - np.hypot(local[..., 0], local[..., 1])
        return depth * np.sqrt(np.linalg.det(self.motion.linear[t]))

    def area(self, t: int) -> float:
        """Return the area covered at frame t in square pixels, if nothing were hidden and the image had no borders."""
        return self.outline.area(t) * np.linalg.det(self.motion.linear[t])

    def window(self, t: int, height: int, width: int) -> tuple:
        """Return slices (rows, columns) that contain every pixel with ``depth_inside`` above -1 at frame t."""
        farthest = self.outline.radius * (1 + np.abs(self.outline.amplitudes[t]).sum())
        reach = farthest * np.linalg.norm(self.motion.linear[t], axis=1) + 2
        first = np.clip(np.floor(self.motion.centre[t] - reach), 0, (width, height)).astype(int)
        stop = np.clip(np.ceil(self.motion.centre[t] + reach) + 1, 0, (width, height)).astype(int)
        return slice(first[1], stop[1]), slice(first[0], stop[0])

    def colour(self, canonical: np.ndarray) -> np.ndarray:
        """Return the texture at an (H, W, 2) array of canonical points; (H, W, 3) float32."""
        at = (canonical + (np.array(self.texture.shape[1::-1]) - 1) / 2).astype(np.float32)
        return cv2.remap(self.texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)

    def _stretch(self, local: np.ndarray, t: int, to: int) -> np.ndarray:
        if self.outline is None or t == to:
            return local
        angle = _angle(local)
        return local * (self.outline.at(angle, to) / self.outline.at(angle, t))[..., None]


@dataclass(frozen=True)
class Camera:
    """Turns rendered images into recorded frames: light, blur and noise.

    Attributes:
        gain: (T,) brightness of each frame, a factor.
        slope: (T, 2) change of brightness over the width and over the height.
        blur: (T,) sigma of a Gaussian blur, pixels.
        noise: standard deviation in grey levels.
        seed: seed of the noise.
    """
    gain: np.ndarray
    slope: np.ndarray
    blur: np.ndarray
    noise: float
    seed: int

    def expose(self, image: np.ndarray, t: int) -> np.ndarray:
        """Convert an image, (H, W, 3) float32 0..255, to the (H, W, 3) uint8 frame recorded at t."""
        height, width = image.shape[:2]
        if self.blur[t] > 0:
            image = cv2.GaussianBlur(image, (0, 0), self.blur[t])
        x, y = np.linspace(-0.5, 0.5, width), np.linspace(-0.5, 0.5, height)
        light = self.gain[t] + self.slope[t, 0] * x[None] + self.slope[t, 1] * y[:, None]
        noise = np.random.default_rng([self.seed, t]).normal(0, self.noise, image.shape) if self.noise else 0
        return np.clip(image * light[..., None] + noise + 0.5, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Scene:
    """Surfaces from back to front, one of which is the object to segment.

    Attributes:
        height, width: size of the image in pixels.
        surfaces: the background first.
        target: index of the object in ``surfaces``.
        camera: ``None`` records the surfaces unchanged.
    """
    height: int
    width: int
    surfaces: tuple
    target: int
    camera: Camera | None = None

    @cached_property
    def points(self) -> np.ndarray:
        """Centres of all pixels, (H, W, 2)."""
        return np.dstack(np.meshgrid(np.arange(self.width, dtype=np.float64), np.arange(self.height, dtype=np.float64)))

    def front(self, t: int) -> np.ndarray:
        """Return the index of the surface seen at the centre of each pixel at frame t; (H, W) int."""
        front = np.zeros((self.height, self.width), int)
        for index, surface in enumerate(self.surfaces[1:], 1):
            window = surface.window(t, self.height, self.width)
            front[window][surface.depth_inside(self.points[window], t) > 0] = index
        return front

    def image(self, t: int) -> np.ndarray:
        """Render frame t, (H, W, 3) uint8 RGB. Edges are smoothed over one pixel."""
        image = self.surfaces[0].colour(self.surfaces[0].to_canonical(self.points, t))
        for surface in self.surfaces[1:]:
            window = surface.window(t, self.height, self.width)
            points = self.points[window]
            if points.size:
                coverage = np.clip(surface.depth_inside(points, t) + 0.5, 0, 1).astype(np.float32)[..., None]
                image[window] += coverage * (surface.colour(surface.to_canonical(points, t)) - image[window])
        return (image + 0.5).astype(np.uint8) if self.camera is None else self.camera.expose(image, t)

    def mask(self, t: int) -> np.ndarray:
        """Return the visible part of the object at frame t, (H, W) uint8 0/1."""
        return (self.front(t) == self.target).astype(np.uint8)

    def labels(self, t: int) -> np.ndarray:
        """Return object ids at frame t, (H, W) uint8: 1 for the object, 2 and up for things that move behind it.

        Things that pass in front of the object belong to the background, 0.
        """
        ids = np.zeros(len(self.surfaces), np.uint8)
        ids[self.target] = 1
        ids[1:self.target] = np.arange(2, self.target + 1)
        return ids[self.front(t)]

    def flow(self, t: int) -> np.ndarray:
        """Return the forward flow of what is visible at t, even if hidden at t+1; (H, W, 2) float32, pixels."""
        front = self.front(t)
        flow = np.empty((self.height, self.width, 2))
        for index, surface in enumerate(self.surfaces):
            seen = front == index
            flow[seen] = surface.flow(self.points[seen], t)
        return flow.astype(np.float32)


def _angle(local: np.ndarray) -> np.ndarray:
    return np.arctan2(local[..., 1], local[..., 0])
