"""Draws plausible random scenes: shapes, paths, textures, light. One seed determines everything."""

from dataclasses import dataclass

import cv2
import numpy as np

from .scene import Camera, Motion, Outline, Scene, Surface

MAX_TRIES = 1000
FRAME_RATE = 24


@dataclass(frozen=True)
class SceneParams:
    """Appearance and difficulty of a sequence.

    Attributes:
        num_frames: T, at least 2.
        height, width: size of the frames in pixels, at least 32.
        max_speed: largest speed of the object along its path, pixels per frame.
        occluders: number of things that pass in front of the object, 0 to 5.
        distractors: number of things behind the object that look and move like it, 0 to 5.
        similarity: similarity of a distractor's colours to the object's, in [0, 1]. 1: both are drawn from one palette.
            0: the palettes are a quarter of the colour circle apart. Shapes and details of the texture always differ.
        blur: largest sigma of the blur, pixels.
        lighting: largest relative change of brightness, at most 0.9.
        deformation: largest relative change of the object's radius over time, at most 0.4.
    """
    num_frames: int = 24
    height: int = 128
    width: int = 224
    max_speed: float = 4.0
    occluders: int = 1
    distractors: int = 1
    similarity: float = 0.7
    blur: float = 0.8
    lighting: float = 0.15
    deformation: float = 0.15

    def __post_init__(self) -> None:
        limits = dict(num_frames=(2, 10_000), height=(32, 10_000), width=(32, 10_000), max_speed=(0, 1000),
                      occluders=(0, 5), distractors=(0, 5), similarity=(0, 1), blur=(0, 100), lighting=(0, 0.9),
                      deformation=(0, 0.4))
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ValueError(f'{name} of SceneParams must be in [{low}, {high}], got {getattr(self, name)!r}')


DIFFICULTIES = dict(
    easy=dict(max_speed=2.5, occluders=0, distractors=0, blur=0.0, lighting=0.0, deformation=0.08),
    medium=dict(),
    hard=dict(max_speed=6.0, occluders=2, distractors=2, similarity=0.9, blur=1.5, lighting=0.3, deformation=0.25))


def draw_scene(params: SceneParams, seed: np.random.SeedSequence) -> Scene:
    """Draw one scene; the same arguments give the same scene.

    The object covers 4 to 15 % of the frame. At least 85 % of it is visible in the first two frames, and at least 30 %
    in the others. A scene that violates this is drawn again.

    Raises:
        ValueError: if no plausible scene is found with these parameters.
    """
    rng = np.random.default_rng(seed)
    for _ in range(MAX_TRIES):
        scene = _draw_geometry(params, rng)
        if _is_plausible(scene, params):
            return _dress(scene, params, rng)
    raise ValueError(f'{MAX_TRIES} random scenes were drawn, and in each the object is hidden, out of view or hardly '
                     f'moves, with {params}; lower `occluders`, `distractors` or `deformation`, or change `max_speed`: '
                     'in pixels per frame, it must suit the size and the number of frames')


# --- shapes and paths ---


def _draw_geometry(params: SceneParams, rng: np.random.Generator) -> Scene:
    """Draw a scene without textures."""
    bare = np.zeros((1, 1, 3), np.float32)
    ground = Surface(_background_motion(params, rng), bare)
    radius = np.sqrt(rng.uniform(0.055, 0.1) * params.height * params.width / np.pi)
    target = Surface(_wander(params, radius, rng), bare, _draw_outline(params, radius, rng))
    distractors = []
    for _ in range(params.distractors):
        size = radius * rng.uniform(0.8, 1.1)
        distractors.append(Surface(_wander(params, size, rng), bare, _draw_outline(params, size, rng)))
    occluders = [_draw_occluder(params, ground.motion, target, rng) for _ in range(params.occluders)]
    return Scene(params.height, params.width, (ground, *distractors, target, *occluders), 1 + len(distractors))


def _wave(num_frames: int, periods: float, rng: np.random.Generator) -> np.ndarray:
    """Return a sine with random phase, (T,), in [-1, 1], with ``periods`` per second whatever the length T."""
    return np.sin(2 * np.pi * periods * np.arange(num_frames) / FRAME_RATE + rng.uniform(0, 2 * np.pi))


