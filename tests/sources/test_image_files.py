import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.image_files import ImageFilesSource, stored_pixels
from tempseg_mm.sources.image_io import UnreadableImageError, read_image, to_rgb8


def read_frame(path):
    return to_rgb8(stored_pixels(path), str(path))

NOISE = np.random.default_rng(0).integers(0, 256, (9, 13, 3), dtype=np.uint8)


def save(path, pixels=NOISE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return path


def test_a_list_of_files(tmp_path):
    paths = [save(tmp_path / 'shot' / f'{name}.png', np.full((4, 6, 3), i, np.uint8))
             for i, name in enumerate(['b', 'a', 'größe 1'])]
    source = ImageFilesSource(paths, start=1, fps=24)
    assert (source.name, source.num_frames, source.fps, source.rewindable) == ('shot', 2, 24, True)
    for _ in range(2):
        found = [(frame.frame_id, frame.file_name, frame.image[0, 0, 0]) for frame in source.frames()]
        assert found == [(1, 'a', 1), (2, 'größe 1', 2)]
    assert ImageFilesSource(paths).fps is None


@pytest.mark.parametrize('suffix', ['png', 'jpg', 'bmp', 'tif', 'webp'])
def test_formats_are_read_as_data_sets_are(tmp_path, suffix):
    path = save(tmp_path / f'a.{suffix}')
    np.testing.assert_array_equal(read_frame(path), read_image(str(path)))
    assert read_frame(path).shape == (9, 13, 3)


def test_gray_palette_alpha_and_sixteen_bits(tmp_path):
    gray, alpha = NOISE[..., 0], np.dstack([NOISE, NOISE[..., :1]])
    wide = gray.astype(np.uint16) * 257 + 100
    palette = Image.fromarray(gray % 4)
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120])
    palette.save(tmp_path / 'p.png')
    colors = np.arange(10, 130, 10).reshape(4, 3)
    for pixels, expected in ((gray, np.dstack([gray] * 3)), (alpha, NOISE), (wide, np.dstack([gray] * 3)),
                             (np.dstack([gray, gray]), np.dstack([gray] * 3)),
                             (gray > 99, np.dstack([(gray > 99) * 255] * 3))):
        np.testing.assert_array_equal(read_frame(save(tmp_path / 'a.png', pixels)), expected)
    np.testing.assert_array_equal(read_frame(tmp_path / 'p.png'), colors[gray % 4])


def test_frames_are_upright_and_it_is_told(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees
    paths = [save(tmp_path / f'{i}.png', NOISE, exif=exif) for i in range(3)]
    source = ImageFilesSource(paths)
    np.testing.assert_array_equal(next(source.frames()).image, np.rot90(NOISE, -1))
    notice, = source.notices
    assert '0.png was turned upright as its EXIF says' in notice and '(same for 2 more files)' in notice
    assert source.is_turned and not ImageFilesSource([save(tmp_path / 'a.png')]).is_turned


def test_sizes_are_compared_before_any_work(tmp_path):
    paths = [save(tmp_path / f'{i}.png', np.zeros(size, np.uint8)) for i, size in enumerate([(4, 6), (4, 6), (8, 5)])]
    with pytest.raises(ValueError, match=r'2.png is 8x5 \(height x width\), the first frame is 4x6; .*resize_frames'):
        ImageFilesSource(paths)
    assert ImageFilesSource(paths, end=2).num_frames == 2, 'frames that are not read may have any size'
    frames = ImageFilesSource(paths, resize_frames=True).frames()
    assert [frame.image.shape for frame in frames] == [(4, 6, 3)] * 3


def test_frames_that_were_written_anew(tmp_path):
    path = save(tmp_path / 'a.png')
    assert next(ImageFilesSource([path]).frames()).image.shape == NOISE.shape
    save(path, NOISE[:5])
    assert next(ImageFilesSource([path]).frames()).image.shape == (5, 13, 3)


def test_names_must_tell_frames_apart(tmp_path):
    paths = [save(tmp_path / 'a.png'), save(tmp_path / 'a.jpg')]
    with pytest.raises(ValueError, match='a.png and .*a.jpg have the same name'):
        ImageFilesSource(paths)


@pytest.mark.parametrize('suffix', ['jpg', 'png'])
def test_damaged_files(tmp_path, suffix):
    pixels = np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    path = save(tmp_path / f'a.{suffix}', pixels)
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(UnreadableImageError, match=f'a.{suffix} cannot be decoded'):
        list(ImageFilesSource([path]).frames())
    (tmp_path / 'b.png').write_bytes(b'no image')
    with pytest.raises(UnreadableImageError, match='b.png cannot be decoded'):
        ImageFilesSource([tmp_path / 'b.png'])
    with pytest.raises(FileNotFoundError, match='gone.png does not exist'):
        ImageFilesSource([tmp_path / 'gone.png'])
    with pytest.raises(ValueError, match='the list of frames has no frames'):
        ImageFilesSource([])


def test_files_behind_a_jpeg_do_no_harm(tmp_path):
    path = save(tmp_path / 'a.jpg')
    expected = read_frame(path)
    path.write_bytes(path.read_bytes() + b'notes of a camera')
    np.testing.assert_array_equal(read_frame(path), expected)
