import os
import signal

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler
from torch.utils.data import DataLoader

from tempseg_mm.datasets.data_stream import STOP_SIGNALS, DataStream
from tempseg_mm.datasets.samplers import ResumableSampler, draws_of


class Draws:
    """Item i is (i, a random number); ``loads`` counts, for all processes, how often each was loaded."""

    def __init__(self, length=1000):
        self.loads = torch.zeros(length, dtype=torch.int64).share_memory_()

    def __len__(self):
        return len(self.loads)

    def __getitem__(self, index):
        self.loads[index] += 1
        with draws_of(index):
            return int(index), np.random.rand(), torch.rand(()).item()


class Signals:
    """Item i is how this process, a worker, takes a signal."""

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return [signal.getsignal(one) == signal.SIG_IGN for one in STOP_SIGNALS]


def stream_of(dataset, num_workers=0, seed=3, sampler=ResumableSampler, **options):
    return DataStream(DataLoader(
        dataset, batch_size=2, num_workers=num_workers, sampler=sampler(dataset, seed=seed), collate_fn=list,
        **options))


def take(stream, number):
    batches = iter(stream)
    return [next(batches) for _ in range(number)]


@pytest.mark.parametrize('workers', [1, 0])
def test_batches_are_finished_where_they_are_collated(workers):
    loader = DataLoader(Draws(), batch_size=2, num_workers=workers, sampler=ResumableSampler(Draws(), seed=3),
                        collate_fn=list)
    (found, pid), = take(DataStream(loader, with_process), 1)
    assert found == take(stream_of(Draws()), 1)[0] and (pid == os.getpid()) == (workers == 0)


def with_process(batch):
    return batch, os.getpid()


@pytest.mark.parametrize('workers', [2, 1, 0])
def test_it_goes_on_where_training_was_not_where_workers_are_nor_with_as_many(workers):
    whole = take(stream_of(Draws()), 6)
    first = stream_of(Draws(), num_workers=2)
    assert take(first, 3) == whole[:3]
    state = first.state_dict()
    assert state == dict(position=6, seed=3) and first.loader.dataset.loads.sum() >= 6  # they read ahead
    dataset = Draws()
    second = stream_of(dataset, num_workers=workers, seed=8)
    second.load_state_dict(state)
    assert take(second, 3) == whole[3:]
    assert not dataset.loads[[index for batch in whole[:3] for index, *_ in batch]].any()


def test_nothing_is_loaded_or_drawn_before_the_first_batch():
    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    stream = stream_of(Draws())
    batches = iter(stream)
    stream.load_state_dict(dict(position=4, seed=3))
    assert stream.dataset.loads.sum() == 0
    assert next(batches) == take(stream_of(Draws()), 3)[2]
    assert torch.equal(torch.rand(1), expected)


def test_everything_else_is_the_loaders():
    dataset = Draws(10)
    stream = stream_of(dataset)
    assert len(stream) == 5 and stream.dataset is dataset and stream.batch_size == 2 and stream.clips_per_batch == 2
    with pytest.raises(AttributeError, match='nothing_like_it'):
        stream.nothing_like_it  # noqa: B018


def test_another_sampler_can_only_start_at_the_beginning():
    stream = stream_of(Draws(6), sampler=DefaultSampler)
    assert len(list(stream)) == len(list(stream)) == 3  # and again from there
    fault = r"DefaultSampler cannot start in the middle .*dict\(type='ResumableSampler'\)"
    with pytest.raises(ValueError, match=fault):
        stream.load_state_dict(dict(position=2, seed=0))


@pytest.mark.skipif(os.name == 'nt', reason='Windows has other signals')
def test_signals_are_for_the_main_process():
    told = []
    batch, = take(stream_of(Signals(), num_workers=1, worker_init_fn=told.append), 1)
    assert batch == [[True] * len(STOP_SIGNALS)] * 2 and len(STOP_SIGNALS) == 4
    assert signal.getsignal(signal.SIGTERM) != signal.SIG_IGN


def test_closing_ends_the_workers(own_processes):
    stream = stream_of(list(range(20)), num_workers=2)
    stream.close()  # nothing runs yet
    batches = iter(stream)
    next(batches)
    assert len(own_processes()) == 2
    stream.close()
    assert not own_processes() and next(batches, None) is None
