import warnings
from pathlib import Path

import pytest
import torch

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.cached import CachedFlow
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
    assert all(len(file.parent.name) == 2 and file.parent.parent == tmp_path for file in files(tmp_path))


def test_only_what_is_missing_is_estimated(tmp_path, frames):
    inner = Counting()
    cached = CachedFlow(inner, tmp_path)
    cached(frames[1:2], frames[2:3])
    inner.pairs = 0
    flow = cached(frames[:-1], frames[1:])
    assert inner.pairs == 2
    torch.testing.assert_close(flow, frames[1:, :2] - frames[:-1, :2], atol=0, rtol=0)


def test_other_provider_order_or_pixel_is_another_file(tmp_path, frames):
    one, two = frames[:1], frames[1:2]
    CachedFlow(Counting(), tmp_path)(one, two)
    CachedFlow(Counting(gain=2), tmp_path)(one, two)
    CachedFlow(Counting(), tmp_path)(two, one)
    CachedFlow(Counting(), tmp_path)(one, two + 1e-3)
    assert len(files(tmp_path)) == 4


def test_same_bytes_of_another_shape_are_another_file(tmp_path, frames):
    cached = CachedFlow(Counting(), tmp_path)
    for shape in ((1, 3, 6, 9), (1, 3, 9, 6)):
        assert cached(frames[:1].reshape(shape), frames[1:2].reshape(shape)).shape[2:] == shape[2:]
    assert len(files(tmp_path)) == 2


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
