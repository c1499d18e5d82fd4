"""Hostile lists, names and folders: nothing outside of the folder is touched, and what is wrong is said in words."""

import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from fuzz.damage import budget
from hypothesis import given
from hypothesis import strategies as st

from tempseg_mm.datasets.check import check_sequences, find_sequences, unloaded
from tempseg_mm.datasets.name_list import sequence_names
from tempseg_mm.datasets.segtrack_v2 import SegTrackV2Dataset
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.evaluation.mask_folders import MaskFaults, match_folders
from tempseg_mm.runtime.safe_path import inside, plain_name
from tempseg_mm.sources.image_io import image_header
from tempseg_mm.visualization.exporters import write_indexed_png

PIECES = ['..', '.', '/', '\\', 'bear', 'bmx-1', '\0', '\n', ' ', '~', 'C:', '*', '\udce9', '\x1b[2J', '%2e%2e', '/etc',
          'ß', '00000.png', '$HOME', '\u202e', '\ufeff']
NAMES = st.one_of(st.lists(st.sampled_from(PIECES), max_size=4).map(''.join), st.text(max_size=12))
ON_DISK = ['00000.jpg', '00001.jpg', '00001.JPG', '1.jpg', '01.jpg', '.jpg', '-.png', '²³.jpg', '٣.jpg',
           '99999999999999999999.jpg', 'frame 7.png', '00002.txt', '...png', 'ß.png', '\udce9.jpg', '\x1b[2J.jpg',
           '00000.png']
KINDS = ['image', 'small', 'empty', 'text', 'folder', 'link', 'loop']
PLACES = [f'{kind}/480p/bear/{name}' for kind in ('JPEGImages', 'Annotations') for name in ON_DISK]


@budget(200)
@given(name=NAMES)
def test_a_name_is_refused_or_stays_inside(tmp_path, name):
    """Against the file system itself: what was written is where it should be, and nowhere else."""
    out = tmp_path / 'a/b/out'
    out.mkdir(parents=True, exist_ok=True)
    try:
        path = inside(out, 'masks', name, f'{name}.png')
    except ValueError as error:
        assert repr(name) in str(error)
        return
    write_indexed_png(path, np.ones((1, 1), np.uint8))
    assert [found for found in tmp_path.rglob('*') if found.is_file()] == [path]
    assert path.resolve().parents[2] == out.resolve() and plain_name(path.parent.name) == name
    shutil.rmtree(out / 'masks')


@pytest.fixture(scope='module')
def davis(tmp_path_factory):
    """One sequence, ``bear``, in the layout of DAVIS; beside it a folder that no list should reach."""
    root = tmp_path_factory.mktemp('fuzz')
    for kind, suffix in (('JPEGImages', 'jpg'), ('Annotations', 'png')):
        for place in (f'data/{kind}/480p/bear', 'secret', f'data/{kind}'):
            (root / place).mkdir(parents=True, exist_ok=True)
            for t in range(3):
                cv2.imwrite(str(root / place / f'{t:05d}.{suffix}'), np.full((8, 8, 3), 255, np.uint8))
    (root / 'data/ImageSets/480p').mkdir(parents=True)
    return root / 'data'


LISTS = st.one_of(st.binary(max_size=60), st.lists(NAMES, max_size=4).map(
    lambda lines: '\n'.join(lines).encode('utf-8', 'surrogateescape')))


@budget(150)
@given(content=LISTS)
def test_lists(davis, content):
    path = davis / 'ImageSets/480p/val.txt'
    path.write_bytes(content)
    try:
        names = sequence_names(path)
    except ValueError as error:
        assert str(path) in str(error)
        names = None
    else:
        assert [plain_name(name) for name in names] == names and len(set(names)) == len(names)
    try:
        sequences = VOSDataset(davis, 'val', test_mode=True)
    except (OSError, ValueError):
        assert names != ['bear']
    else:
        assert names == ['bear'] == [sequences[i]['sequence'].name for i in range(len(sequences))]


@budget(60)
@given(content=LISTS)
def test_lists_of_masks_to_score(davis, content):
    path, masks = davis / 'masks.txt', davis / 'Annotations/480p'
    path.write_bytes(content)
    try:
        found = match_folders(masks, masks, path)
    except ValueError as error:
        assert isinstance(error, MaskFaults) or str(path) in str(error)
    else:
        assert [sequence.name for sequence in found] == ['bear']


@budget(60)
@given(lines=st.lists(NAMES, min_size=1, max_size=3))
def test_lists_of_segtrack(davis, tmp_path, lines):
    root = tmp_path / 'segtrack'
    if not root.exists():
        for kind, theirs in (('JPEGImages', 'JPEGImages'), ('GroundTruth', 'Annotations')):
            shutil.copytree(davis / theirs / '480p/bear', root / kind / 'bear')
        (root / 'ImageSets').mkdir()
    (root / 'ImageSets/all.txt').write_bytes('\n'.join(lines).encode('utf-8', 'surrogateescape'))
    try:
        data = SegTrackV2Dataset(str(root), test_mode=True)
    except (OSError, ValueError):
        return
    assert {data[i]['sequence'].name for i in range(len(data))} == {'bear'}


@budget(60)
@given(files=st.dictionaries(st.sampled_from(PLACES), st.sampled_from(KINDS), max_size=8))
def test_folders_full_of_anything(davis, tmp_path, files):
    """The check reports and does not raise; a data set raises nothing but what it says."""
    image_header.cache_clear()
    root = tmp_path / 'data'
    shutil.rmtree(root, ignore_errors=True)
    for kind in ('JPEGImages', 'Annotations'):
        (root / kind / '480p/bear').mkdir(parents=True)
    (root / 'ImageSets/480p').mkdir(parents=True)
    (root / 'ImageSets/480p/val.txt').write_text('bear\n')
    for name, kind in files.items():
        put(root / name, kind)
    data = unloaded(dict(type='VOSDataset', data_root=str(root), split='val', test_mode=True))
    names, findings = find_sequences(data)
    report, = check_sequences(data, names)
    assert names == ['bear'] and findings == []
    clean = not any(finding.level == 'error' for finding in report.findings)
    try:
        sequence = VOSDataset(root, 'val', test_mode=True)[0]['sequence']
        for i in range(len(sequence)):
            sequence.verify(i)
            sequence.frame(i)
    except (OSError, ValueError):
        assert not clean
    for finding in report.findings:  # for a terminal and a log
        assert '\x1b' not in str(finding) and str(finding).encode('utf-8')


def put(path: Path, kind: str) -> None:
    if kind == 'folder':
        path.mkdir()
    elif kind in ('link', 'loop'):
        os.symlink('gone' if kind == 'link' else path.name, path)
    elif kind in ('image', 'small'):
        pixels = np.full((8, 8, 3) if kind == 'image' else (4, 6, 3), 255, np.uint8)
        path.write_bytes(cv2.imencode(path.suffix if path.suffix in ('.png', '.jpg') else '.png', pixels)[1].tobytes())
    else:
        path.write_bytes(b'' if kind == 'empty' else b'no image')