def _similarity(centre: np.ndarray, scale: np.ndarray, angle: np.ndarray) -> Motion:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return Motion(centre, np.stack([cos, -sin, sin, cos], axis=-1).reshape(-1, 2, 2))  # [T,4] -> [T,2,2]


def _background_motion(params: SceneParams, rng: np.random.Generator) -> Motion:
    """Draw the motion of an unsteady hand-held camera."""
    size = np.array([params.width, params.height])
    frames = params.num_frames
    drift = np.stack([_wave(frames, rng.uniform(0.2, 0.8), rng) for _ in range(2)], axis=-1)
    return _similarity((size - 1) / 2 + 0.04 * size * drift, 1 + 0.04 * _wave(frames, 0.5, rng),
                       np.deg2rad(2) * _wave(frames, 0.6, rng))


def _wander(params: SceneParams, radius: float, rng: np.random.Generator) -> Motion:
    """Draw a smooth path, with rotation and zoom, that stays mostly in view."""
    frames, size = params.num_frames, np.array([params.width, params.height])
    reach = np.maximum(size / 2 - 0.9 * radius, 1) * rng.uniform(0.7, 1, 2)
    heading = rng.uniform(-0.25, 0.25) * np.pi
    speed = params.max_speed * rng.uniform(0.75, 1) * np.abs([np.cos(heading), np.sin(heading)])
    periods = speed * FRAME_RATE / (2 * np.pi * reach)  # so that the largest speed on the path is ``speed``
    path = np.stack([reach[axis] * _wave(frames, periods[axis], rng) for axis in range(2)], axis=-1)
    scale = np.exp(np.log(1.4) * rng.uniform(0.4, 1) * _wave(frames, rng.uniform(0.3, 0.7), rng))
    angle = rng.uniform(0, 2 * np.pi) + rng.uniform(-1, 1) * np.pi / 48 * np.arange(frames)
    angle = angle + np.deg2rad(8) * _wave(frames, rng.uniform(0.5, 1.5), rng)
    return _similarity((size - 1) / 2 + path, scale, angle)


def _draw_outline(params: SceneParams, radius: float, rng: np.random.Generator) -> Outline:
    """Draw a shape of 2 to 5 lobes that changes over time by at most ``deformation``."""
    rest = rng.uniform(-1, 1, 4) * (0.28, 0.14, 0.08, 0.05)
    share = rng.dirichlet(np.ones(4)) * params.deformation
    change = np.stack([_wave(params.num_frames, rng.uniform(0.5, 1.5), rng) for _ in range(4)], axis=-1)
    return Outline(radius, rest + share * change, rng.uniform(0, 2 * np.pi, 4))


def _draw_occluder(params: SceneParams, ground: Motion, target: Surface, rng: np.random.Generator) -> Surface:
    """Draw a tall narrow thing that stands on the background at a place that the object passes."""
    radius = 0.4 * params.height
    meeting = int(params.num_frames * rng.uniform(0.35, 0.8))
    offset = rng.uniform(-0.3, 0.3, 2) * target.outline.radius
    anchor = ground.to_local(target.motion.centre[meeting] + offset, meeting)
    tilt, narrow = rng.uniform(-0.3, 0.3), rng.uniform(0.25, 0.4) * target.outline.radius / radius
    stand = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]) @ np.diag([narrow, 1])
    centre = np.stack([ground.to_image(anchor, t) for t in range(params.num_frames)])
    amplitudes = np.tile(rng.uniform(-0.12, 0.12, 3), (params.num_frames, 1))
    outline = Outline(radius, amplitudes, rng.uniform(0, 2 * np.pi, 3))
    return Surface(Motion(centre, ground.linear @ stand), np.zeros((1, 1, 3), np.float32), outline)


def _is_plausible(scene: Scene, params: SceneParams) -> bool:
    target = scene.surfaces[scene.target]
    area = np.array([target.area(t) for t in range(params.num_frames)])
    relative = area / (params.height * params.width)
    if relative.min() < 0.04 or relative.max() > 0.15:
        return False
    travel = np.linalg.norm(target.motion.centre - target.motion.centre[0], axis=1).mean()
    if travel < min(0.25 * params.max_speed * params.num_frames, 0.15 * params.width):
        return False
    for other in scene.surfaces[1:scene.target]:
        apart = np.linalg.norm(target.motion.centre[0] - other.motion.centre[0])
        if apart < 0.8 * (target.outline.radius + other.outline.radius):
            return False
    for t in range(params.num_frames):
        if scene.mask(t).sum() / area[t] < (0.85 if t < 2 else 0.3):
            return False
    return True


