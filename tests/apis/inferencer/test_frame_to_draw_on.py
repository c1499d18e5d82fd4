import cv2
import numpy as np
import pytest

from tempseg_mm.apis.inferencer.frame_to_draw_on import save_frame


def test_a_frame_at_full_size_and_where_its_mask_goes(tmp_path, make_sequence):
    sequence = make_sequence(4)
    for frame, name in zip(sequence.frames, ('a7', 'a8', 'a9', 'a10'), strict=True):
        cv2.imwrite(str(tmp_path / f'{name}.png'), frame[..., ::-1])
    picture, mask = save_frame(f'{tmp_path}/a*.png', 3, tmp_path / 'out')
    assert (picture, mask) == (tmp_path / 'out/given/a10_frame.png', tmp_path / 'out/given/a10.png')
    np.testing.assert_array_equal(cv2.imread(str(picture))[..., ::-1], sequence.frames[3])
    assert [path.name for path in (tmp_path / 'out').rglob('*.*')] == ['a10_frame.png']
    with pytest.raises(ValueError, match='4 frames, 0 to 3'):
        save_frame(f'{tmp_path}/a*.png', 4, tmp_path / 'out')
