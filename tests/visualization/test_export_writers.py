import json

import av
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.visualization.export_writers import (
    Shot,
    ShotFrame,
    coco_json,
    cutout_pictures,
    object_mattes,
    overlay_video,
)
from tempseg_mm.visualization.video_writer import MP4


def frames(times=(None, None, None)):
    """Three frames of 20x30: object 1 is always there, object 3 from the second one on, with a hole."""
    for i, time in enumerate(times):
        labels = np.zeros((20, 30), np.uint8)
        labels[2:8, 3 + i:13 + i] = 1
        if i:
            labels[10:18, 10:25], labels[12:14, 12:14] = 3, 0
        yield ShotFrame(i + 5, f'f{i}', np.full((20, 30, 3), 50, np.uint8), labels, time)


def written(opened, path, shot, shown):
    with opened(path, shot) as write:
        for frame in shown:
            write(frame)
            assert not path.exists()
    return path


def test_a_matte_for_each_object_from_the_first_frame_on(tmp_path):
    path = written(object_mattes, tmp_path / 'mattes', Shot(24, True, {1: 'the dog/2', 3: ''}, ''),
                   frames([0, 0.5, 0.6]))
    late = written(object_mattes, tmp_path / 'late', Shot(24, False, {1: ''}, ''), frames())
    assert sorted(file.name for file in path.iterdir()) == ['1_the_dog_2.mp4', '3.mp4']
    for file, object_id in ((path / '1_the_dog_2.mp4', 1), (path / '3.mp4', 3), (late / '3.mp4', 3)):
        with av.open(str(file)) as container:
            shown = list(container.decode(video=0))
        for frame, given in zip(shown, frames(), strict=True):
            np.testing.assert_array_equal(frame.to_ndarray(format='gray') > 125, given.labels == object_id)
        if file.parent == path:
            assert [frame.time for frame in shown] == pytest.approx([0, 0.5, 0.6])


def test_coco_json_has_the_names_of_frames_and_objects(tmp_path):
    path = written(coco_json, tmp_path / 'coco.json', Shot(24, False, {1: 'dog', 3: 'dog'}, '.jpg'), frames())
    found = json.loads(path.read_text())
    assert [(image['file_name'], image['frame_id']) for image in found['images']] == [
        ('f0.jpg', 5), ('f1.jpg', 6), ('f2.jpg', 7)]
    assert found['categories'] == [dict(id=1, name='dog')] and len(found['annotations']) == 5


def test_pictures_have_the_masks_as_alpha_and_appear_together(tmp_path):
    (tmp_path / 'cutout').mkdir()
    (tmp_path / 'cutout/old.png').touch()
    with pytest.raises(RuntimeError), cutout_pictures(tmp_path / 'cutout', Shot(24, False, {}, '')) as write:
        write(next(frames()))
        raise RuntimeError
    assert [path.name for path in tmp_path.rglob('*')] == ['cutout', 'old.png']
    with cutout_pictures(tmp_path / 'cutout', Shot(24, False, {}, '')) as write:
        for frame in frames():
            write(frame)
    assert sorted(path.name for path in (tmp_path / 'cutout').iterdir()) == ['f0.png', 'f1.png', 'f2.png']
    for frame in frames():
        image = Image.open(tmp_path / f'cutout/{frame.name}.png')
        assert image.mode == 'RGBA'
        np.testing.assert_array_equal(np.asarray(image)[..., 3], 255 * (frame.labels > 0))


def test_an_overlay_has_the_size_of_the_frames(tmp_path):
    large = ShotFrame(0, 'a', np.zeros((600, 610, 3), np.uint8), np.full((600, 610), 2, np.uint8), None)
    with av.open(str(written(overlay_video(MP4), tmp_path / 'a.mp4', Shot(24, False, {}, ''), [large]))) as container:
        frame = next(container.decode(video=0))
    assert (frame.height, frame.width) == (600, 610)
    red, green, blue = frame.to_ndarray(format='rgb24')[300, 300].astype(int)
    assert blue > green > red
