import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.flow.flo_file import write_flo
from tempseg_mm.registry import DATASETS

LENGTHS = dict(bear=6, boat=4, camel=5)


@pytest.fixture
def root(tmp_path):
    """Three sequences of 97 x 131; boat has flow; split `train` in the official form, `val` one name a line."""
    for name, length in LENGTHS.items():
        for kind in ('JPEGImages', 'Annotations'):
            (tmp_path / kind / '480p' / name).mkdir(parents=True)
        for t in range(length):
            image = np.full((97, 131, 3), 40 * t, np.uint8)
            mask = np.zeros((97, 131), np.uint8)
            mask[10:40, 10 + t:50 + t] = 255
            cv2.imwrite(str(tmp_path / f'JPEGImages/480p/{name}/{t:05d}.jpg'), image)
            cv2.imwrite(str(tmp_path / f'Annotations/480p/{name}/{t:05d}.png'), mask)
    for t in range(LENGTHS['boat'] - 1):
        write_flo(tmp_path / f'Flow/480p/boat/{t:05d}.flo', np.full((97, 131, 2), t + 1.0))
    lists = tmp_path / 'ImageSets' / '480p'
    lists.mkdir(parents=True)
    (lists / 'train.txt').write_text(''.join(
        f'/JPEGImages/480p/{name}/{t:05d}.jpg /Annotations/480p/{name}/{t:05d}.png\n'
        for name in ('boat', 'bear') for t in range(LENGTHS[name])))
    (lists / 'val.txt').write_text('\ncamel\n\n')
    return tmp_path


def test_training_items_are_all_clips(root):
    data = VOSDataset(root, 'train', clip_sampler=dict(clip_length=3), size=(48, 64))
    assert len(data) == 2 + 4
    items = [data[i] for i in range(len(data))]
    assert [(item['sequence'].name, item['frame_ids']) for item in items] == [
        ('boat', [0, 1, 2]), ('boat', [1, 2, 3]),
        ('bear', [0, 1, 2]), ('bear', [1, 2, 3]), ('bear', [2, 3, 4]), ('bear', [3, 4, 5])]
    assert all(set(item) == {'sequence', 'frame_ids', 'size'} and item['size'] == (48, 64) for item in items)


def test_test_items_are_sequences(root):
    data = DATASETS.build(dict(type='VOSDataset', data_root=str(root), split='val', test_mode=True, size=48))
    assert len(data) == 1
    item = data[0]
    assert set(item) == {'sequence', 'size'} and item['size'] == 48
    assert isinstance(item['sequence'], VOSSequence) and len(item['sequence']) == 5
    assert item['sequence'].mask(1).sum() == 30 * 40


def test_flow_is_found_where_there_is_some(root):
    data = VOSDataset(root, 'train', test_mode=True)
    boat, bear = data[0]['sequence'], data[1]['sequence']
    assert boat.flow(2)[0, 0].tolist() == [3, 3]
    assert bear.flow_paths == () and bear.flow(0) is None


def test_subset_keeps_the_order_asked_for(root):
    data = VOSDataset(root, 'train', sequences=['bear', 'boat'], test_mode=True)
    assert [data[i]['sequence'].name for i in range(2)] == ['bear', 'boat']


def test_items_do_not_share_lists(root):
    data = VOSDataset(root, 'train', clip_sampler=dict(clip_length=3))
    data[0]['frame_ids'].append(99)
    assert data[0]['frame_ids'] == [0, 1, 2]


def test_pipeline_from_config(root):
    data = VOSDataset(root, 'val', clip_sampler=dict(clip_length=2), size=(48, 64),
                      pipeline=[dict(type='LoadClip'), dict(type='PackClip')])
    item = data[3]
    assert item['inputs'].shape == (2, 3, 48, 64)
    assert item['data_samples'].sequence == 'camel' and item['data_samples'].frame_ids == [3, 4]


def test_broken_file_raises_and_is_not_replaced(root):
    data = VOSDataset(root, 'val', clip_sampler=dict(clip_length=5), pipeline=[dict(type='LoadClip')])
    (root / 'JPEGImages/480p/camel/00002.jpg').write_bytes(b'broken')
    with pytest.raises(OSError, match='00002.jpg cannot be decoded'):
        data[0]


def test_pipeline_without_answer_raises(root):
    data = VOSDataset(root, 'val', pipeline=[lambda results: None])
    with pytest.raises(ValueError, match='returned None for item 0'):
        data[0]


@pytest.mark.parametrize('kind, suffix', [('JPEGImages', 'jpg'), ('Annotations', 'png')])
@pytest.mark.parametrize('split', ['train', 'val'])
def test_numbers_that_are_shifted_are_refused(root, kind, suffix, split):
    for name, length in LENGTHS.items():
        for t in reversed(range(length)):
            (root / f'{kind}/480p/{name}/{t:05d}.{suffix}').rename(root / f'{kind}/480p/{name}/{t + 1:05d}.{suffix}')
    with pytest.raises(ValueError, match=r'do not match by name: 1 of \d masks have no frame .*numbered from 0 and '):
        VOSDataset(root, split, test_mode=split == 'val')


