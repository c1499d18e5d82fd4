from dataclasses import replace

import numpy as np
import torch
from windows import disc, following, frame_with

from tempseg_mm.inference.object_mask import ObjectMask


def test_a_mask_and_its_window_survive_a_file():
    found = replace(following().given(frame_with(), disc((50, 60), 14)), shown=0.5, usual=0.9,
                    surroundings=torch.rand(1, 1, 48, 64))
    again = ObjectMask.from_state(found.state())
    assert torch.equal(again.mask, found.mask) and torch.equal(again.surroundings, found.surroundings)
    np.testing.assert_array_equal(again.window.matrix, found.window.matrix)
    assert (again.window.size, again.window.frame_size) == (found.window.size, found.window.frame_size)
    assert again.area == found.area > 0 and (again.gone, again.shown, again.usual) == (0, 0.5, 0.9)
    np.testing.assert_array_equal(again.home.matrix, found.home.matrix)
    whole = ObjectMask(torch.ones(1, 1, 2, 3))
    assert ObjectMask.from_state(whole.state()).window is None
