import numpy as np
import pytest
from PIL import Image

from tempseg_mm.evaluation.mask_folders import MaskFaults, match_folders


def write(folder, names, size=(4, 6)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(np.zeros(size, np.uint8)).save(folder / f'{name}.png')


def names(paths):
    return [path.rsplit('/', 1)[-1] for path in paths]


def test_folders_of_sequences(tmp_path):
    for kind in ('gt', 'pred'):
        for sequence in ('b', 'a'):
            write(tmp_path / kind / sequence, ['00000', '00001', '00002'])
    first, second = match_folders(tmp_path / 'gt', tmp_path / 'pred')
    assert (first.name, second.name, len(first)) == ('a', 'b', 3)
    assert names(first.gt_paths) == names(first.pred_paths) == ['00000.png', '00001.png', '00002.png']
    assert '/gt/a/' in first.gt_paths[0] and '/pred/a/' in first.pred_paths[0]


def test_numbers_in_names_are_put_in_order(tmp_path):
    for kind in ('gt', 'pred'):
        write(tmp_path / kind / 'a', ['frame10', 'frame9', 'frame100'])
    assert names(match_folders(tmp_path / 'gt', tmp_path / 'pred')[0].gt_paths) == [
        'frame9.png', 'frame10.png', 'frame100.png']


@pytest.mark.parametrize('gt, pred', [('Annotations/480p/a', 'masks/a'), ('480p/a', 'a'), ('Annotations/a', 'a')])
def test_the_layout_of_davis_and_of_a_test_run(tmp_path, gt, pred):
    write(tmp_path / 'gt' / gt, '012')
    write(tmp_path / 'pred' / pred, '012')
    assert [sequence.name for sequence in match_folders(tmp_path / 'gt', tmp_path / 'pred')] == ['a']


def test_two_folders_of_masks_are_one_sequence(tmp_path):
    write(tmp_path / 'camel', '012')
    write(tmp_path / 'pred', '012')
    assert [sequence.name for sequence in match_folders(tmp_path / 'camel', tmp_path / 'pred')] == ['camel']


@pytest.mark.parametrize('text', ['b\n', '/JPEGImages/480p/b/00000.jpg /Annotations/480p/b/00000.png\n' * 2])
def test_a_split_names_the_sequences(tmp_path, text):
    write(tmp_path / 'gt/a', '012')
    for kind in ('gt', 'pred'):
        write(tmp_path / kind / 'b', '012')
    write(tmp_path / 'pred/more', '0')
    (tmp_path / 'split.txt').write_text(text)
    sequence, = match_folders(tmp_path / 'gt', tmp_path / 'pred', tmp_path / 'split.txt')
    assert sequence.name == 'b'


def test_all_faults_are_listed_at_once(tmp_path):
    for sequence, gt, pred in (('a', '0123', '0135'), ('b', '012', '012'), ('c', '01', '01')):
        write(tmp_path / 'gt' / sequence, gt)
        write(tmp_path / 'pred' / sequence, pred)
    write(tmp_path / 'pred/b', '1', size=(4, 7))
    write(tmp_path / 'gt/only_gt', '012')
    write(tmp_path / 'pred/only_pred', '012')
    (tmp_path / 'pred/b/2.png').write_bytes(b'no image')
    with pytest.raises(MaskFaults) as error:
        match_folders(tmp_path / 'gt', tmp_path / 'pred')
    faults = error.value.faults
    assert len(faults) == 7 and all(fault in str(error.value) for fault in faults)
    for words in ('a: mask 2 is missing in the prediction', 'a: mask 5 is in the prediction, but not in the ground',
                  'b: mask 1 is 4x7 in the prediction, 4x6 in the ground truth', 'b: mask 2: image', 'c: 2 mask(s)',
                  f'only_gt is missing in {tmp_path}/pred', f'only_pred is in {tmp_path}/pred, but not in'):
        assert sum(words in fault for fault in faults) == 1, words


def test_masks_of_a_sequence_have_one_size(tmp_path):
    for kind in ('gt', 'pred'):
        write(tmp_path / kind / 'a', '012')
        write(tmp_path / kind / 'a', '3', size=(5, 6))
    with pytest.raises(MaskFaults, match='a: mask 3 is 5x6, the first 4x6'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred')


def test_sequences_of_a_split_that_are_not_there(tmp_path):
    for kind in ('gt', 'pred'):
        write(tmp_path / kind / 'a', '012')
    (tmp_path / 'split.txt').write_text('x\na\ny\n')
    with pytest.raises(MaskFaults, match='4 fault'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred', tmp_path / 'split.txt')


def test_what_is_not_there_at_all(tmp_path):
    write(tmp_path / 'gt/a', '012')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(FileNotFoundError, match='no folder .*gone'):
        match_folders(tmp_path / 'gt', tmp_path / 'gone')
    with pytest.raises(FileNotFoundError, match='no split file .*gone.txt'):
        match_folders(tmp_path / 'gt', tmp_path / 'gt', tmp_path / 'gone.txt')
    with pytest.raises(MaskFaults, match='empty holds no sequence'):
        match_folders(tmp_path / 'empty', tmp_path / 'empty')
