import json
import os
import threading

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.datasets.synthetic.dataset import SyntheticVOSDataset, write_davis_layout
from tempseg_mm.datasets.synthetic.draw import SceneParams, draw_scene
from tempseg_mm.registry import DATASETS

SCENE = dict(num_frames=4, height=48, width=80, occluders=0)  # in 4 frames hardly anything gets out of the way
COUNTS = dict(train=2, test=1)


@pytest.fixture
def root(tmp_path):
    path = tmp_path / 'made' / 'synthetic'
    assert write_davis_layout(path, scene=SceneParams(**SCENE), num_sequences=COUNTS)
    return path


def test_layout(root):
    assert sorted(os.listdir(root)) == ['Annotations', 'Flow', 'ImageSets', 'JPEGImages', 'synthetic.json']
    assert sorted(os.listdir(root / 'JPEGImages/48p/train_001')) == [f'{t:05d}.jpg' for t in range(4)]
    assert sorted(os.listdir(root / 'Annotations/48p/test_000')) == [f'{t:05d}.png' for t in range(4)]
    assert sorted(os.listdir(root / 'Flow/48p/test_000')) == [f'{t:05d}.flo' for t in range(3)]
    assert (root / 'ImageSets/48p/train.txt').read_text() == 'train_000\ntrain_001\n'
    assert os.listdir(root.parent) == ['synthetic']  # nothing temporary is left


def test_files_hold_the_scene(root):
    scene = draw_scene(SceneParams(**SCENE), np.random.SeedSequence([0, 0, 1]))
    data = SyntheticVOSDataset(root, 'train', scene=SCENE, num_sequences=COUNTS, test_mode=True)
    sequence = data[1]['sequence']
    assert sequence.name == 'train_001' and len(sequence) == 4
    for t in range(4):
        np.testing.assert_array_equal(sequence.mask(t), scene.mask(t))
        assert np.abs(sequence.frame(t).astype(int) - scene.image(t)).mean() < 4  # JPEG
    np.testing.assert_array_equal(sequence.flow(2), scene.flow(2))


def test_all_objects_and_videos(tmp_path):
    scene = SceneParams(**SCENE)
    options = dict(scene=scene, num_sequences=dict(test=1))
    assert write_davis_layout(tmp_path / 'made', all_objects=True, videos=True, **options)
    drawn = draw_scene(scene, np.random.SeedSequence([0, 0, 0]))
    labels = np.asarray(Image.open(tmp_path / 'made/Annotations/48p/test_000/00002.png'))
    np.testing.assert_array_equal(labels, drawn.labels(2))
    np.testing.assert_array_equal(labels == 1, drawn.mask(2))
    assert set(np.unique(labels)) == {0, 1, 2}  # one look-alike moves behind the object
    video = cv2.VideoCapture(str(tmp_path / 'made/Videos/48p/test_000.mp4'))
    frames = [video.read()[1] for _ in range(4)]
    assert np.abs(frames[3][..., ::-1].astype(int) - drawn.image(3)).mean() < 8 and not video.read()[0]
    with pytest.raises(ValueError, match='made with another all_objects, videos'):
        write_davis_layout(tmp_path / 'made', **options)


def test_made_on_first_use_and_read_on_the_second(tmp_path):
    config = dict(type='SyntheticVOSDataset', data_root=str(tmp_path / 'new'), split='train', scene=SCENE,
                  num_sequences=COUNTS, clip_sampler=dict(clip_length=3), size=(24, 40),
                  pipeline=[dict(type='LoadClip'), dict(type='PackClip')])
    data = DATASETS.build(config)
    assert len(data) == 2 * 2
    sample = data[3]['data_samples']
    assert sample.flow.shape == (2, 2, 24, 40) and sample.sequence == 'train_001'
    written = (tmp_path / 'new' / 'synthetic.json').stat().st_mtime_ns
    again = DATASETS.build(dict(config, split='test', test_mode=True, pipeline=[]))
    assert len(again) == 1 and (tmp_path / 'new' / 'synthetic.json').stat().st_mtime_ns == written


def test_splits_and_sequences_differ(root):
    frames = {}
    for split in ('train', 'test'):
        data = SyntheticVOSDataset(root, split, scene=SCENE, num_sequences=COUNTS, test_mode=True)
        frames.update({item['sequence'].name: item['sequence'].frame(0).astype(int) for item in data})
    assert sorted(frames) == ['test_000', 'train_000', 'train_001']
    for one, two in (('train_000', 'train_001'), ('train_000', 'test_000'), ('train_001', 'test_000')):
        assert np.abs(frames[one] - frames[two]).mean() > 20


