import numpy as np
import pytest
from PIL import Image

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.frame_files import frames_in, frames_matching


def save(path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path, **options)
    return path


def chosen(folder, names, **options):
    """Names of the frames among files of these names, and the notices."""
    for name in names:
        (folder / name).touch()
    notices = Notices()
    return [path.removeprefix(f'{folder}/') for path in frames_in(folder, notices=notices, **options)], list(notices)


def test_frames_of_a_folder(tmp_path):
    for name in ('f10.png', 'f9.PNG', '.hidden.png', 'inner/x.png', 'more/x.png', 'empty.d/x.txt.png'):
        save(tmp_path / name, format='PNG')
    (tmp_path / 'notes.txt').write_text('')
    assert frames_in(tmp_path) == [str(tmp_path / 'f9.PNG'), str(tmp_path / 'f10.png')]
    for name in ('f10.png', 'f9.PNG'):
        (tmp_path / name).unlink()
    with pytest.raises(FileNotFoundError, match=r'holds no frames \(.png, .*\); .*empty.d does, and 2 more'):
        frames_in(tmp_path)
    (tmp_path / 'bare').mkdir()
    with pytest.raises(FileNotFoundError, match=r'bare holds no frames \(.png, .* .avif\)$'):
        frames_in(tmp_path / 'bare')


def test_frames_of_a_pattern(tmp_path):
    paths = [str(save(tmp_path / name)) for name in ('a11.png', 'a2.png')]
    assert frames_matching('a*.png', paths) == paths[::-1]
    with pytest.raises(FileNotFoundError, match=r'no image .* matches \*.txt; it matches notes.txt'):
        frames_matching('*.txt', ['notes.txt'])
    with pytest.raises(FileNotFoundError, match='it matches nothing'):
        frames_matching('*.txt', [])


@pytest.mark.parametrize('ordered', [
    ['img_2.png', 'img_10.png'], ['IMG_2.JPG', 'img_10.jpg'], ['frame_0.25.png', 'frame_0.5.png', 'frame_10.0.png'],
    ['t1.25.png', 't1.3.png'], ['shot1.9.png', 'shot1.10.png', 'shot2.1.png'], ['2024.01.05.png', '2024.01.10.png'],
])
def test_order(tmp_path, ordered):
    found, notices = chosen(tmp_path, reversed(ordered))
    assert found == ordered
    assert len(notices) == (ordered[0] in ('t1.25.png', 'frame_0.25.png'))


@pytest.mark.parametrize('extra', ['00001_mask.png', 'mask_00001.png', '00001_gt.PNG', 'gt-00000.png', 'mask.png',
                                   'Mask_1.png', '00000.alpha.png'])
@pytest.mark.parametrize('suffix', ['.png', '.jpg'])
def test_masks_among_frames_are_no_frames(tmp_path, extra, suffix):
    frames = [f'0000{i}{suffix}' for i in range(3)]
    found, notices = chosen(tmp_path, [*frames, extra])
    assert found == frames and len(notices) == 1
    assert f'{extra} is named like a mask among frames, so it was not taken as a frame' in notices[0]


def test_a_folder_of_masks_alone_is_a_video_of_them(tmp_path):
    names = [f'mask_0000{i}.png' for i in range(3)]
    assert chosen(tmp_path, names) == (names, [])
    assert chosen(tmp_path, ['cover.png'])[0] == ['cover.png', *names]


def test_a_frame_that_is_given_as_mask(tmp_path):
    with pytest.raises(ValueError, match='00002.png is given as a mask, but lies among the frames of .* is named like'):
        chosen(tmp_path, [f'0000{i}.png' for i in range(4)], masks=[tmp_path / '00002.png'])
    found, notices = chosen(tmp_path, ['00002.jpg', '00003.jpg'], masks=[tmp_path / '00002.png'])
    assert f'{tmp_path}/00002.png is given as a mask, so it is no frame' in notices


def test_a_mask_that_is_given_is_no_frame(tmp_path):
    found, notices = chosen(tmp_path, ['a.png', 'b.png', 'c.png'], masks=[tmp_path / 'b.png'])
    assert found == ['a.png', 'c.png'] and notices == [f'{tmp_path}/b.png is given as a mask, so it is no frame']


@pytest.mark.parametrize('suffix', ['.jfif', '.jpe', '.ppm', '.pgm', '.jp2', '.gif', '.avif', '.TIFF'])
def test_all_that_can_be_read_is_read(tmp_path, suffix):
    names = [f'0000{i}{suffix}' for i in range(3)]
    assert chosen(tmp_path, names) == (names, [])


@pytest.mark.parametrize('suffix', ['.heic', '.HEIC', '.jxl', '.dng', '.exr'])
def test_pictures_that_cannot_be_read_are_told(tmp_path, suffix):
    found, notices = chosen(tmp_path, ['00000.jpg', f'00001{suffix}', f'00002{suffix}'])
    assert found == ['00000.jpg']
    assert notices[0].startswith(f'{tmp_path}: 2 pictures ({suffix.lower()}; 00001{suffix}, ...) cannot be read and')
    (tmp_path / '00000.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='holds no frames .*; 2 pictures .* cannot be read: convert them'):
        frames_in(tmp_path)


def test_an_odd_mixture_is_told(tmp_path):
    found, notices = chosen(tmp_path, ['cover.png', *(f'0000{i}.jpg' for i in range(3)), '00003.JPEG'])
    assert found == ['00000.jpg', '00001.jpg', '00002.jpg', '00003.JPEG', 'cover.png']
    assert notices == [f'{tmp_path} holds 4 pictures named like 00000.jpg, and cover.png: all were taken as frames, '
                       f"in the order of their names; to choose, give a pattern such as '{tmp_path}/*.jpg'"]


def test_what_systems_leave_behind_is_no_frame(tmp_path):
    left = ['._00000.jpg', '.DS_Store', 'Thumbs.db', 'desktop.ini']
    assert chosen(tmp_path, ['00000.jpg', *left]) == (['00000.jpg'], [])


def test_a_folder_of_videos(tmp_path):
    with pytest.raises(FileNotFoundError, match='it holds videos: name one of them, such as .*a.mp4'):
        chosen(tmp_path, ['b.mov', 'a.mp4'])
