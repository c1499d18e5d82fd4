import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.cached import CachedFlow, StaleCacheError
from tempseg_mm.registry import TASK_UTILS


class Counting(FlowProvider):
    """Flow is the difference of the red and green channels; counts the pairs it was asked for."""

    def __init__(self, gain=1):
        self.gain, self.pairs = gain, 0

    @property
    def signature(self):
        return f'Counting(gain={self.gain})'

    def estimate(self, frames, next_frames):
        self.pairs += len(frames)
        return self.gain * (next_frames.float() - frames.float())[:, :2]


@pytest.fixture
def frames():
    return torch.rand(4, 3, 6, 9, generator=torch.Generator().manual_seed(0)) * 255


def files(folder):
    return sorted(Path(folder).rglob('*.flo'))


def test_second_answer_comes_from_disk(tmp_path, frames):
    inner = Counting()
    cached = CachedFlow(inner, tmp_path)
    first = cached(frames[:-1], frames[1:])
    torch.testing.assert_close(first, inner(frames[:-1], frames[1:]), atol=0, rtol=0)
    inner.pairs = 0
    torch.testing.assert_close(cached(frames[:-1], frames[1:]), first, atol=0, rtol=0)
    assert inner.pairs == 0 and len(files(tmp_path)) == 3
    assert all(len(file.parent.name) == 2 and file.parent.parent == tmp_path / '6x9' for file in files(tmp_path))
    assert cached.num_estimated == 3


def test_only_what_is_missing_is_estimated(tmp_path, frames):
    inner = Counting()
    cached = CachedFlow(inner, tmp_path)
    cached(frames[1:2], frames[2:3])
    inner.pairs = 0
    flow = cached(frames[:-1], frames[1:])
    assert inner.pairs == 2
    torch.testing.assert_close(flow, frames[1:, :2] - frames[:-1, :2], atol=0, rtol=0)


def test_other_order_pixel_or_dtype_is_another_file(tmp_path, frames):
    one, two = frames[:1].round(), frames[1:2].round()
    cached = CachedFlow(Counting(), tmp_path)
    for pair in ((one, two), (two, one), (one, two + 1e-3), (one.byte(), two.byte())):
        cached(*pair)
    assert len(files(tmp_path)) == cached.num_estimated == 4


def test_same_bytes_of_another_shape_are_another_file(tmp_path, frames):
    cached = CachedFlow(Counting(), tmp_path)
    for shape in ((1, 3, 6, 9), (1, 3, 9, 6)):
        assert cached(frames[:1].reshape(shape), frames[1:2].reshape(shape)).shape[2:] == shape[2:]
    assert len(files(tmp_path)) == 2
    manifests = {path.parent.name: json.loads(path.read_text()) for path in tmp_path.glob('*/manifest.json')}
    assert manifests == {
        '6x9': dict(version=1, provider='Counting(gain=1)', height=6, width=9, dtype='float32'),
        '9x6': dict(version=1, provider='Counting(gain=1)', height=9, width=6, dtype='float32')}


@pytest.mark.parametrize('other, message', [
    (dict(provider=Counting(gain=2)), r"its provider is 'Counting\(gain=1\)', not 'Counting\(gain=2\)'"),
    (dict(provider=Counting(), dtype='float16'), "its dtype is 'float32', not 'float16'")])
def test_stale_cache_is_refused(tmp_path, frames, other, message):
    CachedFlow(Counting(), tmp_path)(frames[:1], frames[1:2])
    with pytest.raises(StaleCacheError, match=rf'6x9 does not fit .*: {message}\. Delete .*6x9 .*`cache_dir`'):
        CachedFlow(cache_dir=tmp_path, **other)(frames[:1], frames[1:2])
    assert len(files(tmp_path)) == 1


@pytest.mark.parametrize('content', ['', '[1]', '{"version": 0}'])
def test_spoilt_or_older_manifest_is_refused(tmp_path, frames, content):
    CachedFlow(Counting(), tmp_path)(frames[:1], frames[1:2])
    (tmp_path / '6x9/manifest.json').write_text(content)
    with pytest.raises(StaleCacheError, match='Delete .*6x9'):
        CachedFlow(Counting(), tmp_path)(frames[:1], frames[1:2])


