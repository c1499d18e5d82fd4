"""Each fault is planted alone in data that are otherwise clean, and must be found with its level."""

import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.datasets.check import check_sequence, check_sequences, find_sequences, summary, unloaded
from tempseg_mm.datasets.segtrack_v2 import OBJECTS
from tempseg_mm.flow.flo_file import write_flo

SIZE = (40, 56)
LENGTHS = dict(bear=4, boat=3)


def image(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), pixels)


def square(value=255, size=SIZE):
    mask = np.zeros(size, np.uint8)
    mask[10:20, 10:20] = value
    return mask


def noise():
    return np.random.default_rng(0).integers(0, 255, (*SIZE, 3), np.uint8)


@pytest.fixture
def davis(tmp_path):
    """Two clean sequences in the layout of DAVIS, split val."""
    for name, length in LENGTHS.items():
        for t in range(length):
            image(tmp_path / f'JPEGImages/480p/{name}/{t:05d}.jpg', noise())
            image(tmp_path / f'Annotations/480p/{name}/{t:05d}.png', square())
    (tmp_path / 'ImageSets/480p').mkdir(parents=True)
    (tmp_path / 'ImageSets/480p/val.txt').write_text('bear\nboat\n')
    return tmp_path


def check(root, kind='DAVISDataset', splits=(), workers=1, **kwargs):
    """All findings as (level, where, text), and the reports."""
    kwargs = dict(dict(split='val', test_mode=True) if kind == 'DAVISDataset' else dict(test_mode=True), **kwargs)
    dataset = unloaded(dict(type=kind, data_root=str(root), **kwargs))
    names, findings = find_sequences(dataset, splits)
    reports = list(check_sequences(dataset, names, workers=workers))
    findings = findings + [finding for report in reports for finding in report.findings]
    return [(finding.level, finding.where, finding.text) for finding in findings], reports


def the_one(findings, level, where, *words):
    (found_level, found_where, text), = findings
    assert (found_level, found_where) == (level, where)
    assert [word for word in words if word not in text] == []


def test_clean(davis):
    findings, (bear, boat) = check(davis)
    assert findings == []
    assert (bear.num_frames, bear.num_annotated, bear.num_with_object, bear.sizes) == (4, 4, 4, {SIZE})
    assert (bear.name, boat.name, boat.num_frames) == ('bear', 'boat', 3)


@pytest.mark.parametrize('part', ['JPEGImages', 'Annotations'])
def test_missing_folder_of_a_sequence(davis, part):
    shutil.rmtree(davis / part / '480p/boat')
    findings, reports = check(davis)
    the_one(findings, 'error', 'boat', f'the {part} folder', 'is missing')
    assert [report.num_frames + report.num_annotated for report in reports] == [8, 3]


def test_missing_root(tmp_path):
    the_one(check(tmp_path / 'gone')[0], 'error', '', "gone' is not a folder", 'davischallenge.org')


def test_missing_list_does_not_stop_the_search(davis):
    shutil.rmtree(davis / 'ImageSets')
    (davis / 'JPEGImages/480p/boat/00001.jpg').write_bytes(b'broken')
    findings, reports = check(davis)
    assert [finding[:2] for finding in findings] == [('error', 'val'), ('error', 'boat')]
    assert 'ImageSets folder is missing' in findings[0][2] and '00001.jpg cannot be decoded' in findings[1][2]
    assert [report.name for report in reports] == ['bear', 'boat']


def test_all_splits_and_an_unknown_sequence(davis):
    (davis / 'ImageSets/480p/train.txt').write_text('boat\nbaer\n')
    findings, reports = check(davis, splits=['*'])
    assert [report.name for report in reports] == ['boat', 'baer', 'bear']
    assert {finding[1] for finding in findings} == {'baer'} and len(findings) == 2  # no frames, no masks
    for split in ('train', 'val'):
        (davis / f'ImageSets/480p/{split}.txt').write_text('bear\n')
    the_one(check(davis, splits=['*'])[0], 'warning', 'boat', 'is on disk, but no split names it')
    the_one(check(davis, splits=['test'])[0], 'error', 'test', "unknown split 'test'", 'train, val')


