import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.davis import DAVISDataset
from tempseg_mm.datasets.segtrack_v2 import SegTrackV2Dataset
from tempseg_mm.datasets.splits import DAVIS_2016, is_path, shipped_lists, split_text
from tempseg_mm.datasets.synthetic.dataset import SyntheticVOSDataset
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.datasets.youtube_objects import YouTubeObjectsDataset
from tempseg_mm.evaluation.score_table import STABLE, UNSTABLE

SEQUENCES = ('boat', 'dance-jump', 'flamingo', 'mallard-water', 'motocross-bumps', 'tennis', 'mine')


def write_sequence(folder, stems, suffix):
    folder.mkdir(parents=True)
    for stem in stems:
        image = np.zeros((20, 30), np.uint8)
        image[5:15, 5:15] = 255
        cv2.imwrite(str(folder / f'{stem}{suffix}'), image)


@pytest.fixture
def davis(tmp_path):
    """The sequences of split `dev` and one more; no lists."""
    for name in SEQUENCES:
        write_sequence(tmp_path / 'JPEGImages/480p' / name, ('00000', '00001', '00002'), '.jpg')
        write_sequence(tmp_path / 'Annotations/480p' / name, ('00000', '00001', '00002'), '.png')
    return tmp_path


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr('tempseg_mm.datasets.splits.print_log', lambda text, *_: lines.append(text))
    return lines


def names_of(dataset):
    return [dataset[i]['sequence'].name for i in range(len(dataset))]


def write_list(root, name, *lines):
    path = root / 'ImageSets/480p' / f'{name}.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(lines) + '\n')
    return path


def test_the_lists_divide_the_training_sequences_of_davis():
    lists = {name: VOSDataset.listed(None, path) for name, path in shipped_lists(DAVIS_2016).items()}
    assert {name: len(names) for name, names in lists.items()} == dict(fit=24, dev=6, fit20=20, dev10=10)
    train = {*STABLE['train'], *UNSTABLE['train']}
    assert len(train) == 30 and {*lists['fit'], *lists['dev']} == train == {*lists['fit20'], *lists['dev10']}
    assert not train & {*STABLE['val'], *UNSTABLE['val']}
    assert shipped_lists('') == shipped_lists('segtrack') == {}


def test_a_list_of_the_project_serves_data_without_it(davis, said):
    assert names_of(DAVISDataset(davis, 'dev', test_mode=True)) == list(SEQUENCES[:-1])
    write_list(davis, 'val', 'mine')
    assert names_of(DAVISDataset(davis, 'dev', test_mode=True)) == list(SEQUENCES[:-1]) and said == []


def test_the_own_list_comes_first_and_tells_of_the_other(davis, said):
    write_list(davis, 'dev', *reversed(SEQUENCES[:-1]))
    assert names_of(DAVISDataset(davis, 'dev', test_mode=True)) == list(reversed(SEQUENCES[:-1])) and said == []
    write_list(davis, 'dev', 'mine', 'boat')
    assert names_of(DAVISDataset(davis, 'dev', test_mode=True)) == ['mine', 'boat']
    assert len(said) == 1 and f'is the list in {davis}, with 2 sequences. The project ships a list of' in said[0]
    assert names_of(DAVISDataset(davis, said[0].split('split=')[1], test_mode=True)) == list(SEQUENCES[:-1])


def test_a_path_and_names(davis, monkeypatch):
    (davis / 'lists').mkdir()
    path = davis / 'lists/two.txt'
    path.write_text('/JPEGImages/480p/tennis/00000.jpg /Annotations/480p/tennis/00000.png\nmine\n')
    assert names_of(VOSDataset(davis, str(path), test_mode=True)) == ['tennis', 'mine']
    monkeypatch.chdir(davis / 'lists')
    assert names_of(VOSDataset(davis, 'two.txt', test_mode=True)) == ['tennis', 'mine']
    assert names_of(VOSDataset(davis, ['mine', 'boat', 'mine'], test_mode=True)) == ['mine', 'boat']
    assert is_path('./two') and is_path('two.txt') and not is_path('two')


