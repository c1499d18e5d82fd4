"""Reading a release with a wrong class or from a wrong folder raises an error with the right arguments."""

import re
from pathlib import Path

import pytest
import released_trees as trees
from mmengine.config import Config

from tempseg_mm.datasets.known_trees import recognise
from tempseg_mm.registry import DATASETS

ROOT = Path(__file__).resolve().parents[2]
RELEASES = dict(
    DAVIS2017Dataset=(trees.davis2017, 'train', 3), DAVISDataset=(trees.davis2016, 'train', 1),
    MOSEDataset=(trees.mose, 'valid', 1), YouTubeVOSDataset=(trees.youtube_vos, 'valid', 1),
    SegTrackV2Dataset=(trees.segtrack, 'all', 3), YouTubeObjectsDataset=(trees.youtube_objects, 'all', 1))


@pytest.fixture(scope='module')
def roots(tmp_path_factory):
    """Folder of each release, by the class that reads it; one more packs YouTube-Objects as repositories do."""
    folder = tmp_path_factory.mktemp('released')
    found = {kind: draw(folder / kind / 'data') for kind, (draw, *_) in RELEASES.items()}
    found['repacked'] = trees.youtube_objects_repacked(folder / 'repacked' / 'data')
    return found


def the_line_of(error):
    """The arguments that a message says to use."""
    text = str(error.value).removesuffix(' configs/tempseg_synthetic.py needs no data')
    line = re.search(r" looks like [^:]+: use (type='.*?)(?: \(or [^)]*\))?, as in (configs/\w+\.py)\.$", text)
    assert line, text
    assert Config.fromfile(ROOT / line[2]).test_dataloader.dataset.type in line[1]
    return eval(f'dict({line[1]})')  # noqa: S307 - what a user pastes into a config


def length(**config):
    return len(DATASETS.build(dict(config, test_mode=True)))


# Some read each other: YouTube-VOS and repacked YouTube-Objects are laid out like MOSE.
MIXED_UP = [(kind, other) for kind in RELEASES for other in (*RELEASES, 'repacked')
            if kind != other and (kind, other) not in {
                ('YouTubeObjectsDataset', 'repacked'), ('MOSEDataset', 'repacked'),
                ('MOSEDataset', 'YouTubeVOSDataset'), ('YouTubeVOSDataset', 'MOSEDataset')}]


@pytest.mark.parametrize('kind, other', MIXED_UP)
def test_the_class_of_another_release(roots, kind, other):
    with pytest.raises((FileNotFoundError, ValueError)) as error:
        length(type=kind, data_root=str(roots[other]), split='train')
    line = the_line_of(error)
    assert line['type'] == ('YouTubeObjectsDataset' if other == 'repacked' else other)
    assert line['data_root'] == str(roots[other]) and length(**line) > 0


PLACES = dict.fromkeys(RELEASES, ('..', '../gone', 'JPEGImages')) | dict(
    DAVISDataset=('..', 'JPEGImages/480p'), YouTubeObjectsDataset=('..', '../gone'),
    MOSEDataset=('..', 'valid', 'valid/JPEGImages'),
    YouTubeVOSDataset=('..', '../gone', 'valid', 'valid/JPEGImages'))


@pytest.mark.parametrize('kind, place', [(kind, place) for kind, places in PLACES.items() for place in places])
def test_a_folder_too_high_or_too_low(roots, kind, place):
    with pytest.raises((FileNotFoundError, ValueError)) as error:
        length(type=kind, data_root=str(roots[kind] / place), split='valid')
    line = the_line_of(error)
    assert line['type'] == kind and length(**line) > 0


def test_the_split_that_was_asked_for_is_kept(roots, tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError) as error:
        length(type='DAVISDataset', data_root=str(roots['DAVIS2017Dataset']), split='val')
    assert the_line_of(error) == dict(
        type='DAVIS2017Dataset', data_root=str(roots['DAVIS2017Dataset']), split='val', resolution='480p', year=2016)
    assert ', year=2016 (or 2017), as in configs/' in str(error.value)
    with pytest.raises(FileNotFoundError) as error:
        length(type='YouTubeVOSDataset', data_root=str(roots['YouTubeVOSDataset'] / 'train'), split='val')
    assert the_line_of(error)['split'] == 'train' and 'train looks like YouTube-VOS train' in str(error.value)
    monkeypatch.chdir(roots['MOSEDataset'])  # paths stay as they were given
    with pytest.raises(FileNotFoundError, match=r"folder valid looks like valid .* data_root='\.', split='valid', "):
        length(type='SegTrackV2Dataset', data_root='valid/JPEGImages')


def test_nothing_is_said_where_nothing_is_known(tmp_path, roots):
    assert recognise(str(tmp_path)) is None and recognise(str(tmp_path / 'gone')) is None
    (tmp_path / 'JPEGImages/480p/bear').mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match='ImageSets folder is missing: .*/480p. DAVISDataset expects') as error:
        length(type='DAVISDataset', data_root=str(tmp_path), split='val')
    assert 'looks like' not in str(error.value)
    # A release beside a missing folder is named only if the class reads it.
    with pytest.raises(FileNotFoundError, match='is not a folder. Get SegTrackv2.zip'):
        length(type='SegTrackV2Dataset', data_root=str(roots['DAVISDataset'].parent / 'gone'))


def test_no_advice_in_a_circle(roots, tmp_path):
    """An error advises neither arguments that are set already nor a resolution that some kind of files lacks."""
    with pytest.raises(FileNotFoundError) as error:
        length(type='DAVIS2017Dataset', data_root=str(roots['DAVIS2017Dataset']), split='val', year=2019)
    assert length(**the_line_of(error)) == 1 and the_line_of(error)['year'] == 2017
    root = trees.davis2017(tmp_path)
    (root / 'Annotations/480p').rename(root / 'Annotations/Full-Resolution')
    for resolution, missing in (('480p', 'Annotations'), ('Full-Resolution', 'JPEGImages'), ('2017', 'JPEGImages')):
        with pytest.raises(FileNotFoundError, match=f'the {missing} folder is missing: .* DAVIS2017Dataset ') as error:
            length(type='DAVIS2017Dataset', data_root=str(root), split='val', resolution=resolution)
        assert 'looks like' not in str(error.value) and 'Set `resolution`' not in str(error.value)
