import shutil
import struct

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.video_file import VideoFileSource

NUM_FRAMES, SIZE = 12, (48, 64)
QUARTER_TURN = (0, 1, 0, -1, 0, 0, 0, 0, 1)  # of ISO 14496-12: (x, y) -> (-y, x), clockwise on the screen


@pytest.fixture(scope='module')
def movie(tmp_path_factory):
    """An MP4 of 12 frames of 48x64: frame i has the gray 20 i, and a red square in its upper left corner."""
    path = tmp_path_factory.mktemp('movie') / 'shot 1.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 12.5, SIZE[::-1])
    assert writer.isOpened()
    for i in range(NUM_FRAMES):
        image = np.full((*SIZE, 3), 20 * i, np.uint8)
        image[:16, :16] = (0, 0, 255)
        writer.write(image)
    writer.release()
    return path


def boxes(data):
    """``{type: bytes}`` of the outermost boxes of an MP4."""
    found, place = {}, 0
    while place < len(data):
        size, kind = struct.unpack('>I4s', data[place:place + 8])
        found[kind] = data[place:place + size]
        place += size
    return found


def index_first(data):
    """The same MP4 with its index before the frames, as for streaming: their offsets grow by its size."""
    parts = boxes(data)
    index = parts[b'moov']
    table = index.index(b'stco') + 8
    count, = struct.unpack_from('>I', index, table)
    offsets = struct.unpack_from(f'>{count}I', index, table + 4)
    moved = struct.pack(f'>{count}I', *(offset + len(index) for offset in offsets))
    index = index[:table + 4] + moved + index[table + 4 + len(moved):]
    return b''.join((parts[b'ftyp'], index, parts.get(b'free', b''), parts[b'mdat']))


def turned(data, matrix):
    """The same MP4 with another matrix in its track header."""
    place = data.index(b'tkhd') + 4 + 40
    values = [value << (30 if i % 3 == 2 else 16) for i, value in enumerate(matrix)]
    return data[:place] + struct.pack('>9i', *values) + data[place + 36:]


def grays(source):
    """Number of each frame, told by its gray."""
    return [round(float(frame.image[30:, 30:].mean()) / 20) for frame in source.frames()]


def test_a_video(movie):
    with VideoFileSource(movie) as source:
        assert (source.name, source.fps, source.num_frames, source.rewindable) == ('shot 1', 12.5, NUM_FRAMES, True)
        assert grays(source) == grays(source) == list(range(NUM_FRAMES))
        frame = next(source.frames())
    assert (frame.frame_id, frame.file_name, frame.image.shape) == (0, '00000', (*SIZE, 3))
    red, green, blue = frame.image[4:12, 4:12].reshape(-1, 3).mean(0)
    assert red > 200 and green < 50 and blue < 50, 'RGB, not BGR'
    assert list(source.notices) == []


def test_a_part_of_it(movie):
    source = VideoFileSource(movie, start=5, end=8, fps=30)
    assert grays(source) == [5, 6, 7] and source.fps == 30 and source.num_frames == 3
    assert [frame.file_name for frame in source.frames()] == ['00005', '00006', '00007']
    with pytest.raises(ValueError, match='shot 1 has 12 frames, 0 to 11'):
        VideoFileSource(movie, end=13)


