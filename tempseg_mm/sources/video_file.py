"""Frames of a video file, decoded by FFmpeg through PyAV. Made by ``open_source``."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import VideoReformatter

from tempseg_mm.runtime.content_digest import file_digest
from tempseg_mm.runtime.safe_path import path_text

from .frame_source import PartialSource
from .unreadable import nature_of, nearest_file

HDR = {16: 'PQ', 18: 'HLG'}  # transfer characteristics of ITU-T H.273
LEAST_MISSING = 1.0, 0.05  # seconds, and share of the length, from which on an end counts as missing
LEAST_FRAMES_MISSING = 1.5  # likewise where the header tells a number of frames
CONVERT = ('If other players show it, convert it: `ffmpeg -i FILE new.mp4`, or to a folder of frames: `ffmpeg -i FILE '
           'frames/%05d.png`')


@dataclass(frozen=True)
class _Extent:
    """What a file holds, found by reading it without decoding.

    Attributes:
        num_frames: to be shown; where the header tells of more data than there are, as the header has it.
        fault: what is missing, in words; '' where all is there.
    """
    num_frames: int
    fault: str = ''


class VideoFileSource(PartialSource):
    """A file that FFmpeg reads: MP4, MOV, AVI, MKV, WebM, ....

    Frames are upright: the rotation that telephones note in the header is applied. They are counted by reading the file
    once, as headers may be wrong and frames may last differently long. A later ``start`` is reached by decoding what
    lies before it, as seeking to a frame is not exact in all formats. Where a damaged file ends before its header says,
    what can be read is yielded and a notice tells the frame.

    Args:
        path: the file.
        start: first frame.
        end: the frame to stop before.
        fps: frames a second; default: the header's.
        resize_frames: for files whose size changes midway.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it cannot be opened as a video; from :meth:`frames`, if it has no frame that can be decoded.
        ValueError: for a name that is no text, or a part that is not in it.
    """

    def __init__(self, path: str | Path, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self.path = Path(path)
        with self._opened() as (container, stream):
            self._extent = _extent_of(container, stream)
            rate, transfer = stream.average_rate or stream.guessed_rate, stream.codec_context.color_trc
        if fps is None and rate:
            fps = float(rate)
        super().__init__(self.path.stem, start=start, end=end, length=self._extent.num_frames or None, fps=fps,
                         resize_frames=resize_frames)
        if transfer in HDR:
            self.notices.add(f'{self.path} has high dynamic range ({HDR[transfer]}); its colours were taken as they '
                             'are, hence pale: `ffmpeg` with its filter tonemap makes an ordinary video of it')

    def digests(self) -> dict[str, str]:
        return {self.path.name: file_digest(self.path, most=2 ** 24)}

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        with self._opened() as (container, stream):
            stream.thread_type, i = 'AUTO', 0
            reformatter = VideoReformatter()  # one for all frames: making it takes as long as its work
            for frame in self._decoded(container, stream):
                if i >= self.start:
                    image = reformatter.reformat(frame, format='rgb24', interpolation='BICUBIC').to_ndarray()
                    turns = round(frame.rotation / 90) % 4
                    yield f'{i:05d}', np.ascontiguousarray(np.rot90(image, turns)) if turns else image
                i += 1
        if i == 0:
            raise OSError(f'{self.path} has no frame that can be decoded: copy the file again. {CONVERT}')
        if i <= self.start:
            raise OSError(f'{self.path} cannot be read beyond frame {i - 1}, so not from frame {self.start} on: it is '
                          'damaged, or its header tells more frames than it has')
        if self._extent.fault:
            self.notices.add(f'{self.path} could be read up to frame {i - 1}, {i} frames; {self._extent.fault}. It was '
                             'cut off or is damaged there, unless its header is wrong')

    def _end_notice(self, num_read: int) -> str | None:
        if self._end is None or self._extent.fault:
            return None  # said where it was found
        return super()._end_notice(num_read)

    def _decoded(self, container: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.VideoFrame]:
        """All frames; what cannot be decoded is left out, as players do."""
        count = 0
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                self.notices.add(f'{self.path} is damaged after frame {count - 1}: what could not be decoded was left '
                                 'out, so frames after it have lower numbers than in a whole file'
                                 if count else f'{self.path} is damaged at its beginning, which was left out')
                continue
            count += len(frames)
            yield from frames

    @contextmanager
    def _opened(self) -> Iterator[tuple]:
        """Container and stream."""
        text = path_text(self.path.absolute())
        if not self.path.exists():
            raise FileNotFoundError(f'there is no video file {self.path}{nearest_file(self.path)}')
        nature = nature_of(self.path)
        if nature and not nature.startswith('a video'):
            raise OSError(f'{self.path} cannot be opened as a video: it is {nature}')
        try:
            container = av.open(f'file:{text}', metadata_errors='ignore')  # 'a:b' would be a protocol
        except av.error.FFmpegError as error:
            raise self._unopened(nature, error.strerror) from error
        with container:
            stream = container.streams.best('video')
            if stream is not None and stream.disposition & av.stream.Disposition.attached_pic:
                stream = None  # the cover of a piece of music
            if stream is None and any(one.type == 'audio' for one in container.streams):
                raise OSError(f'{self.path} cannot be opened as a video: it holds sound, but no pictures')
            if stream is None:
                raise self._unopened(nature, 'it tells of nothing to play')
            yield container, stream

    def _unopened(self, nature: str, reason: str) -> OSError:
        if nature:
            return OSError(
                f'{self.path} cannot be opened as a video. If it was cut off while it was being written, its index is '
                'missing, which stands at the end of most files: copy it again, or rebuild the index with a tool such '
                f'as untrunc. {CONVERT}')
        return OSError(f'{self.path} cannot be opened as a video: FFmpeg knows no such format ({reason}). '
                       f'{CONVERT}')


def _extent_of(container: av.container.InputContainer, stream: av.VideoStream) -> _Extent:
    shown, held, ends = 0, 0, 0.0
    for packet in container.demux(stream):
        if packet.size or packet.dts is not None:  # the last one says that there are no more
            held += 1
            shown += not packet.is_discard and packet.size > 0
            if packet.pts is not None:
                ends = max(ends, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    length, rate = _seconds(container, stream), float(stream.average_rate or 1)
    missing = 0.0 if length is None else length - ends
    # An AVI whose frames last differently long counts the pauses as frames.
    if stream.frames > held and (length is None or missing > LEAST_FRAMES_MISSING / rate):
        return _Extent(stream.frames, f'{stream.frames} were expected')
    if not stream.frames and held and missing > max(LEAST_MISSING[0], LEAST_MISSING[1] * length):
        return _Extent(shown, f'{length:.1f} s were expected, {ends:.1f} s are there')
    return _Extent(shown)


def _seconds(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    """When the pictures end as the header has it, counted as time stamps are; ``None`` where it does not tell."""
    if stream.duration:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    if container.duration and len(container.streams) == 1:  # sound may last longer than pictures
        return (container.duration + max(container.start_time or 0, 0)) / av.time_base
    return None
