import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.sources.image_files import ImageFilesSource
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.sources.video_file import VideoFileSource

FRAME = np.zeros((32, 48, 3), np.uint8)


@pytest.fixture
def folder(tmp_path):
    """``a folder für uns`` with frame2.png and frame10.png of 32x48, and two videos of two frames."""
    folder = tmp_path / 'a folder für uns'
    folder.mkdir()
    for i in (2, 10):
        Image.fromarray(FRAME + i).save(folder / f'frame{i}.png')
    for name in ('v.avi', 'w.avi'):
        writer = cv2.VideoWriter(str(folder / name), cv2.VideoWriter_fourcc(*'MJPG'), 10, (48, 32))
        writer.write(FRAME)
        writer.write(FRAME)
        writer.release()
    return folder


def test_every_kind(folder, monkeypatch):
    monkeypatch.chdir(folder)
    paths = ['frame10.png', folder / 'frame2.png']
    for video, kind, name, files in (
            (folder, ImageFilesSource, 'a folder für uns', ['frame2', 'frame10']),
            ('.', ImageFilesSource, 'a folder für uns', ['frame2', 'frame10']),
            ('*.png', ImageFilesSource, 'a folder für uns', ['frame2', 'frame10']),
            ('frame[1]*', ImageFilesSource, 'frame10', ['frame10']),
            (f'{folder.parent}/**/*.png', ImageFilesSource, 'a folder für uns', ['frame2', 'frame10']),
            (paths, ImageFilesSource, 'a folder für uns', ['frame10', 'frame2']),
            ('frame2.png', ImageFilesSource, 'frame2', ['frame2']),
            ('v.avi', VideoFileSource, 'v', ['00000', '00001']),
            (folder / 'v.avi', VideoFileSource, 'v', ['00000', '00001']),
            ('v*', VideoFileSource, 'v', ['00000', '00001']),
            ([FRAME], ArraySource, 'frames', ['00000']),
            (np.stack([FRAME, FRAME]), ArraySource, 'frames', ['00000', '00001']),
            ((frame for frame in [FRAME]), ArraySource, 'frames', ['00000'])):
        with open_source(video) as source:
            assert (type(source), source.name) == (kind, name), video
            assert [frame.file_name for frame in source.frames()] == files


def test_options_reach_the_source(folder):
    for video in (folder, folder / 'v.avi', [FRAME, FRAME]):
        source = open_source(video, start=1, end=2, fps=7)
        among_all, = source.frames()
        assert (source.fps, source.times, among_all.frame_id) == (7, None, 1)
        alone = source.frame(1)
        assert (alone.frame_id, alone.file_name) == (1, among_all.file_name)
        np.testing.assert_array_equal(alone.image, among_all.image)
        with pytest.raises(IndexError, match='has frames 1 to 1, not 0'):
            source.frame(0)
    Image.fromarray(FRAME[:20]).save(folder / 'frame11.png')
    assert len(list(open_source(folder, resize_frames=True).frames())) == 3


@pytest.mark.parametrize('video', [3, '3', np.int64(3)])
def test_cameras(monkeypatch, video):
    opened = []
    module = sys.modules[open_source.__module__]  # the package has a function of that name
    monkeypatch.setattr(module, 'CameraSource', lambda index, **part: opened.append((index, part)))
    open_source(video, end=4)
    assert opened == [(3, dict(start=0, end=4, fps=None, resize_frames=False))]


def test_a_folder_named_as_a_number_is_a_folder(folder, monkeypatch):
    folder.rename(folder.parent / '3')
    monkeypatch.chdir(folder.parent)
    assert open_source('3').num_frames == 2


@pytest.mark.parametrize('video, error, words', [
    ('gone.mp4', FileNotFoundError, "no video file or folder of frames 'gone.mp4'"),
    ('*.xyz', FileNotFoundError, r'matches \*.xyz; it matches nothing'),
    ('*.avi', FileNotFoundError, r'no image .*matches .*\*.avi; it matches .*v.avi'),
    ([], ValueError, 'has no frames'),
    (None, ValueError, 'got NoneType'),
    (True, ValueError, 'got bool'),
    ({0: FRAME}, ValueError, 'got dict'),
    (b'a.mp4', ValueError, 'got bytes'),
    (1.5, ValueError, 'got float'),
    (FRAME, ValueError, 'put a single frame into a list'),
])
def test_what_is_no_video(folder, monkeypatch, video, error, words):
    monkeypatch.chdir(folder)
    with pytest.raises(error, match=words):
        open_source(video)
