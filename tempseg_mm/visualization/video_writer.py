"""Video files that are written picture by picture and appear whole or not at all. Used by the overlays and exports."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter

from tempseg_mm.runtime.atomic import written_beside

FINE = Fraction(1, 90000)  # seconds, unit of time stamps if frames have different durations
CHANNELS = {3: 'rgb24', 4: 'rgba'}


@dataclass(frozen=True)
class VideoProfile:
    """Encoding of a video.

    Attributes:
        suffix: suffix of the file, which determines the container.
        codec: FFmpeg's name of the encoder.
        pixels: FFmpeg's name of the pixel format that is encoded.
        options: options of the encoder.
        container: options of the container.
        threads: threads of the encoder; 0: one per core.
    """
    suffix: str
    codec: str
    pixels: str = 'yuv420p'
    options: Mapping = field(default_factory=dict)
    container: Mapping = field(default_factory=dict)
    threads: int = 0

    @property
    def has_alpha(self) -> bool:
        """True if pictures are RGBA."""
        return self.pixels.startswith('yuva')

    @property
    def step(self) -> int:
        """Number of which height and width must be multiples."""
        return 2 if '420' in self.pixels else 1


INDEX_FIRST = {'movflags': '+faststart'}  # so that the video plays before it is fully downloaded
VP9_LIVE = {'deadline': 'realtime', 'lag-in-frames': '0', 'b': '0'}  # a tenth of the time of 'good', equally sharp
# All browsers play WebM, and it is free. Every twelfth frame is a key frame, so that a page can seek. The encoder runs
# beside a network, so it must be quick: it takes at most a third of the time of OpenCV's VP8.
QUICK_WEBM = VideoProfile('.webm', 'libvpx-vp9', options={**VP9_LIVE, 'cpu-used': '8', 'crf': '20', 'g': '12'},
                          threads=1)
WEBM = VideoProfile('.webm', 'libvpx-vp9', options={**VP9_LIVE, 'cpu-used': '7', 'row-mt': '1', 'crf': '24', 'g': '48'})
WEBM_ALPHA = VideoProfile('.webm', 'libvpx-vp9', 'yuva420p',
                          {**VP9_LIVE, 'cpu-used': '7', 'row-mt': '1', 'crf': '20', 'g': '48'})
# Without B-frames the length of a file is exactly the sum of its frames' durations, even if these differ.
MP4 = VideoProfile('.mp4', 'libx264', options={'preset': 'veryfast', 'bf': '0', 'crf': '18'}, container=INDEX_FIRST)
# A qp of 0 would be lossless, but few editors read that.
MATTE_MP4 = VideoProfile('.mp4', 'libx264', options={'preset': 'veryfast', 'bf': '0', 'qp': '1'}, container=INDEX_FIRST)
PRORES_4444 = VideoProfile('.mov', 'prores_ks', 'yuva444p10le',
                           {'profile': '4444', 'vendor': 'apl0', 'alpha_bits': '16'}, INDEX_FIRST)


def bt709_frame(image: np.ndarray, pixels: str, reformatter: VideoReformatter) -> av.VideoFrame:
    """Convert a picture to the input of an encoder.

    Args:
        image: (H, W, 3) uint8 RGB or (H, W, 4) RGBA.
        pixels: FFmpeg's name of the resulting pixel format, such as ``'yuv420p'``.
        reformatter: converter, shared by all frames of a video.

    Returns:
        A frame in the colours of BT.709, limited range, with these marked in its metadata.
    """
    frame = reformatter.reformat(
        av.VideoFrame.from_ndarray(image, CHANNELS[image.shape[2]]), format=pixels, interpolation='BICUBIC',
        dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
        threads=1)  # with several threads, parts of some rows get a wrong alpha (FFmpeg 8.0)
    frame.color_trc, frame.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
    return frame


class VideoWriter:
    """Video that is written frame by frame and keeps no frame in memory.

    ::

        with VideoWriter('camel.mp4', MP4, fps=24) as video:
            for image in images:
                video.write(image)

    The file is written beside ``path`` and renamed on :meth:`close`. After an error, or without any frame, no file is
    left. Colours are BT.709 in limited range, and marked so. Alpha is straight: colours are not multiplied by it.

    Args:
        path: the file, with the suffix of the profile; its folder is created.
        profile: encoding.
        fps: frames per second.
        timed: True if each frame comes with the second at which it is shown, instead of a constant rate.

    Raises:
        ValueError: for another suffix, or if ``fps`` is not positive.
        OSError: from :meth:`write`, if the file cannot be written or PyAV lacks the codec.
    """

    def __init__(self, path: str | Path, profile: VideoProfile, fps: float, *, timed: bool = False) -> None:
        self.path, self.profile, self.fps, self.timed = Path(path), profile, fps, timed
        if self.path.suffix.lower() != profile.suffix:
            raise ValueError(f'the codec needs a name that ends in {profile.suffix}, got {self.path.name!r}')
        if not fps > 0:
            raise ValueError(f'fps must be positive, got {fps}')
        self._rate = Fraction(fps).limit_denominator(1001)
        self._stack, self._reformatter = ExitStack(), VideoReformatter()
        self._video: av.VideoStream | None = None
        self._shape: tuple[int, ...] = ()
        self._num_frames = 0
        self._held: av.VideoFrame | None = None  # a timed frame waits for the next one, which sets its duration

    def write(self, image: np.ndarray, time: float | None = None) -> None:
        """Append a frame.

        Args:
            image: (H, W, 3) uint8 RGB, or (H, W, 4) RGBA if the profile has alpha; same size as the first frame. If the
                codec needs even sides, an odd side is extended by a copy of the edge with alpha 0.
            time: seconds, later than the frame before; needed if ``timed``. The first frame may have any time.

        Raises:
            ValueError: if the frame differs in shape from the first, or if its time is missing or not later.
            OSError: see the class.
        """
        if self._video is None:
            self._open(image.shape)
        if image.shape != self._shape:
            raise ValueError(f'{self.path.name}: all frames must be like the first, {self._shape}, got {image.shape}')
        frame = bt709_frame(self._filled_up(image), self.profile.pixels, self._reformatter)
        if self.timed:
            self._hold(frame, time)
        else:
            frame.pts, frame.duration, frame.time_base = self._num_frames, 1, 1 / self._rate
            self._encode(frame)
        self._num_frames += 1

    def close(self) -> None:
        """Finish the file and put it in place."""
        self.__exit__(None, None, None)

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)
        self._video = None

    def _filled_up(self, image: np.ndarray) -> np.ndarray:
        rest = [-side % self.profile.step for side in image.shape[:2]]
        if any(rest):
            height, width = image.shape[:2]
            image = cv2.copyMakeBorder(image, 0, rest[0], 0, rest[1], cv2.BORDER_REPLICATE)
            if self.profile.has_alpha:
                image[height:, :, 3] = image[:, width:, 3] = 0
        return np.ascontiguousarray(image)

    def _open(self, shape: tuple[int, ...]) -> None:
        channels = 4 if self.profile.has_alpha else 3
        if len(shape) != 3 or shape[2] != channels:
            raise ValueError(f'{self.path.name}: a frame must be (H, W, {channels}) {"RGBA"[:channels]}, got {shape}')
        height, width = (side + -side % self.profile.step for side in shape[:2])
        with ExitStack() as stack:
            file = stack.enter_context(open(stack.enter_context(written_beside(self.path)), 'w+b'))
            container = stack.enter_context(av.open(
                file, 'w', format=self.profile.suffix[1:], options=dict(self.profile.container),
                io_open=lambda url, flags, options: open(file.name, 'rb')))  # FFmpeg reads it to move the index first
            try:
                video = container.add_stream(self.profile.codec, rate=self._rate, options=dict(self.profile.options),
                                             pix_fmt=self.profile.pixels, width=width, height=height)
            except ValueError as error:
                raise OSError(f'cannot write {self.path}: this PyAV lacks the codec {self.profile.codec}. The wheels '
                              'of PyAV have it: pip install --force-reinstall av. `write_gif` needs none') from error
            context = video.codec_context
            context.thread_count = self.profile.threads
            context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
            context.color_trc, context.color_primaries = ColorTrc.BT709, ColorPrimaries.BT709
            if self.timed:
                context.time_base = FINE
            stack.push(self._finish)
            self._stack, self._video, self._shape = stack.pop_all(), video, shape

    def _hold(self, frame: av.VideoFrame, time: float | None) -> None:
        if time is None:
            raise ValueError(f'{self.path.name}: frame {self._num_frames} has no time, but the video is timed')
        frame.pts, frame.time_base = round(time / FINE), FINE
        if self._held is not None:
            self._held.duration = frame.pts - self._held.pts
            if self._held.duration <= 0:
                raise ValueError(f'{self.path.name}: frame {self._num_frames} is shown at {time:.6f} s, which is not '
                                 'later than the frame before')
            self._encode(self._held)
        self._held = frame

    def _encode(self, frame: av.VideoFrame | None) -> None:
        self._video.container.mux(self._video.encode(frame))

    def _finish(self, kind: type | None, *_: object) -> None:
        if kind is None:
            if self._held is not None:
                self._held.duration = round(1 / self._rate / FINE)
                self._encode(self._held)
            self._encode(None)  # flushes the frames that the encoder still holds
