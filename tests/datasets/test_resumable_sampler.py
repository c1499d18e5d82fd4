import pickle
from itertools import islice

import numpy as np
import pytest
from mmengine.dataset import InfiniteSampler

from tempseg_mm.datasets import resumable_sampler
from tempseg_mm.datasets.resumable_sampler import ResumableSampler, SeededIndex, draws_of
from tempseg_mm.registry import DATA_SAMPLERS


def entries(sampler, number):
    return [(int(index), index.draw_seed) for index in islice(sampler, number)]


def share_of(rank, world_size):
    sampler = ResumableSampler(range(7), seed=3)
    sampler.rank, sampler.world_size = rank, world_size
    return sampler


@pytest.mark.parametrize('shuffle', [True, False])
def test_the_order_is_mmengines(shuffle):
    sampler = DATA_SAMPLERS.build(dict(type='ResumableSampler', dataset=range(7), seed=3, shuffle=shuffle))
    theirs = InfiniteSampler(range(7), seed=3, shuffle=shuffle)
    assert [int(i) for i in islice(sampler, 30)] == list(islice(theirs, 30))
    assert len(sampler) == 7


@pytest.mark.parametrize('start', [0, 1, 7, 23])
def test_it_starts_anywhere(start):
    whole, part = ResumableSampler(range(7), seed=3), ResumableSampler(range(7), seed=3)
    part.start = start
    assert entries(part, 10) == entries(whole, 33)[start:start + 10]


def test_every_entry_has_draws_of_its_own():
    seeds = [seed for _, seed in entries(ResumableSampler(range(7), seed=3), 200)]
    assert len(set(seeds)) == 200
    assert not set(seeds) & {seed for _, seed in entries(ResumableSampler(range(7), seed=4), 200)}


def test_processes_share_one_stream_whatever_their_number():
    alone = entries(share_of(0, 1), 24)
    assert [entries(share_of(rank, 3), 8) for rank in range(3)] == [alone[rank::3] for rank in range(3)]
    second = share_of(1, 2)
    second.start = 6
    assert entries(second, 4) == alone[7::2][:4]


def test_an_index_travels_to_a_worker():
    index = pickle.loads(pickle.dumps(SeededIndex(4, 99)))
    assert index == 4 and index.draw_seed == 99 and 'abcdef'[index] == 'e'


def test_draws_follow_the_entry_and_leave_no_trace():
    np.random.seed(0)
    with draws_of(SeededIndex(4, 99)):
        first = np.random.rand()
    outside = np.random.rand()
    with draws_of(SeededIndex(2, 99)):
        assert np.random.rand() == first
    np.random.seed(0)
    assert np.random.rand() == outside
    np.random.seed(0)
    with draws_of(4):  # of another sampler
        assert np.random.rand() == outside


def test_skipping_loads_nothing(monkeypatch):
    class Unread:
        def __len__(self):
            return 7
    sampler = resumable_sampler.ResumableSampler(Unread(), seed=0)
    sampler.start = 10 ** 5
    next(iter(sampler))