@pytest.mark.parametrize('name', ['ein schöner Tag.mp4', '100%02d.mp4', 'http:x.mp4', 'clip_01.mp4'])
def test_names(movie, tmp_path, monkeypatch, name):
    shutil.copy(movie, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(grays(VideoFileSource(name))) == NUM_FRAMES


def test_a_telephone_held_upright(movie, tmp_path):
    path = tmp_path / 'portrait.mp4'
    path.write_bytes(turned(movie.read_bytes(), QUARTER_TURN))
    stored, upright = (next(VideoFileSource(file).frames()).image for file in (movie, path))
    assert upright.shape == (64, 48, 3)
    np.testing.assert_array_equal(upright, np.rot90(stored, -1))


def test_a_file_whose_rest_is_missing(movie, tmp_path):
    data = index_first(movie.read_bytes())
    path = tmp_path / 'cut.mp4'
    path.write_bytes(data)
    assert grays(VideoFileSource(path)) == list(range(NUM_FRAMES))
    path.write_bytes(data[:-len(boxes(data)[b'mdat']) // 2])
    source = VideoFileSource(path)
    assert source.num_frames == NUM_FRAMES
    read = len(grays(source))
    assert 2 <= read < NUM_FRAMES and len(list(source.frames())) == read
    notice, = source.notices
    assert f'cut.mp4 could be read up to frame {read - 1} ({read} frames); 12 were expected' in notice
    whole_part = VideoFileSource(path, end=2)
    assert len(list(whole_part.frames())) == 2 and list(whole_part.notices) == []
    with pytest.raises(OSError, match=f'cannot be read beyond frame {read - 1}, so frame 11 cannot'):
        list(VideoFileSource(path, start=11).frames())


def test_a_file_without_its_index(movie, tmp_path):
    data = movie.read_bytes()
    for size in (len(data) // 2, 20):
        path = tmp_path / f'cut_{size}.mp4'
        path.write_bytes(data[:size])
        with pytest.raises(OSError, match='cannot be opened as a video. .* it lacks its index.*untrunc.*ffmpeg'):
            VideoFileSource(path)


def test_no_frame_can_be_decoded(movie, tmp_path):
    data = index_first(movie.read_bytes())
    path = tmp_path / 'head.mp4'
    path.write_bytes(data[:-len(boxes(data)[b'mdat']) + 8])
    with pytest.raises(OSError, match='head.mp4 (has no frame that can be decoded|cannot be opened)'):
        list(VideoFileSource(path).frames())


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no video file .*gone.mp4'):
        VideoFileSource(tmp_path / 'gone.mp4')


@pytest.mark.parametrize('num_frames', [1, 3])
def test_animated_gif(tmp_path, num_frames):
    images = [Image.fromarray(np.full((20, 31, 3), 60 * i, np.uint8)) for i in range(num_frames)]
    images[0].save(tmp_path / 'a.gif', save_all=True, append_images=images[1:], duration=100)
    frames = list(VideoFileSource(tmp_path / 'a.gif').frames())
    assert [frame.image.shape for frame in frames] == [(20, 31, 3)] * num_frames
    assert [round(frame.image.mean() / 60) for frame in frames] == list(range(num_frames))


def test_one_frame(tmp_path):
    source = VideoFileSource(write(tmp_path / 'one.avi', 'mjpeg', [0], pixels='yuvj420p'))
    assert source.num_frames == 1 and grays(source) == [0]


def write(path, codec='libx264', times=range(NUM_FRAMES), size=SIZE, pixels='yuv420p', step=20, **context):
    """Frame i has the gray ``step`` i and is shown at ``times[i]`` twelfths of a second."""
    with av.open(str(path), 'w') as container:
        stream = container.add_stream(codec, rate=12)
        stream.height, stream.width, stream.pix_fmt = *size, pixels
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        for i, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((*size, 3), step * i, np.uint8), 'rgb24')
            frame.pts = time
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize('times', [range(NUM_FRAMES), [0, 1, 2, 10, 30, 31, 60, 90, 91, 92, 93, 200]],
                         ids=['constant', 'variable'])
@pytest.mark.parametrize('suffix, codec', [('mp4', 'libx264'), ('mov', 'mpeg4'), ('mkv', 'libx264'), ('avi', 'mpeg4'),
                                           ('webm', 'libvpx-vp9')])
def test_whole_files_have_all_their_frames_and_no_notice(tmp_path, suffix, codec, times):
    source = VideoFileSource(write(tmp_path / f'a.{suffix}', codec, times))
    assert source.num_frames == NUM_FRAMES and grays(source) == list(range(NUM_FRAMES))
    assert list(source.notices) == []


def test_a_header_that_tells_fewer_frames(tmp_path):
    path = tmp_path / 'few.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 12, SIZE[::-1])
    for i in range(NUM_FRAMES):
        writer.write(np.full((*SIZE, 3), 20 * i, np.uint8))
    writer.release()
    data = bytearray(path.read_bytes())
    for place in (data.index(b'avih') + 24, data.index(b'strh') + 40):
        assert int.from_bytes(data[place:place + 4], 'little') == NUM_FRAMES
        data[place:place + 4] = (3).to_bytes(4, 'little')
    path.write_bytes(data)
    source = VideoFileSource(path, start=5, end=11)
    assert grays(source) == [5, 6, 7, 8, 9, 10] and list(source.notices) == []


def test_a_cut_file_without_a_number_of_frames(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (48, *SIZE, 3), dtype=np.uint8)
    with av.open(str(tmp_path / 'a.mkv'), 'w') as container:
        stream = container.add_stream('mjpeg', rate=12)
        stream.height, stream.width, stream.pix_fmt = *SIZE, 'yuvj420p'
        for pixels in noise:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, 'rgb24')))
        container.mux(stream.encode())
    data = (tmp_path / 'a.mkv').read_bytes()
    (tmp_path / 'a.mkv').write_bytes(data[:len(data) // 2])
    source = VideoFileSource(tmp_path / 'a.mkv')
    count = len(list(source.frames()))
    assert 10 < count < 40
    notice, = source.notices
    assert f'a.mkv could be read up to frame {count - 1} ({count} frames); 4.0 s were expected' in notice


def with_a_damaged_frame(path):
    """Frame 6 of it cannot be decoded."""
    data = bytearray(write(path, 'png', pixels='rgb24').read_bytes())
    place = [i for i in range(len(data)) if data.startswith(b'\x89PNG', i)][6]
    data[place:place + 60] = b'x' * 60
    path.write_bytes(data)
    return path


def test_damage_in_the_middle_is_told(tmp_path):
    source = VideoFileSource(with_a_damaged_frame(tmp_path / 'a.avi'))
    found = grays(source)  # decoders that run side by side may lose the next frame, too
    assert found[:6] == list(range(6)) and 6 not in found and found[-4:] == [8, 9, 10, 11]
    assert 'is damaged after frame 5: frames that cannot be decoded were left out' in list(source.notices)[0]


@pytest.mark.parametrize('codec, suffix, pixels, size', [
    ('libx264', 'mp4', 'yuv420p10le', SIZE), ('ffv1', 'mkv', 'gray', (47, 63)), ('ffv1', 'mkv', 'gray16le', (47, 63)),
    ('png', 'mov', 'rgba', (47, 63)), ('ffv1', 'mkv', 'yuv444p', (47, 63)), ('libvpx-vp9', 'webm', 'yuva420p', SIZE)])
def test_depths_alpha_gray_and_odd_sizes(tmp_path, codec, suffix, pixels, size):
    source = VideoFileSource(write(tmp_path / f'a.{suffix}', codec, range(6), size, pixels))
    frames = list(source.frames())
    assert [frame.image.shape for frame in frames] == [(*size, 3)] * 6 and grays(source) == list(range(6))


def test_frames_are_those_of_opencv(movie):
    capture = cv2.VideoCapture(str(movie))
    for frame in VideoFileSource(movie).frames():
        np.testing.assert_allclose(frame.image, capture.read()[1][..., ::-1].astype(int), atol=1)


def test_high_dynamic_range_is_told(tmp_path):
    source = VideoFileSource(write(tmp_path / 'a.mp4', pixels='yuv420p10le', color_trc=16))
    assert 'a.mp4 has high dynamic range (PQ)' in list(source.notices)[0]


def test_sound_alone(tmp_path):
    with av.open(str(tmp_path / 'a.mp4'), 'w') as container:
        stream = container.add_stream('aac', rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), 'fltp', 'mono')
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(OSError, match='a.mp4 cannot be opened as a video: it holds sound, but no pictures'):
        VideoFileSource(tmp_path / 'a.mp4')


X264 = {'bf': '3', 'g': '8', 'x264-params': 'scenecut=0:open-gop=1'}
LATE = [0, 1, 2, 10, 30, 31, 60, 90, 91, 92, 93, 200, 201, 202, 204, 205, 230, 231, 232, 240, 241, 260, 270, 300]


@pytest.mark.parametrize('suffix, codec, options, times', [
    ('mp4', 'libx264', X264, range(24)), ('ts', 'libx264', X264, range(24)), ('mkv', 'libx264', X264, LATE),
    ('webm', 'libvpx-vp9', {'g': '8', 'lag-in-frames': '8', 'auto-alt-ref': '1'}, LATE),
    ('mp4', 'libx264', {'g': '8', 'x264-params': 'intra-refresh=1:bframes=0'}, range(24)),
    ('avi', 'mpeg4', {'g': '8', 'bf': '2'}, range(24))],
    ids=['open groups', 'transport stream', 'variable', 'alternate references', 'refreshed bit by bit', 'no times'])
def test_a_frame_reached_from_the_middle_is_the_one_reached_from_the_beginning(tmp_path, suffix, codec, options, times):
    path = write(tmp_path / f'a.{suffix}', codec, times, step=10, options=options)
    whole = [frame.image for frame in VideoFileSource(path).frames()]
    assert len(whole) == 24
    source = VideoFileSource(path)
    for i in [23, 4, 5, 13, 9, 8, 17, *range(24)]:
        np.testing.assert_array_equal(source.frame(i).image, whole[i], err_msg=str(i))
    for start in (7, 8, 20):
        np.testing.assert_array_equal([frame.image for frame in VideoFileSource(path, start=start).frames()],
                                      whole[start:])
    source.close()


def test_only_what_lies_behind_the_key_frame_is_decoded(tmp_path, monkeypatch):
    decoded, decode = [], VideoFileSource._decoded
    monkeypatch.setattr(VideoFileSource, '_decoded', lambda *arguments: (
        decoded.append(frame) or frame for frame in decode(*arguments)))
    source = VideoFileSource(write(tmp_path / 'a.mp4', times=LATE, step=10, options=X264), start=12)
    for frame_id, most in ((23, 5 + 8), (21, 6), (22, 1)):  # 12 is decoded to know the size
        decoded.clear()
        source.frame(frame_id)
        assert 0 < len(decoded) <= most
    np.testing.assert_allclose(source.times, np.array(LATE) / 12)


def test_after_damage_frames_have_the_numbers_of_the_walk(tmp_path):
    source = VideoFileSource(with_a_damaged_frame(tmp_path / 'a.mov'))
    assert source.times is not None
    whole = [frame.image for frame in source.frames()]
    assert len(whole) == NUM_FRAMES - 1
    np.testing.assert_array_equal(source.frame(9).image, whole[9])
    assert source.times is None
    with pytest.raises(OSError, match='cannot be read beyond frame 10, so frame 11 cannot be reached'):
        source.frame(11)
