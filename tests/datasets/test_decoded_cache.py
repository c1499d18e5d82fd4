import os
import pickle

import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.decoded_cache import DecodedCache
from tempseg_mm.datasets.transforms import ClipObjectWindow, ClipPhotometric, DeformReferenceMask, PackClip
from tempseg_mm.datasets.transforms.loading import LoadClip
from tempseg_mm.datasets.vos_sequence import VOSSequence
from tempseg_mm.ops.object_window import ObjectWindow

IDS = [0, 1]


def write(folder, *, seed=0, objects=2):
    """Write two frames of 40 x 60 with annotations that show ``objects`` ids, and return their paths."""
    rng = np.random.default_rng(seed)
    frames, masks = [], []
    for t in IDS:
        frames.append(str(folder / f'{t}.jpg'))
        cv2.imwrite(frames[-1], rng.integers(0, 255, (40, 60, 3), np.uint8))
        masks.append(str(folder / f'm{t}.png'))
        ids = np.zeros((40, 60), np.uint8)
        for k in range(objects):
            ids[5 + t:25, 5 + 20 * k:20 + 20 * k] = k + 1
        cv2.imwrite(masks[-1], ids)
    return tuple(frames), tuple(masks)


@pytest.fixture
def sequence(tmp_path):
    return VOSSequence('ball', *write(tmp_path))


@pytest.fixture
def cache(tmp_path):
    return DecodedCache(tmp_path / 'decoded')


def files_of(cache):
    return sorted(cache.cache_dir.rglob('*.npy'))


def no_decoding(monkeypatch):
    for name in ('frame', 'annotation'):
        monkeypatch.setattr(VOSSequence, name, lambda *args: pytest.fail('a file was decoded again'))


@pytest.mark.parametrize('size', [None, (20, 30), 50])
def test_equals_decoding(sequence, cache, size):
    for _ in range(2):
        for i in IDS:
            np.testing.assert_array_equal(cache.frame(sequence, i, size), sequence.frame(i, size))
            np.testing.assert_array_equal(cache.object_ids(sequence, i), sequence.annotation(i).ids)
    assert len(files_of(cache)) == 4


def test_decodes_only_once(sequence, cache, monkeypatch):
    before = [cache.frame(sequence, 0).copy(), cache.object_ids(sequence, 0).copy()]
    no_decoding(monkeypatch)
    for again in (cache, DecodedCache(str(cache.cache_dir)), pickle.loads(pickle.dumps(cache))):
        np.testing.assert_array_equal(again.frame(sequence, 0), before[0])
        np.testing.assert_array_equal(again.object_ids(sequence, 0), before[1])


def test_nobody_changes_the_kept_pixels(sequence, cache):
    for _ in range(2):
        with pytest.raises(ValueError, match='read-only'):
            cache.frame(sequence, 0)[0, 0] = 0


def test_what_differs_is_kept_apart(tmp_path, cache):
    paths = write(tmp_path)
    settings = (dict(), dict(objects='apart'), dict(objects=2), dict(threshold=1), dict(annotation_size=(40, 60)))
    for how in settings:
        sequence = VOSSequence('ball', *paths, **how)
        np.testing.assert_array_equal(cache.object_ids(sequence, 1), sequence.annotation(1).ids)
    assert cache.object_ids(VOSSequence('ball', *paths), 1).max() == 1
    assert cache.object_ids(VOSSequence('ball', *paths, objects='apart'), 1).max() == 2


def test_a_changed_file_is_decoded_again(tmp_path, sequence, cache):
    old = cache.frame(sequence, 0).copy()
    write(tmp_path, seed=1)
    os.utime(sequence.frame_paths[0], ns=(1, 1))
    found = cache.frame(sequence, 0)
    np.testing.assert_array_equal(found, sequence.frame(0))
    assert not np.array_equal(found, old)


@pytest.mark.parametrize('content', [b'', b'\x93NUMPY', 'half'])
def test_a_broken_file_is_made_again(sequence, cache, content):
    whole = cache.frame(sequence, 0).copy()
    path, = files_of(cache)
    path.write_bytes(path.read_bytes()[:3000] if content == 'half' else content)
    np.testing.assert_array_equal(cache.frame(sequence, 0), whole)
    assert path.stat().st_size > 3000


def test_frames_without_annotation(tmp_path, cache):
    frames, masks = write(tmp_path)
    sequence = VOSSequence('ball', frames, (masks[0], None))
    assert cache.object_ids(sequence, 1) is None
    with pytest.raises(ValueError, match="frame 1 of sequence 'ball' is not annotated"):
        LoadClip(cache_dir=str(cache.cache_dir))(dict(sequence=sequence, frame_ids=IDS, size=None))


@pytest.mark.parametrize('objects', ['merged', 'apart'])
def test_clips_are_the_same(tmp_path, objects):
    sequence = VOSSequence('ball', *write(tmp_path), objects=objects)
    window = ObjectWindow(size=(32, 48), share=0.6)

    def clip(load, seed):
        np.random.seed(seed)
        results = dict(sequence=sequence, frame_ids=list(IDS), size=None)
        for step in (load, ClipObjectWindow(window=window, shift=0.3), ClipPhotometric(), DeformReferenceMask(),
                     PackClip()):
            results = step(results)
        return results

    cached = LoadClip(cache_dir=str(tmp_path / 'decoded'))
    for seed in range(4):
        expected, found = clip(LoadClip(), seed), clip(cached, seed)
        assert expected['inputs'].equal(found['inputs'])
        for name in ('gt_masks', 'reference_masks'):
            assert getattr(expected['data_samples'], name).equal(getattr(found['data_samples'], name))
