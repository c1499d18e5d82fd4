from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.inputs import InputReader
from tempseg_mm.sources.open_source import open_source


@pytest.fixture
def stack():
    with ExitStack() as stack:
        yield stack


def numbered(count=6, size=(20, 30)):
    """Frame i is i everywhere."""
    return [np.full((*size, 3), i, np.uint8) for i in range(count)]


def mask(size=(20, 30), ids=(1,)):
    labels = np.zeros(size, np.uint8)
    for k, object_id in enumerate(ids):
        labels[4:8, 3 + 5 * k:6 + 5 * k] = object_id
    return labels


def bright_squares():
    frame = np.full((60, 80, 3), 30, np.uint8)
    frame[20:40, 10:30] = (250, 40, 40)
    frame[20:40, 50:70] = (40, 40, 250)
    return frame


def test_masks_of_the_first_frames_need_nothing_put_aside(stack):
    inputs = InputReader(open_source(numbered()), [mask(), mask(ids=(1, 4))]).read(stack)
    assert sorted(inputs.labels) == [0, 1] and inputs.object_ids == (1, 4) and inputs.first_given == 0
    assert inputs.size == (20, 30) and inputs.spool is None
    assert [int(inputs.images[i].max()) for i in (0, 1)] == [0, 1]
    assert [frame.frame_id for frame in inputs.frames()] == [0, 1, 2, 3, 4, 5]


def test_frames_before_the_first_mask_are_put_aside_at_the_working_size(stack):
    inputs = InputReader(open_source(numbered(), start=1), {4: mask()}).read(stack, working_size=10)
    assert [inputs.spool.read(i).shape for i in range(3)] == [(10, 15, 3)] * 3 and len(inputs.spool) == 3
    assert int(inputs.spool.read(2).max()) == 3 and inputs.names == ['00001', '00002', '00003']
    assert [frame.frame_id for frame in inputs.frames()] == [1, 2, 3, 4, 5]
    whole = InputReader(open_source(numbered()), {4: mask()}).read(stack, working_size=10, whole=True)
    assert whole.spool.read(0).shape == (20, 30, 3)


def test_what_comes_once_is_read_once(stack):
    inputs = InputReader(open_source(iter(numbered())), {2: mask()}).read(stack, working_size=10)
    frames = list(inputs.frames())
    assert [frame.frame_id for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert [int(frame.image.max()) for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert all(frame.image.shape == (20, 30, 3) for frame in frames)


def test_boxes_become_objects_of_their_own_and_are_written_for_correction(stack, tmp_path):
    source = open_source([bright_squares()] * 2)
    inputs = InputReader(source, None, ['8,18,24,24', (48, 18, 24, 24), '8,18,24,24@1']).read(
        stack, given_dir=tmp_path / 'given')
    assert inputs.object_ids == (1, 2, 3) and sorted(inputs.labels) == [0, 1]
    labels = inputs.labels[0]
    assert labels[30, 20] == 1 and labels[30, 60] == 2 and labels[5, 5] == 0
    assert inputs.labels[1][30, 20] == 3
    assert sorted(path.name for path in (tmp_path / 'given').iterdir()) == ['00000.png', '00001.png']
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / 'given/00000.png')), labels)


def test_boxes_come_after_the_objects_of_masks(stack):
    labels = np.zeros((60, 80), np.uint8)
    labels[20:40, 10:30] = 7
    inputs = InputReader(open_source([bright_squares()]), labels, ['48,18,24,24']).read(stack)
    assert inputs.object_ids == (7, 8) and inputs.labels[0][30, 20] == 7 and inputs.labels[0][30, 60] == 8
    with pytest.raises(ValueError, match='object in box .* of frame 0 lies within objects that are already given'):
        InputReader(open_source([bright_squares()]), np.full((60, 80), 7, np.uint8), ['48,18,24,24']).read(stack)


@pytest.mark.parametrize('frames, masks, message', [
    (numbered(), {9: mask()}, 'given for frame 9, but the frames to segment are 0 to 5'),
    (iter(numbered()), {9: mask()}, 'given for frame 9, but frames ended after frame 5'),
    (numbered(), mask((20, 31)), r'is 20x31 \(height x width\), the frames are 20x30.*--resize-mask'),
    (numbered(), np.zeros((20, 30), np.uint8), 'is empty, so there is nothing to follow'),
])
def test_what_does_not_fit_is_refused(stack, frames, masks, message):
    with pytest.raises(ValueError, match=message):
        InputReader(open_source(frames), masks).read(stack)


def test_neither_mask_nor_box():
    with pytest.raises(ValueError, match='a mask or a box is needed'):
        InputReader(open_source(numbered()))


def test_start_counts_from_zero_whatever_names_say(stack, tmp_path):
    for i, frame in enumerate(numbered(), 1):
        Image.fromarray(frame).save(tmp_path / f'{i:05d}.png')
    inputs = InputReader(open_source(tmp_path, start=2), mask()).read(stack)
    assert list(inputs.notices) == ['frames are counted from 0, whatever their names say: --start 2 is 00003']
    inputs = InputReader(open_source(tmp_path), mask(), ['6,6,9,9@00003']).boxes
    assert inputs == [((6, 6, 9, 9), 2)]


@pytest.mark.parametrize('ends', [False, True])
def test_objects_that_a_later_mask_or_box_does_not_show_are_told(stack, ends):
    inputs = InputReader(open_source(numbered()), {0: mask(ids=(1, 4)), 2: mask(ids=(1,)), 4: mask(ids=(4,))},
                         ends=ends).read(stack)
    fate = ['end' if ends else 'is still followed'] * 2
    assert [notice.split(',')[0] for notice in inputs.notices] == [
        'the mask given for frame 2 does not show object 4', 'the mask given for frame 4 does not show object 1']
    assert all(f'which {word}' in notice for word, notice in zip(fate, inputs.notices, strict=True))
    assert inputs.ends == ends and inputs.going_on(4) == (() if ends else (1,))
