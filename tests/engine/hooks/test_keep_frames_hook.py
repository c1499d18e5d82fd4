from types import SimpleNamespace

import numpy as np
import pytest

from tempseg_mm.engine.hooks.keep_frames_hook import KeepFramesHook
from tempseg_mm.structures import FramePrediction


def keep(tmp_path, per_sequence, *, num_frames=12, annotated=lambda i: True, given=2):
    hook = KeepFramesHook(str(tmp_path), per_sequence)
    runner = SimpleNamespace(test_loop=SimpleNamespace(num_given_frames=given))
    for i in range(num_frames):
        hook.after_frame(runner, FramePrediction(
            sequence='a', frame_id=i, num_frames=num_frames, file_name=f'{i:05d}', given=i == 0,
            image=np.full((2, 3, 3), i, np.uint8), probability=np.full((2, 3), i / 100, np.float32),
            gt_mask=np.full((2, 3), i % 2, np.uint8) if annotated(i) else None))
    return hook


@pytest.mark.parametrize('per_sequence, expected', [
    (1, [2]), (2, [2, 10]), (3, [2, 6, 10]), (5, [2, 4, 6, 8, 10]), (50, list(range(2, 11)))])
def test_spread_over_the_frames_that_count(tmp_path, per_sequence, expected):
    assert [int(path.stem) for path in keep(tmp_path, per_sequence).paths] == expected


def test_what_is_kept(tmp_path):
    path, = keep(tmp_path, 1, given=1).paths
    assert path == tmp_path / 'a/00001.npz'
    frame = np.load(path)
    assert (frame['probability'] == np.float32(0.01)).all() and frame['probability'].dtype == np.float32
    assert (frame['image'] == 1).all() and frame['image'].shape == (2, 3, 3) and (frame['gt_mask'] == 1).all()


def test_frames_without_annotation_and_given_ones_are_not_kept(tmp_path):
    assert [int(path.stem) for path in keep(tmp_path, 5, annotated=lambda i: i % 4 == 0).paths] == [4, 8]
    assert keep(tmp_path, 3, num_frames=2).paths == []
    with pytest.raises(ValueError, match='per_sequence must be at least 1, got 0'):
        KeepFramesHook('', 0)
