import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.image_files import ImageFilesSource
from tempseg_mm.sources.image_io import UnreadableImageError, image_size
from tempseg_mm.sources.image_stack import ImageStackSource
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.open_source import open_source

KINDS = dict(tif={}, webp=dict(lossless=True, duration=100), png=dict(duration=100), gif=dict(duration=100),
             avif=dict(duration=100, quality=95))


def save(path, arrays, **options):
    first, *others = map(Image.fromarray, arrays)
    first.save(path, save_all=True, append_images=others, **options)
    return path


@pytest.fixture(params=KINDS)
def stack(tmp_path, request):
    """Six pictures, the i-th 40 i everywhere."""
    return save(tmp_path / f'shot.{request.param}', [np.full((20, 31, 3), 40 * i, np.uint8) for i in range(6)],
                **KINDS[request.param])


def grays(source):
    return [round(frame.image.mean() / 40) for frame in source.frames()]


def test_all_pictures_are_frames(stack):
    source = open_source(stack)
    assert isinstance(source, ImageStackSource) and (source.name, source.num_frames) == ('shot', 6)
    assert grays(source) == grays(source) == list(range(6)) and list(source.notices) == []
    assert source.fps == (None if stack.suffix == '.tif' else 10)
    part = open_source(stack, start=2, end=4, fps=5)
    assert [(frame.frame_id, frame.file_name) for frame in part.frames()] == [(2, '00002'), (3, '00003')]
    assert part.fps == 5
    with pytest.raises(ValueError, match='shot has 6 frames, 0 to 5'):
        open_source(stack, end=7)


def test_a_stack_is_no_frame_and_no_mask(stack):
    with pytest.raises(UnreadableImageError, match='frame .*shot.* holds 6 pictures, .*give the file itself as the'):
        ImageFilesSource([stack])
    with pytest.raises((UnreadableImageError, ValueError), match='mask .*shot.* holds 6 pictures'):
        MaskReader().read(stack)


@pytest.mark.parametrize('suffix', ['tif', 'gif', 'webp', 'png'])
def test_one_picture_is_one_frame(tmp_path, suffix):
    path = save(tmp_path / f'a.{suffix}', [np.full((20, 31, 3), 40, np.uint8)])
    source = open_source(path)
    assert isinstance(source, ImageFilesSource) and grays(source) == [1]


def test_previews_of_a_tiff_are_no_frames(tmp_path):
    pages = [np.full((20, 31, 3), 40, np.uint8), np.full((5, 8, 3), 80, np.uint8)]
    path = save(tmp_path / 'a.tif', pages)
    assert image_size(str(path)) == (20, 31) and grays(open_source(path)) == [1]


def test_stacks_of_twelve_bits_are_not_black(tmp_path):
    path = save(tmp_path / 'a.tif', [np.full((20, 31), 640 * i, np.uint16) for i in range(1, 7)])
    source = open_source(path)
    assert grays(source) == [1, 2, 3, 4, 5, 6]
    assert list(source.notices) == ['the frames of a are stored with 16 bits and use 12 of them, so 4095 was taken '
                                    'for white; save the frames with 8 bits to choose another scale']


def test_a_damaged_stack(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 20, 31, 3), dtype=np.uint8)
    path = save(tmp_path / 'a.tif', pictures)
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(UnreadableImageError, match='frame .*a.tif cannot be decoded'):
        list(open_source(path).frames())


def test_a_video_under_the_name_of_a_picture(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'\0\0\0\x18ftypisom')
    with pytest.raises(ValueError, match=r'a.png has the name of a picture, but it is a video \(MP4 or MOV\)'):
        open_source(tmp_path / 'a.png')
