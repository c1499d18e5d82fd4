"""Frames of a video file, decoded by FFmpeg through PyAV. ``open_source`` makes this source from a file."""

import itertools
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from tempseg_mm.runtime.content_digest import file_digest
from tempseg_mm.runtime.safe_path import path_text

from .frame_source import PartialSource
from .unreadable import nature_of, nearest_file
from .video_extent import extent_of

HDR = {16: 'PQ', 18: 'HLG'}  # transfer characteristics of ITU-T H.273
CONVERT = ('If other players show it, convert it: `ffmpeg -i FILE new.mp4`, or to a folder of frames: `ffmpeg -i FILE '
           'frames/%05d.png`')


class VideoFileSource(PartialSource):
    """Reads a file that FFmpeg can decode: MP4, MOV, AVI, MKV, WebM, ....

    Frames are upright: the rotation in the header, which phones write, is applied. The file is read once to count its
    frames, because headers may be wrong and the frame rate may vary.

    A later ``start``, and :meth:`frame`, begin to decode at the key frame before and recognise the wanted frame by its
    time stamp. If that fails, they decode from the beginning.

    If a damaged file ends early, all readable frames are yielded, and a notice names the last one. Frames in the middle
    that cannot be decoded are left out, so later frames have lower numbers if they are reached from the beginning.
    :meth:`frame` uses the same numbers once :meth:`frames` of this source has passed the damage.

    Args:
        path: the file.
        start: first frame.
        end: the frame to stop before.
        fps: frames per second; default: the rate in the header.
        resize_frames: resize frames of another size to the size of the first frame, for files that change their size.

    Raises:
        FileNotFoundError: if there is no such file.
        OSError: if it cannot be opened as a video; from :meth:`frames`, if no frame can be decoded.
        ValueError: if the name is no valid text, or the part lies outside of the file.
    """

    def __init__(self, path: str | Path, *, start: int = 0, end: int | None = None, fps: float | None = None,
                 resize_frames: bool = False) -> None:
        self.path = Path(path)
        with self._opened() as (container, stream):
            self._extent = extent_of(container, stream)
            rate, transfer = stream.average_rate or stream.guessed_rate, stream.codec_context.color_trc
        self.times = self._extent.times if fps is None else None
        if fps is None and rate:
            fps = float(rate)
        super().__init__(self.path.stem, start=start, end=end, length=self._extent.num_frames or None, fps=fps,
                         resize_frames=resize_frames)
        if transfer in HDR:
            self.notices.add(f'{self.path} has high dynamic range ({HDR[transfer]}); its colours were not converted, '
                             'so they look pale: `ffmpeg` with its filter tonemap makes an ordinary video of it')
        self._is_exact = self._extent.pts is not None  # the frame with the i-th time stamp is frame i
        self._lock, self._reformatter = threading.Lock(), VideoReformatter()
        self._ahead: Generator | None = None  # decoder of the last call of `frame`, kept for the following frames
        self._next = 0  # number of the next frame from it

    def digests(self) -> dict[str, str]:
        return {self.path.name: file_digest(self.path, most=2 ** 24)}

    def close(self) -> None:
        with self._lock:
            self._leave()

    def _images(self) -> Iterator[tuple[str, np.ndarray]]:
        last, reformatter = None, VideoReformatter()  # one for all frames: making it takes as long as one frame
        with closing(self._decoded_from(self.start)) as frames:
            for last, frame in frames:
                if last >= self.start:
                    yield f'{last:05d}', _upright(frame, reformatter)
        if last is None:
            raise OSError(f'{self.path} has no frame that can be decoded: copy the file again. {CONVERT}')
        if last < self.start:
            raise self._not_reached(self.start, last)
        if self._extent.fault:
            self.notices.add(f'{self.path} could be read up to frame {last} ({last + 1} frames); {self._extent.fault}. '
                             'It was cut off or is damaged there, unless its header is wrong')

    def _image(self, frame_id: int) -> tuple[str, np.ndarray]:
        with self._lock:
            if self._ahead is None or not self._lies_ahead(frame_id):
                self._leave()
                self._ahead, self._next = self._decoded_from(frame_id), 0
            try:
                for i, frame in self._ahead:
                    self._next = i + 1
                    if i == frame_id:
                        return f'{i:05d}', _upright(frame, self._reformatter)
            except BaseException:
                self._leave()
                raise
            self._leave()
            raise self._not_reached(frame_id, self._next - 1)

    def _lies_ahead(self, frame_id: int) -> bool:
        """Return True if continuing to decode is the shortest way to a frame."""
        if frame_id <= self._next or not self._is_exact:
            return frame_id >= self._next
        return self._extent.key_before(frame_id) == self._extent.key_before(self._next)

    def _leave(self) -> None:
        if self._ahead is not None:
            self._ahead.close()
        self._ahead = None

    def _not_reached(self, frame_id: int, last: int) -> OSError:
        return OSError(f'{self.path} cannot be read beyond frame {last}, so frame {frame_id} cannot be reached: it is '
                       'damaged, or its header states more frames than it has')

    def _end_notice(self, num_read: int) -> str | None:
        if self._end is None or self._extent.fault:
            return None  # a fault has its own notice; without an end, the whole file was read
        return super()._end_notice(num_read)

    def _decoded_from(self, first: int) -> Generator:
        """Yield number and frame, from ``first`` on; if seeking fails, from the beginning of the file."""
        if first and self._is_exact and (key := self._extent.key_before(first)) >= 0:
            with self._opened() as (container, stream):
                # Containers differ: some seek by the shown stamp and some by the decoded one, and some land late.
                for stamp in (*self._extent.keys[key], self._extent.keys[max(key - 1, 0), 1]):
                    frames = self._sought(container, stream, int(stamp), first)
                    if (frame := next(frames, None)) is not None:
                        yield first, frame
                        yield from self._numbered(frames, first + 1)
                        return
        with self._opened() as (container, stream):
            yield from self._numbered(self._decoded(container.demux(stream)), 0)

    def _numbered(self, frames: Iterator[av.VideoFrame], first: int) -> Iterator[tuple[int, av.VideoFrame]]:
        pts = self._extent.pts
        for i, frame in enumerate(frames, first):
            if self._is_exact and (i >= len(pts) or frame.pts != pts[i]):
                self._is_exact, self.times = False, None
            yield i, frame

    def _sought(self, container: av.container.InputContainer, stream: av.VideoStream, stamp: int, first: int
                ) -> Iterator[av.VideoFrame]:
        """Seek to a key frame and yield frames from ``first`` on; none if that does not lead to frame ``first``."""
        wanted, is_whole = self._extent.pts[first], False
        try:
            container.seek(stamp, stream=stream)
        except av.error.FFmpegError:  # not all formats can seek
            return
        packets = container.demux(stream)
        key = next((packet for packet in packets if packet.is_keyframe and packet.pts is not None), None)
        if key is None or key.pts > wanted:
            return
        frames = self._decoded(itertools.chain([key], packets), first)
        for frame in frames:
            # With gradual refresh, a "key frame" is no complete picture; only pictures of type I are.
            is_whole |= frame.pts == key.pts and frame.pict_type == PictureType.I
            if frame.pts is None or frame.pts > wanted:
                return
            if frame.pts == wanted:
                if is_whole:
                    yield frame
                    yield from frames
                return

    def _decoded(self, packets: Iterable[av.Packet], count: int = 0) -> Iterator[av.VideoFrame]:
        """Yield all frames; those that cannot be decoded are left out, as players do."""
        for packet in packets:
            try:
                frames = packet.decode()
            except av.error.InvalidDataError:
                self.notices.add(f'{self.path} is damaged after frame {count - 1}: frames that cannot be decoded were '
                                 'left out, so later frames have lower numbers than in an intact file'
                                 if count else f'{self.path} is damaged at its beginning, which was left out')
                continue
            count += len(frames)
            yield from frames

    @contextmanager
    def _opened(self) -> Iterator[tuple]:
        """Open the file; gives container and video stream."""
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
                stream = None  # the cover picture of a music file
            if stream is None and any(one.type == 'audio' for one in container.streams):
                raise OSError(f'{self.path} cannot be opened as a video: it holds sound, but no pictures')
            if stream is None:
                raise self._unopened(nature, 'it has no video stream')
            stream.thread_type = 'AUTO'
            yield container, stream

    def _unopened(self, nature: str, reason: str) -> OSError:
        if nature:
            return OSError(
                f'{self.path} cannot be opened as a video. If it was cut off while it was written, it lacks its index, '
                'which is at the end of most files: copy it again, or rebuild the index with a tool such as untrunc. '
                f'{CONVERT}')
        return OSError(f'{self.path} cannot be opened as a video: FFmpeg knows no such format ({reason}). '
                       f'{CONVERT}')


def _upright(frame: av.VideoFrame, reformatter: VideoReformatter) -> np.ndarray:
    image = reformatter.reformat(frame, format='rgb24', interpolation='BICUBIC').to_ndarray()
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, turns)) if turns else image
