import numpy as np
import pytest
import torch

from tempseg_mm.inference.found_alone import distractors, found_alone
from tempseg_mm.inference.segmenter import Segmenter


class Columns(torch.nn.Module):
    """Finds an object in columns of what it sees, or with a reference mask there."""

    def __init__(self, *columns):
        super().__init__()
        self.columns, self.seen = columns, []

    def forward(self, frames, references):
        self.seen.append(frames)
        found = references.clone()
        if not references.any():
            for first, last in self.columns:
                found[..., first:last] = 1
        return 20 * found - 10


def stripe(first, last):
    mask = np.zeros((32, 48), np.uint8)
    mask[:, first:last] = 1
    return mask


@pytest.fixture
def segmenter(make_model):
    return Segmenter(make_model().eval())


def test_found_alone_takes_no_reference_mask(segmenter, make_sequence):
    image = make_sequence(4).frames[0]
    assert found_alone(segmenter, Columns((8, 22)), image, stripe(8, 22)) == 1
    assert found_alone(segmenter, Columns((8, 22)), image, stripe(15, 29)) == pytest.approx(7 / 21)


def test_distractors_are_what_is_found_beside_the_object(segmenter, make_sequence):
    image = make_sequence(4).frames[0]
    assert distractors(segmenter, Columns((8, 22)), image, stripe(8, 22)) == 0
    assert distractors(segmenter, Columns((8, 12), (30, 48)), image, stripe(8, 20)) == pytest.approx(18 / 12)
    assert distractors(segmenter, Columns((0, 48)), image, stripe(8, 20)) == pytest.approx(36 / 12)


def test_distractors_are_looked_for_in_a_window_twice_as_wide(make_model, make_sequence):
    segmenter = Segmenter(make_model(window=dict(type='ObjectWindow', size=(64, 96), share=0.5)).eval())
    image = np.zeros((400, 600, 3), np.uint8)
    mask = np.zeros((400, 600), np.uint8)
    mask[180:220, 280:320] = image[180:220, 280:320] = 255
    network = Columns()
    found_alone(segmenter, network, image, mask)
    distractors(segmenter, network, image, mask)
    usual, wide = (int((seen[0, 0, 32] > seen.mean()).sum()) for seen in network.seen)
    assert wide == pytest.approx(usual / 2, abs=2) and usual > 20


def test_distractors_are_looked_for_beside_an_upright_object_too(make_model):
    window = dict(type='ObjectWindow', size=(64, 96), share=0.5, aspect=(0.5, 2.0))
    segmenter = Segmenter(make_model(window=window).eval())
    image, mask = np.zeros((400, 600, 3), np.uint8), np.zeros((400, 600), np.uint8)
    mask[160:240, 280:320] = 1
    network = Columns()
    found_alone(segmenter, network, image, mask)
    distractors(segmenter, network, image, mask)
    assert [tuple(seen.shape[-2:]) for seen in network.seen] == [(112, 48), (64, 96)]
