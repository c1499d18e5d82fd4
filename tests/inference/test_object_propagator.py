import copy

import numpy as np
import pytest
import torch

from tempseg_mm.inference.object_propagator import ObjectPropagator, labels_of
from tempseg_mm.inference.propagator import Propagator


class Echo(torch.nn.Module):
    """Stands for a TempSegGAN whose generators answer the reference, as sure as they are told to be."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.uses_reference = False
        self.data_preprocessor = self

    def predict(self, frames, reference_masks, *, generator):
        return reference_masks * generator


def two_squares():
    labels = np.zeros((8, 12), np.uint8)
    labels[2:6, 1:5] = 1
    labels[2:6, 7:11] = 4
    return labels


def test_one_object_gives_what_the_propagator_gives_bit_for_bit(make_model, make_sequence):
    sequence, model = make_sequence(4, (97, 131)), make_model().eval()
    adapted = copy.deepcopy(model.generator)
    for parameter in adapted.parameters():
        parameter.data += 0.01
    several = ObjectPropagator(model, {3: adapted}, size=64)
    several.start(sequence.frames[0], 3 * sequence.masks[0])
    model.generator = adapted
    one = Propagator(model, size=64)
    one.start(sequence.frames[0], sequence.masks[0])
    for i in (1, 2, 3):
        probability, probabilities = one.step(sequence.frames[i]), several.step(sequence.frames[i])
        np.testing.assert_array_equal(probabilities, probability[None])
        np.testing.assert_array_equal(labels_of(probabilities, (3,)), 3 * (probability > 0.5))
        if i == 2:
            one.correct(sequence.masks[i])
            several.correct(3 * sequence.masks[i])


def test_masks_never_overlap_and_each_goes_on_as_if_alone():
    propagator = ObjectPropagator(Echo(), {4: 0.9, 1: 0.8})
    frame, labels = np.zeros((8, 12, 3), np.uint8), two_squares()
    propagator.start(frame, labels)
    probabilities = propagator.step(frame)
    assert propagator.object_ids == (1, 4)
    assert probabilities[0, 3, 2] == pytest.approx(0.8, abs=1e-5)
    np.testing.assert_array_equal(labels_of(probabilities, propagator.object_ids), labels)

    # Both claim one place: odds 0.8/0.2 = 4 and 0.9/0.1 = 9 beside 1.
    everything = torch.ones(1, 1, 8, 12)
    propagator.resume(frame, {1: everything, 4: everything})
    probabilities = propagator.step(frame)
    np.testing.assert_allclose(probabilities[:, 0, 0], [4 / 14, 9 / 14], atol=1e-5)
    assert (labels_of(probabilities, propagator.object_ids) == 4).all()
    assert propagator.masks[1][0, 0, 0, 0] == pytest.approx(0.8, abs=1e-5)


def test_an_object_takes_part_from_its_first_mask_on():
    propagator = ObjectPropagator(Echo(), {1: 1.0, 4: 1.0})
    frame, labels = np.zeros((8, 12, 3), np.uint8), two_squares()
    propagator.start(frame, np.where(labels == 1, labels, 0))
    assert propagator.step(frame)[1].max() == 0 and set(propagator.masks) == {1}
    propagator.correct(labels)
    np.testing.assert_array_equal(labels_of(propagator.step(frame), (1, 4)), labels)
    propagator.correct(np.where(labels == 4, labels, 0))  # a given mask without it: it is gone
    assert propagator.step(frame)[0].max() < 1e-6


def test_the_labels_of_merged_probabilities():
    probabilities = np.array([[[0.5, 0.3, 0.2, 0.1]], [[0.3, 0.4, 0.2, 0.2]]])
    assert labels_of(probabilities, (2, 7)).tolist() == [[2, 7, 0, 0]]
    assert labels_of(np.array([[[0.5, 0.51]]]), (7,)).tolist() == [[0, 7]]


def test_faults_are_named():
    with pytest.raises(ValueError, match=r'object ids must be 1 to 255, at least one, got \[0\]'):
        ObjectPropagator(Echo(), {0: None})
    propagator = ObjectPropagator(Echo(), {1: 1.0})
    with pytest.raises(RuntimeError, match=r'call start\(frame, labels\)'):
        propagator.step(np.zeros((8, 12, 3), np.uint8))
    with pytest.raises(ValueError, match=r'holds the ids \[1, 4\], there are generators for \[1\]'):
        propagator.start(np.zeros((8, 12, 3), np.uint8), two_squares())
