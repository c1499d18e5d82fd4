import re

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.frame_names import FrameNames, is_mask_word, without_mask_word
from tempseg_mm.sources.open_source import open_source

FROM_ONE = [f'{i:05d}' for i in range(1, 9)]  # position 4 is called 00005
PREFIXED = [f'frame_{i:03d}' for i in range(8)]


@pytest.mark.parametrize('name, bare', [
    ('00007_mask', '00007'), ('mask_00007', '00007'), ('00007-GT', '00007'), ('ground_truth_7', '7'), ('7.label', '7'),
    ('00007', '00007'), ('mask', 'mask'), ('unmasked_3', 'unmasked_3'), ('dog_mask_mask', 'dog_mask'),
])
def test_words_for_masks(name, bare):
    assert without_mask_word(name) == bare


def test_names_of_nothing_but_such_a_word():
    assert all(map(is_mask_word, ('mask', 'GT_001', 'labels 3', 'seg')))
    assert not any(map(is_mask_word, ('00007', 'mask_dog', 'masked')))


@pytest.mark.parametrize('names, stem, position', [
    (FROM_ONE, '00005', 4), (FROM_ONE, '00005_mask', 4), (FROM_ONE, 'dog_00005', 4), (FROM_ONE, '5', None),
    (FROM_ONE, '00000', None), (FROM_ONE, 'first', None), (PREFIXED, 'frame_003', 3), (PREFIXED, 'FRAME_003', 3),
    (PREFIXED, '003', 3), (PREFIXED, 'mask_003', 3), (PREFIXED, '00003', None), (PREFIXED, 'm03', None),
    (['a', 'b'], 'B', 1), (['s1_001', 's2_001'], '001', None), (['f1', 'f2'], '2', 1), (['f1', 'f2'], 'dog2', None),
    (None, '00007', 7), (None, '00007_gt', 7), (None, '7', None), (None, '00012', 12),
    (None, '000012', None), (None, '20240105', None),
])
def test_which_frame_a_mask_is_named_after(names, stem, position):
    assert FrameNames(names, num_frames=10).meant(stem) == position


@pytest.mark.parametrize('names, number, stem, position, said', [
    (FROM_ONE, '5', '00005', 4, 'was taken for 00005 because of its name. Frame 5 counted from 0 is 00006'),
    (FROM_ONE, '5', 'm', 5, 'called 00006, because frames are counted from 0 .*; @00005 takes the frame of that'),
    (FROM_ONE, '00005', 'm', 4, 'the frame called 00005, frame 4 counted from 0'),
    (FROM_ONE, '7', '00005', 7, r'was taken for frame 7 \(00008\), although it is named like frame 4: leave out'),
    (FROM_ONE, None, '00005', 4, r'was taken for frame 4 \(00005\) because of its name; @0 takes it for the first'),
    (FROM_ONE, None, '00001', 0, ''), (FROM_ONE, None, 'm', None, ''), (PREFIXED, '5', 'm', 5, ''),
    (PREFIXED, '5', 'frame_005', 5, ''), (PREFIXED, 'frame_005', 'm', 5, 'the frame called frame_005'),
    (['3', '2', '1'], '2', 'm', 1, 'called 2, frame 1 counted'),
    (['3', '2', '1'], '1', 'm', 2, 'the frame called 1, frame 2 counted from 0'),
    (None, '5', 'm', 5, ''), (None, '5', '00005', 5, ''), (None, None, '00005', 5, 'because of its name'),
    (None, '3', '00005', 3, 'although it is named like frame 5'), (FROM_ONE, '30', 'm', 30, ''),
])
def test_names_decide_where_they_can_and_it_is_told(names, number, stem, position, said):
    found, note = FrameNames(names, num_frames=8).place('mask m.png', number, stem)
    assert found == position and re.search(said, note) and bool(said) == bool(note)


def test_a_name_outside_of_the_part_is_left_out_of_account():
    found, note = FrameNames(PREFIXED, start=2, num_frames=3).place('mask m.png', None, 'frame_000')
    assert found is None and 'has the name of frame 0, which is not among those to segment' in note


def test_a_frame_that_is_not_there():
    with pytest.raises(ValueError, match=r"there is no frame called 'x'; give a name \(00001, \.\.\.\)"):
        FrameNames(FROM_ONE).place('box 1,2,3,4', 'x', None)


def test_names_of_a_source(tmp_path):
    for name in ('b7', 'b8'):
        Image.fromarray(np.zeros((4, 6), np.uint8)).save(tmp_path / f'{name}.png')
    names = FrameNames.of(open_source(tmp_path, start=1))
    assert (names.name(1), names.meant('b7'), names.is_within(0), names.is_within(1)) == ('b8', 0, False, True)
