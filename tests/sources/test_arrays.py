import numpy as np
import pytest

from tempseg_mm.sources.arrays import ArraySource

FRAMES = [np.full((4, 6, 3), 10 * i, np.uint8) for i in range(5)]


def ids_and_values(source):
    return [(frame.frame_id, frame.file_name, int(frame.image[0, 0, 0])) for frame in source.frames()]


@pytest.mark.parametrize('images', [FRAMES, tuple(FRAMES), np.stack(FRAMES)], ids=['list', 'tuple', 'array'])
def test_what_has_a_length_is_read_as_often_as_wanted(images):
    source = ArraySource(images, start=1, end=3, fps=5)
    assert source.rewindable and source.num_frames == 2 and source.fps == 5 and source.name == 'frames'
    assert ids_and_values(source) == ids_and_values(source) == [(1, '00001', 10), (2, '00002', 20)]
    with pytest.raises(ValueError, match='frames has 5 frames, 0 to 4'):
        ArraySource(images, end=6)


def test_an_iterator_is_read_once_and_only_as_far_as_asked():
    images = iter(FRAMES)
    source = ArraySource(images, start=1, end=3)
    assert not source.rewindable and source.num_frames == 2 and ArraySource(iter(FRAMES)).num_frames is None
    assert ids_and_values(source) == [(1, '00001', 10), (2, '00002', 20)]
    assert next(images)[0, 0, 0] == 30, 'nothing beyond the end is taken'
    with pytest.raises(RuntimeError, match='frames can be read only once'):
        source.frames()


def test_a_generator_may_use_one_buffer():
    def generate():
        buffer = np.zeros((4, 6, 3), np.uint8)
        for i in range(3):
            buffer[:] = i
            yield buffer
    assert [frame.image[0, 0, 0] for frame in list(ArraySource(generate()).frames())] == [0, 1, 2]


def test_gray_arrays():
    source = ArraySource(np.arange(3 * 4 * 6, dtype=np.uint8).reshape(3, 4, 6))
    assert [frame.image.shape for frame in source.frames()] == [(4, 6, 3)] * 3


def test_wrong_frames():
    with pytest.raises(ValueError, match=r'put a single frame into a list: \[image\]'):
        ArraySource(FRAMES[0])
    with pytest.raises(ValueError, match='frames has no frames'):
        ArraySource([])
    with pytest.raises(ValueError, match='ended before frame 0'):
        list(ArraySource(iter([])).frames())
    with pytest.raises(ValueError, match='frame 1 must hold uint8.* got float32'):
        list(ArraySource([FRAMES[0], FRAMES[1].astype(np.float32)]).frames())
    with pytest.raises(ValueError, match='frame 1 of frames is 2x2 .* the first frame is 4x6'):
        list(ArraySource([FRAMES[0], np.zeros((2, 2), np.uint8)]).frames())
    sizes = [frame.image.shape for frame in ArraySource([FRAMES[0], np.zeros((2, 2), np.uint8)],
                                                        resize_frames=True).frames()]
    assert sizes == [(4, 6, 3)] * 2


@pytest.mark.parametrize('make', [list, iter, np.stack])
def test_arrays_of_twelve_bits(make):
    wide = [np.full((4, 6), 1000 * i, np.uint16) for i in range(1, 5)]
    source = ArraySource(make(wide[::-1] if make is iter else wide))
    found = sorted(int(frame.image[0, 0, 0]) for frame in source.frames())
    assert found == [62, 125, 187, 249] and 'use 12 of them' in list(source.notices)[0]