def test_frames_turned_by_exif_need_masks_turned_likewise(root):
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in (root / 'JPEGImages/480p/camel').iterdir():
        Image.open(path).save(path, exif=exif)
    sequence = VOSDataset(root, 'val', test_mode=True)[0]['sequence']
    assert sequence.shape == (131, 97) and sequence.frame(0, 131).shape == (177, 131, 3)
    with pytest.raises(ValueError, match='must have the same size. The frame is turned upright, as its EXIF notes'):
        sequence.mask(0)


def test_missing_root():
    with pytest.raises(FileNotFoundError, match=r'(?s)/nowhere.*expects JPEGImages/480p/.*tempseg_synthetic.py'):
        VOSDataset('/nowhere', 'train')


def test_unknown_split_lists_those_there(root):
    with pytest.raises(ValueError, match="unknown split 'tests'; .* has: train, val"):
        VOSDataset(root, 'tests')


def test_unknown_resolution_lists_those_there(root):
    with pytest.raises(FileNotFoundError, match='Set `resolution` to a folder that exists: 480p.$'):
        VOSDataset(root, 'train', resolution='1080p')


def test_unknown_sequence_names_the_nearest(root):
    with pytest.raises(ValueError, match="unknown sequence 'baer' in split 'train' .*nearest: bear"):
        VOSDataset(root, 'train', sequences=['baer'])
    with pytest.raises(ValueError, match='`sequences` is empty'):
        VOSDataset(root, 'train', sequences=[])


def test_empty_split(root):
    (root / 'ImageSets/480p/none.txt').write_text('\n')
    with pytest.raises(ValueError, match="split 'none' of .* has no sequences"):
        VOSDataset(root, 'none')


def test_sequence_without_annotation_folder(root):
    shutil.rmtree(root / 'Annotations/480p/camel')
    with pytest.raises(FileNotFoundError, match="the Annotations folder of sequence 'camel' is missing"):
        VOSDataset(root, 'val', test_mode=True)


def test_sequence_without_frames(root):
    for path in (root / 'JPEGImages/480p/camel').iterdir():
        path.unlink()
    with pytest.raises(ValueError, match="sequence 'camel' has no frames"):
        VOSDataset(root, 'val')


def test_unannotated_frame_is_refused_in_training_only(root):
    (root / 'Annotations/480p/camel/00003.png').unlink()
    with pytest.raises(ValueError, match="frame 00003 of sequence 'camel' has no annotation"):
        VOSDataset(root, 'val')
    assert VOSDataset(root, 'val', test_mode=True)[0]['sequence'].mask(3) is None


@pytest.mark.parametrize('clip_sampler', [dict(clip_length=5), dict(clip_length=3, stride=2)])
def test_clip_longer_than_a_sequence(root, clip_sampler):
    with pytest.raises(ValueError, match=f"'boat' has 4 frames, too few .*T = {clip_sampler['clip_length']} frames"):
        VOSDataset(root, 'train', clip_sampler=clip_sampler)


def test_frames_of_mixed_sizes(root):
    cv2.imwrite(str(root / 'JPEGImages/480p/camel/00001.jpg'), np.zeros((90, 131, 3), np.uint8))
    data = VOSDataset(root, 'val', clip_sampler=dict(clip_length=2), pipeline=[dict(type='LoadClip')])
    with pytest.raises(ValueError, match='00001.jpg is 90x131 .* is 97x131'):
        data[0]


def test_frames_are_in_natural_order(root):
    for kind, suffix in (('JPEGImages', 'jpg'), ('Annotations', 'png')):
        for path in sorted((root / kind / '480p/camel').iterdir()):
            path.rename(path.with_name(f'take 2 no {int(path.stem) + 8}.{suffix}'))
    camel = VOSDataset(root, 'val', test_mode=True)[0]['sequence']
    assert [camel.file_name(i) for i in range(5)] == [f'take 2 no {number}' for number in range(8, 13)]
    assert camel.is_annotated(4) and camel.mask_paths[4].endswith('take 2 no 12.png')


def test_wrong_resolution_of_one_kind(root):
    (root / 'Annotations/480p').rename(root / 'Annotations/Full-Resolution')
    with pytest.raises(FileNotFoundError, match='Annotations/480p. VOSDataset expects JPEGImages/480p'):
        VOSDataset(root, 'val', test_mode=True)


def test_what_is_there(root):
    data = VOSDataset(root, 'val', test_mode=True)
    assert data.splits() == ['train', 'val'] and data.names_on_disk() == ['bear', 'boat', 'camel']
    assert list(data.frame_files('boat')) == list(data.mask_files('boat')) == ['00000', '00001', '00002', '00003']
    assert data.missing_parts() == []


@pytest.mark.parametrize('line', ['../../secret', '/', '..', 'a\\b'])
def test_a_split_cannot_name_a_place_elsewhere(root, line):
    (root / 'ImageSets/480p/val.txt').write_text(f'camel\n{line}\n')
    with pytest.raises(ValueError, match=r'in the list .*val\.txt: sequence .* cannot be used'):
        VOSDataset(root, 'val', test_mode=True)
