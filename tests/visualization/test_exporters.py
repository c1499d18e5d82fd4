import weakref

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.visualization.exporters import OverlayVideoWriter, write_gif, write_indexed_png, write_png


def frames(count=4, shape=(32, 48)):
    return [np.full((*shape, 3), (60 * i, 200 - 40 * i, 90), np.uint8) for i in range(count)]


def read_video(path):
    capture, images = cv2.VideoCapture(str(path)), []
    while True:
        ok, image = capture.read()
        if not ok:
            return images
        images.append(image[..., ::-1])


@pytest.mark.parametrize('dtype', [bool, np.uint8, np.int64])
def test_an_indexed_mask_keeps_ids_size_and_palette(tmp_path, dtype):
    mask = np.array([[0, 1, 1], [0, 0, 1]], dtype)
    write_indexed_png(tmp_path / 'camel' / '00007.png', mask)
    image = Image.open(tmp_path / 'camel' / '00007.png')
    assert image.mode == 'P'
    assert np.array_equal(np.asarray(image), mask)
    assert image.convert('RGB').getpixel((1, 0)) == (128, 0, 0)


def test_all_256_ids_survive(tmp_path):
    ids = np.arange(256, dtype=np.uint8).reshape(16, 16)
    write_indexed_png(tmp_path / 'ids.png', ids)
    assert np.array_equal(np.asarray(Image.open(tmp_path / 'ids.png')), ids)


@pytest.mark.parametrize('mask, message', [
    (np.zeros((2, 2, 3), np.uint8), r'must be \(H, W\) bool or integers, got \(2, 2, 3\)'),
    (np.zeros((2, 2)), 'got .* float64'),
    (np.full((2, 2), 256), 'object ids must be 0 to 255'),
    (np.full((2, 2), -1), 'object ids must be 0 to 255'),
])
def test_what_is_no_mask_is_refused(tmp_path, mask, message):
    with pytest.raises(ValueError, match=message):
        write_indexed_png(tmp_path / 'a.png', mask)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_keeps_its_channel_order(tmp_path):
    write_png(tmp_path / 'new' / 'a.png', np.full((3, 4, 3), (10, 20, 30), np.uint8))
    assert Image.open(tmp_path / 'new' / 'a.png').getpixel((0, 0)) == (10, 20, 30)


def test_an_animation_has_every_frame_in_its_colours(tmp_path):
    write_gif(tmp_path / 'a.gif', iter(frames()), fps=20)
    image = Image.open(tmp_path / 'a.gif')
    assert image.n_frames == 4
    assert image.info['duration'] == 50 and image.info['loop'] == 0
    for i, frame in enumerate(frames()):
        image.seek(i)
        assert np.allclose(np.asarray(image.convert('RGB')), frame, atol=8)


def test_an_animation_needs_frames_and_a_rate(tmp_path):
    with pytest.raises(ValueError, match='at least one frame'):
        write_gif(tmp_path / 'a.gif', [])
    with pytest.raises(ValueError, match='fps must be positive'):
        write_gif(tmp_path / 'a.gif', frames(), fps=0)


def test_a_wide_animation_is_shrunk_and_holds_no_frame(tmp_path):
    frames_made = []

    class Frame(np.ndarray):
        pass

    def stream():
        for i in range(6):
            frame = np.full((50, 100, 3), 40 * i, np.uint8).view(Frame)
            frames_made.append(weakref.ref(frame))
            yield frame
            del frame
            assert sum(made() is not None for made in frames_made) <= 1

    write_gif(tmp_path / 'a.gif', stream(), max_width=40)
    image = Image.open(tmp_path / 'a.gif')
    assert image.n_frames == 6 and image.size == (40, 20)
    image.seek(5)
    assert np.allclose(np.asarray(image.convert('RGB')), 200, atol=4)


def test_an_animation_of_two_sizes_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'of one size, got \(48, 30\) after \(48, 32\)'):
        write_gif(tmp_path / 'a.gif', [*frames(1), *frames(1, (30, 48))])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize('shape, coded', [((32, 48), (32, 48)), ((33, 47), (34, 48))])
def test_a_video_has_every_frame_and_even_sides(tmp_path, shape, coded):
    path = tmp_path / 'new' / 'a.webm'
    with OverlayVideoWriter(path, fps=10) as video:
        for frame in frames(shape=shape):
            video.write(frame)
            assert not path.exists()
    images = read_video(path)
    assert len(images) == 4
    for image, frame in zip(images, frames(shape=coded), strict=True):
        assert image.shape == frame.shape
        assert np.abs(image.astype(int) - frame).mean() < 12  # lossy, but RGB stays RGB
    assert list(path.parent.iterdir()) == [path]


