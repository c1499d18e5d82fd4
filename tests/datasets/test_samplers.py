import pickle
from itertools import islice

import numpy as np
import pytest
from mmengine.dataset import InfiniteSampler

from tempseg_mm.datasets.samplers import ClipSampler, ResumableSampler, SeededIndex, SequenceSampler, draws_of, shares
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.registry import DATA_SAMPLERS


@pytest.mark.parametrize(('kwargs', 'num_frames', 'clips'), [
    (dict(clip_length=3), 5, [[0, 1, 2], [1, 2, 3], [2, 3, 4]]),
    (dict(clip_length=2, stride=3), 5, [[0, 3], [1, 4]]),
    (dict(clip_length=2, step=2), 6, [[0, 1], [2, 3], [4, 5]]),
    (dict(clip_length=1), 2, [[0], [1]]),
    (dict(clip_length=5), 5, [[0, 1, 2, 3, 4]]),
    (dict(clip_length=5), 4, []),
])
def test_clips(kwargs, num_frames, clips):
    assert ClipSampler(**kwargs).clips(num_frames) == clips


@pytest.mark.parametrize('kwargs', [dict(clip_length=0), dict(stride=-1), dict(step=1.5)])
def test_bad_arguments(kwargs):
    with pytest.raises(ValueError, match=f'{next(iter(kwargs))} of ClipSampler must be an integer of at least 1'):
        ClipSampler(**kwargs)


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
    sampler = ResumableSampler(Unread(), seed=0)
    sampler.start = 10 ** 5
    next(iter(sampler))


@pytest.mark.parametrize('lengths, parts, expected', [
    ([9, 2, 5, 3], 2, [[0], [1, 2, 3]]),  # 9 to the one, 5, 3, 2 to the other: 9 and 10 frames
    ([4, 4, 4], 2, [[0, 2], [1]]),
    ([7, 1], 3, [[0], [1], []]),
    ([], 2, [[], []]),
])
def test_shares_by_hand(lengths, parts, expected):
    assert shares(lengths, parts) == expected


@pytest.mark.parametrize('parts', [1, 2, 3, 5, 8])
def test_every_sequence_is_in_one_share(parts):
    lengths = [(7 * i) % 23 + 1 for i in range(21)]
    split = shares(lengths, parts)
    assert sorted(index for part in split for index in part) == list(range(21))
    frames = [sum(lengths[index] for index in part) for part in split]
    assert max(frames) - min(frames) <= max(lengths)


def test_one_process_has_all_in_order(synthetic_root):
    dataset = VOSDataset(synthetic_root, 'test', resolution='32p', test_mode=True)
    sampler = DATA_SAMPLERS.build(dict(type='SequenceSampler'), default_args=dict(dataset=dataset, seed=3))
    assert list(sampler) == [0, 1] and len(sampler) == 2


def test_two_processes_share_them(synthetic_root, monkeypatch):
    dataset = VOSDataset(synthetic_root, 'test', resolution='32p', sequences=['test_001'], test_mode=True)
    found = []
    for rank in range(2):
        monkeypatch.setattr('tempseg_mm.datasets.samplers.get_dist_info', lambda rank=rank: (rank, 2))
        found.append(list(SequenceSampler(dataset)))
    assert found == [[0], []]  # none twice
