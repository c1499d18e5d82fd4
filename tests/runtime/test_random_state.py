import random

import numpy as np
import pytest
import torch

from tempseg_mm.runtime.random_state import get_random_state, own_randomness, seed_of, seeded, set_random_state


def draw():
    return random.gauss(0, 1), np.random.randn(), np.random.rand(3).tolist(), torch.randn(2).tolist()


def test_streams_go_back_through_a_file(tmp_path):
    draw()  # half of a pair of Gaussian numbers waits in each stream
    torch.save(get_random_state(), tmp_path / 'state.pth')
    expected = [draw() for _ in range(3)]
    set_random_state(torch.load(tmp_path / 'state.pth', weights_only=True))
    assert [draw() for _ in range(3)] == expected


@pytest.mark.parametrize('gpu', [True, False])
def test_seeded_streams_leave_no_trace(gpu):
    state = get_random_state()
    expected = draw()
    set_random_state(state)
    with pytest.raises(KeyError), seeded(5, gpu=gpu):
        first = draw()
        raise KeyError
    assert draw() == expected
    with seeded(5, gpu=gpu):
        assert draw() == first != expected


def test_seed_and_name_decide_a_seed():
    seeds = {seed_of(seed, name) for seed in range(20) for name in ('bear', 'boat', 7, 8)}
    assert len(seeds) == 80 and all(0 <= seed < 2**32 for seed in seeds)
    assert seed_of(0, 'bear') == seed_of(0, 'bear') == 3958858350


def draw_once():
    return random.random(), np.random.rand(), torch.rand(()).item()


def drawn(seed, name):
    with own_randomness(seed, name):
        return draw_once()


def test_seed_and_name_decide_whatever_was_drawn_before():
    first = drawn(0, 'bear')
    draw_once()
    assert drawn(0, 'bear') == first
    others = [first, drawn(0, 'boat'), drawn(1, 'bear')]
    assert all(len(set(values)) == 3 for values in zip(*others))


def test_the_streams_outside_go_on():
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    expected = [draw_once(), draw_once()]
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    first = draw_once()
    with pytest.raises(KeyError), own_randomness(0, 'bear'):
        draw_once()
        raise KeyError
    assert [first, draw_once()] == expected
