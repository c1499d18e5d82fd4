from dataclasses import replace

import av
import numpy as np
import pytest
from av.video.reformatter import VideoReformatter

from tempseg_mm.visualization.video_writer import (
    MATTE_MP4,
    MP4,
    PRORES_4444,
    QUICK_WEBM,
    WEBM,
    WEBM_ALPHA,
    VideoWriter,
    bt709_frame,
)

PROFILES = dict(quick=QUICK_WEBM, webm=WEBM, webm_alpha=WEBM_ALPHA, mp4=MP4, matte=MATTE_MP4, prores=PRORES_4444)
BARS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128))
SIZE = (31, 63)


def decoded(path, profile):
    """All frames of a file; alpha of VP9 is told by libvpx alone."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = av.CodecContext.create('libvpx-vp9', 'r') if profile is WEBM_ALPHA else stream.codec_context
        packets = (packet if packet.size else None for packet in container.demux(stream))
        return [frame for packet in packets for frame in decoder.decode(packet)]


def alpha(frame):
    """Its plane, 0 to 1."""
    plane = frame.planes[3]
    bits = frame.format.components[3].bits
    values = np.frombuffer(plane, np.uint8 if bits == 8 else np.uint16).reshape(plane.height, -1)
    return values[:, :plane.width] / (2 ** bits - 1)


def bars(profile):
    image = np.zeros((*SIZE, 3), np.uint8)
    for k, color in enumerate(BARS):
        image[:, 16 * k:16 * k + 16] = color
    mask = np.zeros(SIZE, np.uint8)
    mask[8:, 20:] = 255
    return np.dstack([image, mask]) if profile.has_alpha else image


@pytest.mark.parametrize('profile', PROFILES.values(), ids=PROFILES)
def test_colours_alpha_size_and_times_are_what_was_written(tmp_path, profile):
    image, seconds = bars(profile), [5, 5.1, 5.4, 5.5, 6.5]
    for timed in (False, True):
        path = tmp_path / f'new/{timed}{profile.suffix}'
        with VideoWriter(path, profile, 30000 / 1001, timed=timed) as video:
            for time in seconds:
                video.write(image, time)
                assert not path.exists()
        frames = decoded(path, profile)
        times = seconds if timed else np.arange(5) * 1001 / 30000
        if profile is not WEBM_ALPHA:  # its decoder alone knows neither
            assert [frame.time for frame in frames] == pytest.approx(times, abs=6e-4)
            tags = frames[0].colorspace, frames[0].color_range, frames[0].color_trc, frames[0].color_primaries
            assert tags == (1, 1, 1, 1), 'BT.709, limited'
        even = -SIZE[0] % profile.step, -SIZE[1] % profile.step
        assert [(frame.height, frame.width) for frame in frames] == [(SIZE[0] + even[0], SIZE[1] + even[1])] * 5
        pixels = frames[4].reformat(format='rgb24', interpolation='BICUBIC', threads=1).to_ndarray().astype(int)
        assert np.abs(pixels[16, [8, 24, 40, 56]] - BARS).max() <= 3
        if profile.has_alpha:
            found = alpha(frames[4])
            np.testing.assert_array_equal(found[:31, :63] > 0.5, image[..., 3] > 0)
            assert np.abs(found[:31, :63] - image[..., 3] / 255).max() < (0.2 if profile is WEBM_ALPHA else 1e-3)
            # What fills up is transparent.
            assert found[31:].max(initial=0) < 0.2 and found[:, 63:].max(initial=0) < 0.2
        with av.open(str(path)) as container:
            length = container.duration / av.time_base
        whole = seconds[-1] - (0 if profile.suffix == '.webm' else seconds[0]) + 1 / 30 if timed else 5 / 30
        assert length == pytest.approx(whole, abs=2e-3), 'the last frame is shown, too'


@pytest.mark.parametrize('profile', [MP4, PRORES_4444], ids=['mp4', 'prores'])
def test_the_index_comes_first(tmp_path, profile):
    path = tmp_path / f'a{profile.suffix}'
    with VideoWriter(path, profile, 24) as video:
        video.write(bars(profile))
    data = path.read_bytes()
    assert 0 < data.index(b'moov') < data.index(b'mdat') and list(tmp_path.iterdir()) == [path]


def test_a_matte_is_nearly_lossless(tmp_path):
    mask = np.random.default_rng(0).random((32, 48, 1)) > 0.5
    with VideoWriter(tmp_path / 'a.mp4', MATTE_MP4, 24) as video:
        video.write(np.repeat(255 * mask.astype(np.uint8), 3, axis=2))
    frame, = decoded(tmp_path / 'a.mp4', MATTE_MP4)
    assert np.abs(frame.to_ndarray(format='rgb24')[..., 0] - 255.0 * mask[..., 0]).max() <= 4


def test_no_alpha_is_lost_between_threads():
    image, reformatter = np.zeros((480, 854, 4), np.uint8), VideoReformatter()
    image[100:400, 200:700, 3] = 255
    for _ in range(20):  # with several threads on two cores one frame in six had wrong pixels
        plane = bt709_frame(image, 'yuva444p10le', reformatter).planes[3]
        found = np.frombuffer(plane, np.uint16).reshape(480, -1)[:, :854]
        assert np.array_equal(found > 1022, image[..., 3] > 0) and found.sum() == 1023 * 300 * 500


def test_what_does_not_fit_is_named_and_leaves_nothing(tmp_path):
    image = bars(MP4)

    def write(*frames, profile=MP4, **options):
        with VideoWriter(tmp_path / 'a.mp4', profile, 24, **options) as video:
            for frame in frames:
                video.write(*frame)
    for words, frames, options in (
            (r'a frame must be \(H, W, 4\) RGBA, got \(31, 63, 3\)', [(image,)],
             dict(profile=replace(PRORES_4444, suffix='.mp4'))),
            (r'must be like the first, \(31, 63, 3\), got \(30, 63, 3\)', [(image,), (image[1:],)], {}),
            ('a.mp4: frame 1 has no time', [(image, 0), (image,)], dict(timed=True)),
            ('frame 2 is shown at 1.000000 s, which is not later', [(image, 0), (image, 1), (image, 1)],
             dict(timed=True))):
        with pytest.raises(ValueError, match=words):
            write(*frames, **options)
    with pytest.raises(OSError, match='cannot write .*a.mp4: this PyAV lacks the codec libx0'):
        write((image,), profile=replace(MP4, codec='libx0'))
    assert list(tmp_path.iterdir()) == []