def test_what_is_not_there_is_said_at_once(davis):
    write_list(davis, 'val', 'mine')
    for split in ('devel', 'gone.txt', './dev'):
        with pytest.raises(ValueError, match=rf"unknown split '{split}'; .* has: val; the project ships: dev, "
                           r'dev10, fit, fit20\. It may also be the path of a list, or .*split=\[NAME,NAME\]'):
            DAVISDataset(davis, split)
    with pytest.raises(ValueError, match=r"1 of 2 .* of split \['mine', 'baot'\] are not in .*: baot \(nearest: boat"):
        VOSDataset(davis, ['mine', 'baot'])
    with pytest.raises(ValueError, match=r"20 of 24 .* split 'fit' .*: bear, .*, \.\.\.\. The list comes with"):
        write_sequence(davis / 'JPEGImages/480p/bus', ('00000',), '.jpg')
        for name in ('hike', 'surf', 'swing'):
            write_sequence(davis / f'JPEGImages/480p/{name}', ('00000',), '.jpg')
        DAVISDataset(davis, 'fit')
    with pytest.raises(ValueError, match=r'split \[\] of .* has no sequences'):
        VOSDataset(davis, [])


def test_lists_of_davis_are_for_davis_alone(davis, synthetic_root):
    write_list(davis, 'val', 'mine')
    with pytest.raises(ValueError, match="unknown split 'dev'; .* has: val. It may"):
        VOSDataset(davis, 'dev')
    assert SyntheticVOSDataset.LISTS == SegTrackV2Dataset.LISTS == YouTubeObjectsDataset.LISTS == ''


def test_segtrack_takes_folders_and_sequences(tmp_path):
    for name, objects in dict(frog=('',), bmx=('1', '2')).items():
        write_sequence(tmp_path / 'JPEGImages' / name, ('a', 'b'), '.png')
        for instance in objects:
            write_sequence(tmp_path / 'GroundTruth' / name / instance, ('a', 'b'), '.png')
    mine = tmp_path / 'mine.txt'
    mine.write_text('*frog\n*bmx\n')
    assert names_of(SegTrackV2Dataset(tmp_path, str(mine), test_mode=True)) == ['frog', 'bmx-1', 'bmx-2']
    assert names_of(SegTrackV2Dataset(tmp_path, ['bmx-2', 'frog', 'bmx'], test_mode=True)) == ['bmx-2', 'frog', 'bmx-1']
    with pytest.raises(ValueError, match=r'1 of 1 .*: bmx-3 \(nearest: bmx'):
        SegTrackV2Dataset(tmp_path, ['bmx-3'])


def test_youtube_objects_takes_names(tmp_path):
    for shot in ('001', '002'):
        folder = tmp_path / f'cow/data/0001/shots/{shot}'
        write_sequence(folder, ('frame0001', 'frame0002'), '.jpg')
        write_sequence(folder / 'labels', ('00001', '00002'), '.png')
    (tmp_path / 'mine.txt').write_text('cow-0001-002\n')
    for split in (['cow-0001-002'], str(tmp_path / 'mine.txt')):
        assert names_of(YouTubeObjectsDataset(tmp_path, split, test_mode=True)) == ['cow-0001-002']
    with pytest.raises(ValueError, match=r'are not in .*: cow-0001-003 \(nearest: cow-0001-00'):
        YouTubeObjectsDataset(tmp_path, ['cow-0001-003'])


def test_long_lists_are_cut_in_messages():
    assert split_text('dev') == "'dev'" and split_text(['a', 'b']) == "['a', 'b']"
    assert split_text([f'sequence{i}' for i in range(9)]).endswith(' ...]') and len(split_text(['abcdef'] * 50)) <= 60
