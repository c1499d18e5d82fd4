import pytest

from tempseg_mm.datasets.sequence_sampler import SequenceSampler, shares
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.registry import DATA_SAMPLERS


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
        monkeypatch.setattr('tempseg_mm.datasets.sequence_sampler.get_dist_info', lambda rank=rank: (rank, 2))
        found.append(list(SequenceSampler(dataset)))
    assert found == [[0], []]  # none twice
