import pytest

from tempseg_mm.datasets.clip_sampler import ClipSampler


@pytest.mark.parametrize(('kwargs', 'num_frames', 'clips'), [
    (dict(clip_length=3), 5, [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
    (dict(clip_length=2, stride=3), 5, [[0, 3], [1, 4]]),
    (dict(clip_length=2, step=2), 6, [[0, 1], [2, 3], [4, 5]]),
    (dict(clip_length=1), 2, [[0], [1]]),
    (dict(clip_length=5), 5, [[0, 1, 2, 3, 4]]),
    (dict(clip_length=5), 4, []),
])
def test_clips(kwargs, num_frames, clips):
    assert ClipSampler(**kwargs).clips(num_frames) == clips


@pytest.mark.parametrize('kwargs', [dict(clip_length=0), dict(stride=-1), dict(step=1.5)])
def test_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=f'{next(iter(kwargs))} of ClipSampler must be an integer of at least 1'):
        ClipSampler(**kwargs)