# --- textures and light ---


def _dress(scene: Scene, params: SceneParams, rng: np.random.Generator) -> Scene:
    """Add textures and a camera. Background and occluders share a palette that is far from the object's."""
    hue = rng.uniform(0, 360)
    ground_palette = _palette(hue + rng.uniform(100, 260), (0.15, 0.6), rng)
    palette = _palette(hue, (0.45, 0.9), rng)
    stripes = rng.uniform(6, 14) if rng.random() < 0.5 else 0.0
    surfaces = []
    for index, surface in enumerate(scene.surfaces):
        if index == scene.target:
            texture = _texture((160, 160), palette, rng, stripes=stripes)
        elif 0 < index < scene.target:
            away = (1 - params.similarity) * 90 * rng.choice([-1, 1])
            texture = _texture((160, 160), _turn_hue(palette, away), rng, stripes=stripes)
        else:
            size = (int(1.2 * params.height), int(1.2 * params.width))
            texture = _texture(size, ground_palette, rng, coarsest=64)
        surfaces.append(Surface(surface.motion, texture, surface.outline))
    return Scene(scene.height, scene.width, tuple(surfaces), scene.target, _draw_camera(params, rng))


def _palette(hue: float, saturation: tuple, rng: np.random.Generator) -> np.ndarray:
    """Draw four colours around a hue (degrees), from dark to bright; (4, 3) float32 HSV as in OpenCV."""
    hues = (hue + rng.uniform(-25, 25, 4)) % 360
    values = np.linspace(rng.uniform(0.15, 0.4), rng.uniform(0.75, 1), 4)
    return np.stack([hues, rng.uniform(*saturation, 4), values], axis=-1).astype(np.float32)


def _turn_hue(palette: np.ndarray, degrees: float) -> np.ndarray:
    turned = palette.copy()
    turned[:, 0] = (palette[:, 0] + degrees) % 360
    return turned


def _texture(size: tuple, palette: np.ndarray, rng: np.random.Generator, *, stripes: float = 0.0,
             coarsest: int = 32) -> np.ndarray:
    """Draw noise of several octaves in the colours of a palette; (h, w, 3) float32 RGB 0..255.

    Args:
        size: (h, w) pixels.
        palette: (4, 3) HSV.
        rng: source of the noise.
        stripes: width of a wavy stripe in pixels; 0: no stripes.
        coarsest: cell size of the coarsest octave in pixels; it is halved down to 4.
    """
    noise, cell = np.zeros(size, np.float32), coarsest
    while cell >= 4:
        grid = rng.normal(size=(size[0] // cell + 2, size[1] // cell + 2)).astype(np.float32)
        noise += (cell / coarsest)**0.6 * cv2.resize(grid, size[::-1], interpolation=cv2.INTER_CUBIC)
        cell //= 2
    noise /= noise.std()
    if stripes:
        y, x = np.mgrid[:size[0], :size[1]]
        direction = rng.uniform(0, np.pi)
        along = x * np.cos(direction) + y * np.sin(direction)
        noise = 1.2 * np.sin(np.pi * along / stripes + noise) + 0.4 * noise
    level = 0.5 + 0.5 * np.tanh(0.9 * noise)  # spreads the normal values evenly over 0..1
    colours = cv2.cvtColor(palette[None], cv2.COLOR_HSV2RGB)[0] * 255
    stops = np.linspace(0, 1, len(colours))
    return np.dstack([np.interp(level, stops, channel) for channel in colours.T]).astype(np.float32)


def _draw_camera(params: SceneParams, rng: np.random.Generator) -> Camera:
    frames = params.num_frames
    slope = np.stack([_wave(frames, rng.uniform(0.2, 0.6), rng) for _ in range(2)], axis=-1)
    blur = params.blur * rng.uniform(0.3, 1) * (0.5 + 0.5 * _wave(frames, rng.uniform(0.5, 1.5), rng))
    return Camera(1 + params.lighting * _wave(frames, rng.uniform(0.3, 1), rng), params.lighting * slope,
                  np.where(blur < 0.2, 0, blur), noise=1.5, seed=int(rng.integers(2**31)))
