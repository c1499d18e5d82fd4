import random

import numpy as np
import pytest
import torch

from tempseg_mm.inference.own_randomness import own_randomness


def draw():
    return random.random(), np.random.rand(), torch.rand(()).item()


def drawn(seed, name):
    with own_randomness(seed, name):
        return draw()


def test_seed_and_name_decide_whatever_was_drawn_before():
    first = drawn(0, 'bear')
    draw()
    assert drawn(0, 'bear') == first
    others = [first, drawn(0, 'boat'), drawn(1, 'bear')]
    assert all(len(set(values)) == 3 for values in zip(*others))


def test_the_streams_outside_go_on():
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    expected = [draw(), draw()]
    random.seed(3)
    np.random.seed(3)
    torch.manual_seed(3)
    first = draw()
    with pytest.raises(KeyError), own_randomness(0, 'bear'):
        draw()
        raise KeyError
    assert [first, draw()] == expected