@pytest.mark.parametrize('cut', [0, 200, -30])
@pytest.mark.parametrize('name', ['JPEGImages/480p/bear/00002.jpg', 'Annotations/480p/bear/00002.png'])
def test_truncated_files(davis, name, cut):
    path = davis / name
    whole = path.read_bytes()
    path.write_bytes(whole[:min(cut, len(whole) // 2) if cut >= 0 else cut])
    the_one(check(davis)[0], 'error', 'bear', name, 'cannot be decoded')


def test_every_fault_is_found_in_one_go(davis):
    (davis / 'JPEGImages/480p/bear/00001.jpg').write_bytes(b'broken')
    (davis / 'Annotations/480p/bear/00002.png').write_bytes(b'broken')
    image(davis / 'Annotations/480p/bear/00003.png', square(size=(20, 30)))
    image(davis / 'Annotations/480p/boat/00000.png', square(0))
    (davis / 'JPEGImages/480p/boat/00001.jpg').unlink()
    findings, _ = check(davis, workers=2)
    assert {finding[0] for finding in findings if 'contiguous' not in finding[2]} == {'error'}
    assert [finding[1] for finding in findings] == ['bear'] * 3 + ['boat'] * 3
    texts = '\n'.join(finding[2] for finding in findings)
    for words in ('bear/00001.jpg cannot', 'bear/00002.png cannot', 'bear/00003.png is 20x30',
                  'boat/00000.png, the first mask, shows no object', 'boat/00001.png is a mask without frame'):
        assert words in texts


def test_frame_of_another_size(davis):
    image(davis / 'JPEGImages/480p/bear/00001.jpg', noise()[:30])
    image(davis / 'Annotations/480p/bear/00001.png', square(size=(30, 56)))
    findings, (bear, _) = check(davis)
    the_one(findings, 'error', 'bear', '00001.jpg is 30x56 (height x width), but', '00000.jpg is 40x56')
    assert bear.sizes == {SIZE, (30, 56)}


def test_gap_in_the_masks(davis):
    (davis / 'Annotations/480p/bear/00002.png').unlink()
    the_one(check(davis)[0], 'error', 'bear', '1 frame(s) without mask: 00002.jpg')
    the_one(check(davis, test_mode=False, clip_sampler=dict(clip_length=2))[0], 'error', 'bear', 'needs a mask for')


def test_only_the_given_masks(davis):
    for t in (2, 3):
        (davis / f'Annotations/480p/bear/{t:05d}.png').unlink()
    the_one(check(davis)[0], 'warning', 'bear', 'only the first 2 frame(s) have a mask', 'not to score')
    (davis / 'Annotations/480p/bear/00000.png').unlink()
    the_one(check(davis)[0], 'error', 'bear', '3 frame(s) without mask')


def test_too_few_frames(davis):
    the_one(check(davis, test_mode=False, clip_sampler=dict(clip_length=4))[0], 'error', 'boat',
            'has 3 frame(s), but at least 4 are needed')
    for path in [*davis.glob('*/480p/boat/00001.*'), *davis.glob('*/480p/boat/00002.*')]:
        path.unlink()
    the_one(check(davis)[0], 'error', 'boat', 'has 1 frame(s), but at least 2 are needed')


def test_numbers_with_a_gap(davis):
    for kind, suffix in (('JPEGImages', 'jpg'), ('Annotations', 'png')):
        (davis / kind / f'480p/bear/00003.{suffix}').rename(davis / kind / f'480p/bear/00007.{suffix}')
    the_one(check(davis)[0], 'warning', 'bear', 'not contiguous, 1 time(s): 00002.jpg then 00007.jpg')


def test_extra_files(davis):
    (davis / 'JPEGImages/480p/bear/notes.txt').write_text('')
    (davis / 'JPEGImages/480p/bear/.hidden').write_text('')
    the_one(check(davis)[0], 'warning', 'bear', 'notes.txt is not read')
    image(davis / 'JPEGImages/480p/bear/00001.png', noise())
    the_one(check(davis)[0], 'error', 'bear', '00001.jpg and ', '00001.png have one name')


def two(first, second):
    return square(first) + np.roll(square(second), 20, axis=1)


@pytest.mark.parametrize('pixels', [
    square(1), np.dstack([square(0), square(), square(0)]), np.dstack([square()] * 3 + [np.full(SIZE, 255, np.uint8)])])
def test_values_that_leave_no_doubt(davis, pixels):
    image(davis / 'Annotations/480p/bear/00001.png', pixels)
    assert check(davis)[0] == []


@pytest.mark.parametrize('pixels, level, words', [
    (two(1, 2), 'warning', 'shows 2 objects, which count as one'),
    (two(200, 55), 'warning', 'shows 2 objects, which count as one'),
    (np.dstack([two(128, 0), two(0, 128), square(0)]), 'warning', 'shows 2 objects, which count as one'),
    (noise(), 'error', 'looks like a picture or an overlay, not like a mask'),
])
def test_values_in_doubt(davis, pixels, level, words):
    image(davis / 'Annotations/480p/bear/00001.png', pixels)
    the_one(check(davis)[0], level, 'bear', '00001.png', words)


def test_palette_ids(davis):
    ids = Image.fromarray(two(1, 2))
    ids.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    ids.save(davis / 'Annotations/480p/bear/00001.png')
    the_one(check(davis)[0], 'warning', 'bear', 'shows 2 objects, which count as one')


def test_flow(davis):
    for t in range(3):
        write_flo(davis / f'Flow/480p/bear/{t:05d}.flo', np.zeros((*SIZE, 2)))
    assert check(davis)[0] == []
    write_flo(davis / 'Flow/480p/bear/00001.flo', np.zeros((8, 9, 2)))
    the_one(check(davis)[0], 'error', 'bear', '00001.flo is 8x9')
    write_flo(davis / 'Flow/480p/bear/00001.flo', np.full((*SIZE, 2), np.inf))
    the_one(check(davis)[0], 'error', 'bear', '00001.flo holds vectors that are not finite')
    (davis / 'Flow/480p/bear/00001.flo').unlink()
    the_one(check(davis)[0], 'warning', 'bear', '1 of 3 flow files are missing')


@pytest.fixture
def segtrack(tmp_path):
    """The whole release by name, two frames of everything."""
    for folder, count in OBJECTS.items():
        for t in (1, 2):
            image(tmp_path / f'JPEGImages/{folder}/{folder}_{t}.png', noise())
            for k in range(count):
                inner = f'{k + 1}/' if count > 1 else ''
                image(tmp_path / f'GroundTruth/{folder}/{inner}{folder}_{t}.bmp', np.dstack([square()] * 3))
    return tmp_path


def test_segtrack(segtrack):
    findings, reports = check(segtrack, 'SegTrackV2Dataset')
    assert findings == [] and len(reports) == 24
    shutil.rmtree(segtrack / 'GroundTruth/penguin/6')
    shutil.rmtree(segtrack / 'JPEGImages/worm')
    image(segtrack / 'GroundTruth/bmx/2/bmx_2.bmp', np.dstack([square(1)] * 3))
    (segtrack / 'GroundTruth/frog/frog_1.bmp').unlink()
    findings, _ = check(segtrack, 'SegTrackV2Dataset')
    assert [finding[:2] for finding in findings] == [
        ('warning', ''), ('warning', ''), ('error', 'bmx-2'), ('error', 'frog')]
    texts = [finding[2] for finding in findings]
    assert "'worm' of the release" in texts[0] and 'penguin has 5 object(s), but the release has 6' in texts[1]
    assert 'values up to 1, but none above the threshold of 127' in texts[2]
    assert '1 frame(s) without mask: frog_1.png' in texts[3]


@pytest.fixture
def youtube(tmp_path):
    shot = tmp_path / 'cow/data/0003/shots/001'
    for number in range(1, 9):
        image(shot / f'frame{number:04d}.jpg', noise())
    for number in (1, 4, 7):
        image(shot / f'labels/{number:05d}.jpg', square(255 if number > 1 else 0))
    return shot


def youtube_findings(shot):
    findings, reports = check(shot.parents[4], 'YouTubeObjectsDataset')
    assert sum('of the release' in finding[2] for finding in findings) == 9  # classes
    return [finding for finding in findings if 'of the release' not in finding[2]], reports


def test_youtube_objects(youtube):
    findings, (cow,) = youtube_findings(youtube)
    assert findings == []
    assert (cow.num_frames, cow.num_annotated, cow.num_with_object) == (8, 3, 2)


def test_youtube_objects_faults(youtube):
    image(youtube / 'labels/00004.jpg', square(0))
    the_one(youtube_findings(youtube)[0], 'warning', 'cow-0003-001', 'no mask after the given one')
    image(youtube / 'labels/00007.jpg', square(0))
    the_one(youtube_findings(youtube)[0], 'error', 'cow-0003-001', 'none of which shows the object')
    (youtube / 'frame0004.jpg').unlink()
    image(youtube / 'labels/00008.jpg', square(size=(20, 28)))
    (orphan, gap, size), _ = youtube_findings(youtube)
    assert orphan[0] == size[0] == 'error' and gap[0] == 'warning'
    assert '00004.jpg is a mask without frame' in orphan[2] and '00008.jpg is 20x28' in size[2]


def test_frames_larger_than_masks_are_fine(youtube):
    for number in (1, 4, 7):
        image(youtube / f'labels/{number:05d}.jpg', square(size=(20, 28)))
    assert youtube_findings(youtube)[0] == []


def test_synthetic(synthetic_root):
    findings, reports = check(synthetic_root, 'VOSDataset', splits=['*'], split='', resolution='32p')
    assert findings == [] and len(reports) == 4


def test_what_cannot_be_checked(davis):
    with pytest.raises(KeyError, match='did you mean DAVISDataset'):
        unloaded(dict(type='DavisDatset', data_root='x', split='y'))
    with pytest.raises(ValueError, match='workers must be at least 1'):
        check(davis, workers=0)


def test_pipeline_of_a_config_is_not_built(davis):
    dataset = unloaded(dict(type='DAVISDataset', data_root=str(davis), split='val', pipeline=[dict(type='Unknown')]))
    assert dataset.split_names() == ['bear', 'boat'] and check_sequence(dataset, 'bear').num_frames == 4


def test_summary(davis):
    image(davis / 'JPEGImages/480p/bear/00001.jpg', noise()[:30])
    _, reports = check(davis)
    rows = [line.split() for line in summary(reports).splitlines()]
    assert rows[1] == ['bear', '4', '4', '4', '2', '0', '30x56,', '40x56']
    assert rows[2] == ['boat', '3', '3', '3', '0', '0', '40x56']
    assert rows[3] == ['all', '2', '7', '7', '7', '2', '0', '2', 'different']
