"""What a video file holds and where decoding can begin, found by reading it without decoding. Used by its source."""

from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

LEAST_MISSING = 1.0, 0.05  # seconds, and share of the length, from which on an end counts as missing
LEAST_FRAMES_MISSING = 1.5  # likewise where the header tells a number of frames


@dataclass(frozen=True)
class VideoExtent:
    """See the module.

    Attributes:
        num_frames: to be shown; where the header tells of more data than there are, as the header has it.
        fault: what is missing, in words; '' where all is there.
        pts: int64, ascending: time stamp of each frame; ``None`` where some are missing or twice, or with a fault.
        keys: (K, 2) int64: time stamps of the frames at which decoding can begin, ascending, and those at which they
            are decoded.
        time_base: unit of the time stamps, in seconds.
    """
    num_frames: int
    fault: str = ''
    pts: np.ndarray | None = None
    keys: np.ndarray | None = None
    time_base: Fraction = Fraction(1)

    @property
    def times(self) -> np.ndarray | None:
        """Seconds at which each frame is shown, from 0, float64; ``None`` without :attr:`pts`."""
        return None if self.pts is None else (self.pts - self.pts[0]) * float(self.time_base)

    def key_before(self, frame_id: int) -> int:
        """Row of :attr:`keys` of the last one at or before a frame; -1 if there is none."""
        return int(np.searchsorted(self.keys[:, 0], self.pts[frame_id], side='right')) - 1


def extent_of(container: av.container.InputContainer, stream: av.VideoStream) -> VideoExtent:
    """Reads all packets of a stream.

    Args:
        container: at its beginning; at its end afterwards.
        stream: of it.
    """
    shown, keys, held, ends, is_whole = [], [], 0, 0.0, True
    for packet in container.demux(stream):
        if not packet.size and packet.dts is None:
            continue  # the last one says that there are no more
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
    # An AVI whose frames last differently long counts the pauses as frames.
    if stream.frames > held and (length is None or length - ends > LEAST_FRAMES_MISSING / rate):
        return f'{stream.frames} were expected'
    if length is None or stream.frames or not held:
        return ''
    if length - ends > max(LEAST_MISSING[0], LEAST_MISSING[1] * length):
        return f'{length:.1f} s were expected, {ends:.1f} s are there'
    return ''


def _seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """When the pictures end as the header has it, counted as time stamps are; ``None`` where it does not tell."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if container.duration and len(container.streams) == 1:  # sound may last longer than pictures
        return (container.duration + max(container.start_time or 0, 0)) / av.time_base
    return None