def test_a_video_draws_masks(tmp_path):
    scene, mask = np.full((64, 96, 3), 20, np.uint8), np.zeros((64, 96), np.uint8)
    mask[16:48, 24:72] = 1
    video = OverlayVideoWriter(tmp_path / 'a.webm')
    video.write(scene, mask, gt_mask=np.roll(mask, 20, 1))
    video.close()
    image, = read_video(tmp_path / 'a.webm')
    red, green, blue = image[32, 34].astype(int)
    assert red > green + 60 and red > blue + 60
    assert (image[..., 1].astype(int) - image[..., 0] > 60).any()  # green: the ground truth's outline


def test_a_video_draws_every_object_and_shrinks_what_is_large(tmp_path):
    scene, labels = np.full((128, 192, 3), 20, np.uint8), np.zeros((128, 192), np.int64)
    labels[32:96, 20:80], labels[32:96, 110:170] = 1, 2
    with OverlayVideoWriter(tmp_path / 'a.webm', max_side=64) as video:
        video.write(scene, labels, gt_mask=labels > 0)
    image, = read_video(tmp_path / 'a.webm')
    assert image.shape == (64, 96, 3)
    assert image[32, 25, 0] > image[32, 25, 2] + 60  # object 1 is red, object 2 blue
    assert image[32, 70, 2] > image[32, 70, 0] + 30


def test_a_mask_of_another_size_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a.webm: a mask must have its frame's size, \(32, 48\), got \(16, 24\)"):
        with OverlayVideoWriter(tmp_path / 'a.webm', max_side=16) as video:
            video.write(frames()[0], np.zeros((16, 24), np.uint8))


def test_after_an_error_no_video_is_left(tmp_path):
    with pytest.raises(RuntimeError), OverlayVideoWriter(tmp_path / 'a.webm') as video:
        video.write(frames()[0])
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_without_a_frame_there_is_no_video(tmp_path):
    with OverlayVideoWriter(tmp_path / 'a.webm'):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_frame_of_another_size_is_refused(tmp_path):
    match = r'a.webm: all frames must be like the first, \(32, 48, 3\), got \(30, 48, 3\)'
    with pytest.raises(ValueError, match=match), OverlayVideoWriter(tmp_path / 'a.webm') as video:
        video.write(frames()[0])
        video.write(frames(shape=(30, 48))[0])


def test_wrong_arguments_are_named(tmp_path):
    with pytest.raises(ValueError, match="ends in .webm, got 'a.avi'"):
        OverlayVideoWriter(tmp_path / 'a.avi')
    with pytest.raises(ValueError, match='fps must be positive, got -1'):
        OverlayVideoWriter(tmp_path / 'a.webm', fps=-1)
    with pytest.raises(ValueError, match='max_side must be at least 1 pixel, got 0'):
        OverlayVideoWriter(tmp_path / 'a.webm', max_side=0)
    with pytest.raises(ValueError, match=r'must be \(H, W, 3\) RGB, got \(32, 48\)'):
        OverlayVideoWriter(tmp_path / 'a.webm').write(np.zeros((32, 48), np.uint8))


def test_a_page_can_seek_to_every_twelfth_frame(tmp_path):
    with OverlayVideoWriter(tmp_path / 'a.webm', fps=29.97) as video:
        for i in range(30):
            video.write(np.full((32, 48, 3), 8 * i, np.uint8))
    with av.open(tmp_path / 'a.webm') as container:
        frames = list(container.decode(video=0))
    assert [i for i, frame in enumerate(frames) if frame.key_frame] == [0, 12, 24]
    assert [frame.time for frame in frames] == pytest.approx([i / 29.97 for i in range(30)], abs=6e-4)  # milliseconds


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    resource = pytest.importorskip('resource')
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    noise = np.random.default_rng(0)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 ** 16, before[1]))
    try:
        with pytest.raises(OSError, match=r'no space: .*a\.webm'), OverlayVideoWriter(tmp_path / 'a.webm') as video:
            for _ in range(40):
                video.write(noise.integers(0, 255, (128, 128, 3), np.uint8))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


def test_writing_a_video_says_nothing(tmp_path, capfd):
    with OverlayVideoWriter(tmp_path / 'a.webm') as video:
        video.write(frames()[0])
    assert capfd.readouterr() == ('', '')