def test_only_what_is_there(tmp_path, frames):
    full = CachedFlow(Counting(), tmp_path / 'flow', missing='error')
    with pytest.raises(FileNotFoundError, match=r'no flow of 6x9 .*it has: nothing. Fill it with tempseg-precompute'):
        full(frames[:1], frames[1:2])
    assert not (tmp_path / 'flow').exists()
    CachedFlow(Counting(), tmp_path / 'flow')(frames[:2], frames[1:3])
    assert full(frames[:2], frames[1:3]).shape == (2, 2, 6, 9)
    with pytest.raises(FileNotFoundError, match='1 of 3 flows are not in .*6x9: fill it with .*LoadFlow'):
        full(frames[:3], frames[1:4])
    assert full.num_estimated == full.provider.pairs == 0


def test_half_precision(tmp_path, frames):
    cached = CachedFlow(Counting(), tmp_path, dtype='float16')
    first = cached(frames[:-1], frames[1:])
    again = CachedFlow(Counting(), tmp_path, dtype='float16', missing='error')(frames[:-1], frames[1:])
    torch.testing.assert_close(again, first, atol=0, rtol=0)
    exact = Counting()(frames[:-1], frames[1:])
    assert 0 < (first - exact).abs().max() <= 1 / 16  # half a step of float16 between 128 and 256 pixels
    assert not files(tmp_path) and len(list(tmp_path.rglob('*.npy'))) == 3


def test_flow_on_disk_that_is_not_finite_is_recomputed(tmp_path, frames):
    cached = CachedFlow(Counting(), tmp_path, dtype='float16')
    right = cached(frames[:1], frames[1:2])
    path, = tmp_path.rglob('*.npy')
    np.save(path, np.full((6, 9, 2), np.nan, np.float16))
    with pytest.warns(UserWarning, match='is not finite'):
        torch.testing.assert_close(cached(frames[:1], frames[1:2]), right)


@pytest.mark.parametrize('options, message', [
    (dict(dtype='int8'), "dtype of CachedFlow must be one of float32, float16, got 'int8'"),
    (dict(missing='skip'), "missing of CachedFlow must be one of estimate, error, got 'skip'")])
def test_wrong_options(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        CachedFlow(Counting(), tmp_path, **options)


def test_pickles(tmp_path, frames):
    cached = pickle.loads(pickle.dumps(CachedFlow(dict(type='DISFlow'), tmp_path)))
    assert cached(frames[:1], frames[1:2]).shape == (1, 2, 6, 9)


@pytest.mark.parametrize('content', [b'', b'PIEH garbage', b'PIEH\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0'])
def test_spoilt_file_is_recomputed_with_a_warning(tmp_path, frames, content):
    cached = CachedFlow(Counting(), tmp_path)
    right = cached(frames[:1], frames[1:2])
    files(tmp_path)[0].write_bytes(content)
    with pytest.warns(UserWarning, match='recomputing a cached flow'):
        torch.testing.assert_close(cached(frames[:1], frames[1:2]), right)
    with warnings.catch_warnings():
        warnings.simplefilter('error')  # the file is whole again
        cached(frames[:1], frames[1:2])


def test_built_from_config_and_transparent_signature(tmp_path):
    cached = TASK_UTILS.build(dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir=str(tmp_path)))
    assert cached.signature == 'DISFlow(preset=medium)'


def test_a_spoilt_cache_is_not_a_flood_of_warnings(tmp_path, frames):
    cached = CachedFlow(Counting(), tmp_path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        for _ in range(9):
            cached(frames[:1], frames[1:2])
            files(tmp_path)[0].write_bytes(b'')
    assert cached.num_broken == 8 and len(caught) == 5
    assert [str(warning.message).endswith('further ones are not reported') for warning in caught] == [False] * 4 + [
        True]


@pytest.mark.parametrize('content', ['', '[]', '3', '[' * 100_000])
def test_a_broken_manifest_is_refused(tmp_path, frames, content):
    CachedFlow(Counting(), tmp_path)(frames[:1], frames[1:2])
    manifest, = tmp_path.rglob('manifest.json')
    manifest.write_text(content)
    with pytest.raises(StaleCacheError, match='is not a manifest of a flow cache .*Delete'):
        CachedFlow(Counting(), tmp_path)(frames[:1], frames[1:2])