def test_more_sequences_leave_the_first_as_they_are(root, tmp_path):
    write_davis_layout(tmp_path / 'more', scene=SceneParams(**SCENE), num_sequences=dict(train=1, test=2))
    for file in ('JPEGImages/48p/test_000/00002.jpg', 'Flow/48p/train_000/00001.flo'):
        assert (root / file).read_bytes() == (tmp_path / 'more' / file).read_bytes()


def test_other_parameters_are_refused(root):
    assert not write_davis_layout(root, scene=SceneParams(**SCENE), num_sequences=COUNTS)
    with pytest.raises(ValueError, match='made with another seed; choose another data_root or delete'):
        SyntheticVOSDataset(root, scene=SCENE, num_sequences=COUNTS, seed=1)
    with pytest.raises(ValueError, match='made with another num_sequences, scene'):
        SyntheticVOSDataset(root, scene=dict(SCENE, blur=0.1))


def test_foreign_folder_is_left_alone(tmp_path):
    (tmp_path / 'thesis.tex').write_text('precious')
    with pytest.raises(ValueError, match='holds no synthetic.json, so it is no synthetic data set and is left alone'):
        write_davis_layout(tmp_path)
    assert os.listdir(tmp_path) == ['thesis.tex']


def test_empty_folder_is_filled(tmp_path):
    assert write_davis_layout(tmp_path, scene=SceneParams(**SCENE), num_sequences=dict(test=1))
    assert json.loads((tmp_path / 'synthetic.json').read_text())['scene']['height'] == 48


def test_says_what_it_counts_in_a_handful_of_lines(tmp_path, monkeypatch):
    now, lines = [0.0], []
    monkeypatch.setattr('tempseg_mm.runtime.progress.time.monotonic', lambda: now[0])
    monkeypatch.setattr('tempseg_mm.datasets.synthetic.dataset._write_frame',
                        lambda *args, **options: now.append(now.pop() + 2))
    monkeypatch.chdir(tmp_path)
    write_davis_layout('x', scene=SceneParams(**SCENE), num_sequences=dict(train=20, test=10), log=lines.append)
    assert lines[0] == 'rendering 30 sequences of 4 frames to x'
    assert lines[1] == 'rendering: sequence 2 of 30  (2 s each, eta 0:03:50)'  # five frames in ten seconds
    assert lines[-1] == 'rendering: sequence 22 of 30  (2 s each, eta 0:01:10)'
    assert len(lines) == 4


def test_failure_leaves_nothing(tmp_path, monkeypatch):
    def fail(params, seed):
        raise ValueError('no scene')

    monkeypatch.setattr('tempseg_mm.datasets.synthetic.dataset.draw_scene', fail)
    with pytest.raises(ValueError, match='no scene'):
        write_davis_layout(tmp_path / 'x')
    assert os.listdir(tmp_path) == []


def test_two_at_once(tmp_path):
    results = []

    def write():
        results.append(write_davis_layout(tmp_path / 'x', scene=SceneParams(**SCENE), num_sequences=dict(test=1)))

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, False, True]
    assert os.listdir(tmp_path) == ['x'] and len(os.listdir(tmp_path / 'x/Flow/48p/test_000')) == 3


def test_loser_of_a_race_with_other_data_hears_of_it(tmp_path, monkeypatch):
    def overtaken(root, manifest, params, progress):
        (tmp_path / 'x').mkdir()
        (tmp_path / 'x' / 'synthetic.json').write_text('{}')

    monkeypatch.setattr('tempseg_mm.datasets.synthetic.dataset._write_all', overtaken)
    with pytest.raises(ValueError, match='made with another num_sequences, scene, seed, version'):
        write_davis_layout(tmp_path / 'x')


def test_empty_splits_are_refused(tmp_path):
    with pytest.raises(ValueError, match='every split needs at least one sequence'):
        write_davis_layout(tmp_path / 'x', num_sequences=dict(train=3, test=0))


def test_unknown_argument_is_refused(root):
    with pytest.raises(TypeError, match='clip_len'):
        SyntheticVOSDataset(root, scene=SCENE, num_sequences=COUNTS, clip_len=3)


@pytest.mark.parametrize('content', ['', '[]', '3', '[' * 100_000])
def test_a_broken_manifest_is_named(tmp_path, content):
    (tmp_path / 'x').mkdir()
    (tmp_path / 'x/synthetic.json').write_text(content)
    with pytest.raises(ValueError, match=r'synthetic\.json is no manifest of synthetic data .*delete'):
        write_davis_layout(tmp_path / 'x')
