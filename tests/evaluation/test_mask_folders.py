import numpy as np
import pytest
from PIL import Image

from tempseg_mm.evaluation.mask_folders import MaskFaults, match_folders
from tempseg_mm.runtime.notices import Notices


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


@pytest.mark.parametrize('gt, pred', [('Annotations/480p/a', 'masks/a'), ('480p/a', 'a'), ('Annotations/a', 'a'),
                                      ('a', 'a/masks')])
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
    with pytest.raises(MaskFaults, match='a: mask 3 is 5x6, but the first mask is 4x6'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred')


def test_a_split_may_be_names_or_a_list_of_the_project(tmp_path):
    for name in ('boat', 'tennis', 'other'):
        for kind in ('gt', 'pred'):
            write(tmp_path / kind / name, '012')
    found = match_folders(tmp_path / 'gt', tmp_path / 'pred', ['other', 'boat', 'other'])
    assert [sequence.name for sequence in found] == ['boat', 'other']
    assert [sequence.name for sequence in match_folders(tmp_path / 'gt', tmp_path / 'pred', 'other')] == ['other']
    with pytest.raises(MaskFaults) as fault:
        match_folders(tmp_path / 'gt', tmp_path / 'pred', 'dev')
    assert {line.split()[1] for line in fault.value.faults} == {
        'dance-jump', 'flamingo', 'mallard-water', 'motocross-bumps'}
    with pytest.raises(FileNotFoundError, match='no split file devel, .*ships the lists dev, dev10, fit, fit20'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred', 'devel')


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


HIDDEN = ['.ipynb_checkpoints', '.git', '__MACOSX', '@eaDir', '.Trash-1000']


@pytest.mark.parametrize('name', HIDDEN)
@pytest.mark.parametrize('kind', ['gt', 'pred', 'gt/a', 'pred/a'])
def test_folders_of_programs_are_passed_over(tmp_path, kind, name):
    for folder in ('gt/a', 'pred/a'):
        write(tmp_path / folder, '012')
        (tmp_path / folder / '.DS_Store').write_bytes(b'junk')
        (tmp_path / folder / '._0.png').write_bytes(b'junk')
    write(tmp_path / kind / name, '012')
    write(tmp_path / kind / name / 'a', '01')
    notices = Notices('sequence')
    sequence, = match_folders(tmp_path / 'gt', tmp_path / 'pred', notices=notices)
    assert (sequence.name, len(sequence), list(notices)) == ('a', 3, [])


def read(gt, pred, **options):
    notices = Notices('sequence')
    return match_folders(gt, pred, notices=notices, **options), list(notices)


def test_sequences_without_ground_truth_are_told(tmp_path):
    for sequence in ('gt/a', 'pred/a', 'pred/b', 'pred/c'):
        write(tmp_path / sequence, '012')
    sequences, notices = read(tmp_path / 'gt', tmp_path / 'pred')
    assert [sequence.name for sequence in sequences] == ['a']
    assert len(notices) == 1 and 'holds 2 sequence(s) without ground truth, which were not scored: b, c' in notices[0]


def test_a_near_name_is_told(tmp_path):
    write(tmp_path / 'gt/camel', '012')
    write(tmp_path / 'pred/Camel', '012')
    with pytest.raises(MaskFaults, match=r'(?s)camel is missing in .*pred \(which has Camel\).*Camel is in'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred')


@pytest.mark.parametrize('gt, pred', [('gt/bear', 'pred'), ('gt', 'pred/bear')])
def test_masks_of_one_sequence_are_matched_with_the_folder_of_one(tmp_path, gt, pred):
    write(tmp_path / 'gt/bear', '012')
    write(tmp_path / 'pred/bear', '012')
    sequences, notices = read(tmp_path / gt, tmp_path / pred)
    assert [sequence.name for sequence in sequences] == ['bear'] and 'the sequence bear' in notices[0]
    write(tmp_path / 'gt/cow', '012')
    write(tmp_path / 'pred/cow', '012')
    assert [sequence.name for sequence in read(tmp_path / gt, tmp_path / pred)[0]] == ['bear']


def test_masks_of_one_sequence_among_several_need_its_name(tmp_path):
    for folder in ('gt/bear', 'gt/cow', 'result'):
        write(tmp_path / folder, '012')
    with pytest.raises(MaskFaults, match='result holds masks itself, one sequence, .*gt holds folders of .*bear, cow'):
        match_folders(tmp_path / 'gt', tmp_path / 'result')


def test_images_beside_the_folders_of_sequences_are_left_out(tmp_path):
    for kind in ('gt', 'pred'):
        write(tmp_path / kind / 'a', '012')
    write(tmp_path / 'pred', ['overview'])
    sequences, notices = read(tmp_path / 'gt', tmp_path / 'pred')
    assert [sequence.name for sequence in sequences] == ['a'] and 'beside their folders were left out' in notices[0]


def test_several_resolutions_are_not_chosen_from(tmp_path):
    for resolution in ('480p', 'Full-Resolution'):
        write(tmp_path / f'gt/Annotations/{resolution}/a', '012')
    with pytest.raises(MaskFaults, match='Annotations holds 480p, Full-Resolution, .* name the folder'):
        match_folders(tmp_path / 'gt', tmp_path / 'gt/Annotations/480p')


@pytest.mark.parametrize('gt, pred, words', [
    ('x', 'x', '--gt and --pred are one folder'), ('x', 'link', '--gt and --pred are one folder'),
    ('pred', 'Annotations', 'were --gt and --pred swapped'), ('Annotations', 'pred', None)])
def test_suspicious_folders_are_told(tmp_path, gt, pred, words):
    for folder in {gt, pred} - {'link'}:
        write(tmp_path / folder / 'a', '012')
    if pred == 'link':
        (tmp_path / 'link').symlink_to(tmp_path / 'x')
    _, notices = read(tmp_path / gt, tmp_path / pred)
    assert [words in notice for notice in notices] == ([True] if words else [])


@pytest.mark.parametrize('protocol, stems, counts', [
    ('auto', '0123', False), ('auto', '0369', True), ('davis', '0369', False), ('annotated', '0123', True)])
def test_whether_the_last_annotation_counts(tmp_path, protocol, stems, counts):
    write(tmp_path / 'gt/a', stems)
    write(tmp_path / 'pred/a', '0123456789')
    (sequence,), notices = read(tmp_path / 'gt', tmp_path / 'pred', protocol=protocol)
    assert sequence.last_counts == counts
    assert any('--protocol davis leaves the last one out' in notice for notice in notices) == (
        counts and protocol == 'auto')
    with pytest.raises(ValueError, match='protocol must be one of auto, davis, annotated'):
        match_folders(tmp_path / 'gt', tmp_path / 'pred', protocol='youtube')
