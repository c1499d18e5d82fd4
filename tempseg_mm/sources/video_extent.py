"""Counts the frames of a video file and finds where decoding can begin, by reading its packets without decoding."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

LEAST_MISSING = 1.0, 0.05  # an end counts as missing beyond this many seconds and this share of the length
LEAST_FRAMES_MISSING = 1.5  # the same in frames, if the header states their number


@dataclass(frozen=True)
class VideoExtent:
    """The frames of a video file and the places where decoding can begin.

    Attributes:
        num_frames: number of frames that are shown. With a fault, it is the number in the header if that has one.
        fault: clause that says what is missing; '' if the file is complete.
        pts: time stamp of each frame, ascending int64; ``None`` if stamps are missing or repeated, a packet is corrupt,
            there is no key frame, or with a fault.
        keys: (K, 2) int64, one row per key frame (decoding can begin there), ascending: the time stamps at which it is
            shown and decoded. ``None`` without :attr:`pts`.
        time_base: unit of the time stamps in seconds.
    """
    num_frames: int
    fault: str = ''
    pts: np.ndarray | None = None
    keys: np.ndarray | None = None
    time_base: Fraction = Fraction(1)

    @property
    def times(self) -> np.ndarray | None:
        """Time at which each frame is shown, float64 seconds from 0; ``None`` without :attr:`pts`."""
        return None if self.pts is None else (self.pts - self.pts[0]) * float(self.time_base)

    def key_before(self, frame_id: int) -> int:
        """Return the row in :attr:`keys` of the last key frame at or before a frame; -1 without one."""
        return int(np.searchsorted(self.keys[:, 0], self.pts[frame_id], side='right')) - 1


def extent_of(container: av.container.InputContainer, stream: av.VideoStream) -> VideoExtent:
    """Read all packets of a stream.

    Args:
        container: the open file, at its beginning. It is at its end afterwards.
        stream: the video stream of the container.
    """
    shown, keys, held, ends, is_whole = [], [], 0, 0.0, True
    for packet in container.demux(stream):
        if not packet.size and packet.dts is None:
            continue  # PyAV ends with an empty packet
        held += 1
        is_whole &= not packet.is_corrupt
        if packet.size and not packet.is_discard:
            shown.append(packet.pts)
        if packet.pts is not None:
            ends = max(ends, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.is_keyframe:
                keys.append((packet.pts, packet.pts if packet.dts is None else packet.dts))
    fault = _fault(container, stream, len(shown), held, ends)
    if fault or not is_whole or not keys or None in shown or len(set(shown)) < len(shown):
        return VideoExtent(stream.frames if fault and stream.frames else len(shown), fault)
    return VideoExtent(len(shown), pts=np.array(sorted(shown), np.int64), keys=np.array(sorted(keys), np.int64),
                       time_base=stream.time_base)


def _fault(container: av.container.InputContainer, stream: av.VideoStream, shown: int, held: int, ends: float) -> str:
    length, rate = _seconds(container, stream), float(stream.average_rate or 1)
    # The header of an AVI with a variable frame rate also counts pauses as frames.
    if stream.frames > held and (length is None or length - ends > LEAST_FRAMES_MISSING / rate):
        return f'{stream.frames} were expected'
    if length is None or stream.frames or not held:
        return ''
    if length - ends > max(LEAST_MISSING[0], LEAST_MISSING[1] * length):
        return f'{length:.1f} s were expected, {ends:.1f} s were found'
    return ''


def _seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """Return the end of the pictures by the header, in seconds on the scale of time stamps; ``None`` if not stated."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if container.duration and len(container.streams) == 1:  # sound may last longer than pictures
        return (container.duration + max(container.start_time or 0, 0)) / av.time_base
    return None
