import copy

import numpy as np
import pytest
import torch

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.inference.object_mask import ObjectMask
from tempseg_mm.inference.prepared_frame import FramePreparer
from tempseg_mm.inference.propagator import Propagator, generator_propagator
from tempseg_mm.ops.object_window import ObjectWindow
from tempseg_mm.structures.segmented_frame import labels_of


class ShiftRight(FlowProvider):
    """Everything moves by two pixels to the right."""
    signature = 'ShiftRight()'

    def estimate(self, frames, next_frames):
        self.last = frames.clone(), next_frames.clone()
        flow = torch.zeros(len(frames), 2, *frames.shape[2:])
        flow[:, 0] = 2
        return flow


class Echo(torch.nn.Module):
    """Stands for a TempSegGAN; predicts the reference it is given."""

    def __init__(self, uses_reference=True, window=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.uses_reference = uses_reference
        self.data_preprocessor = self
        self.flow = self.estimate_flow = ShiftRight()
        self.window = window

    def predict(self, frames, reference_masks, *, generator, averaging, shown):
        self.last_frames, self.averaging = frames, averaging
        return reference_masks


def by(model, size=None):
    return generator_propagator(model, {1: None}, size=size)


def sure(shares):
    """Every object stays where it is, as sure as it is told to be."""
    return Propagator(lambda object_id, frame, last: ObjectMask(last.mask * shares[object_id]), tuple(shares),
                      FramePreparer())


def two_squares():
    labels = np.zeros((8, 12), np.uint8)
    labels[2:6, 1:5] = 1
    labels[2:6, 7:11] = 4
    return labels


def test_the_mask_goes_in_moved_along_the_flow(make_sequence):
    sequence = make_sequence()  # its square moves by two pixels a frame, too
    model = Echo()
    propagator = by(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    for i in (1, 2, 3):
        np.testing.assert_array_equal(propagator.step(sequence.frames[i]), sequence.masks[i][None])
    frames, next_frames = model.flow.last
    np.testing.assert_array_equal(frames[0].permute(1, 2, 0), sequence.frames[2])
    np.testing.assert_array_equal(next_frames[0].permute(1, 2, 0), sequence.frames[3])
    assert torch.equal(model.last_frames, next_frames) and model.averaging is None


def test_a_correction_is_the_reference_of_the_next_frame(make_sequence):
    sequence = make_sequence()
    propagator = by(Echo())
    propagator.start(sequence.frames[0], np.zeros_like(sequence.masks[0]))
    assert propagator.step(sequence.frames[1]).sum() == 0
    propagator.correct(sequence.masks[1])
    np.testing.assert_array_equal(propagator.step(sequence.frames[2]), sequence.masks[2][None])


def test_without_reference_no_flow_is_computed(make_sequence):
    sequence = make_sequence()
    model = Echo(uses_reference=False)
    model.flow = None
    propagator = by(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    np.testing.assert_array_equal(propagator.step(sequence.frames[1]), sequence.masks[0][None])


@pytest.mark.parametrize('size', [None, 48, (32, 40), (200, 260)])
def test_odd_size_in_and_out_at_any_working_size(make_model, make_sequence, size):
    sequence = make_sequence(2, (97, 131))
    propagator = by(make_model().eval(), size)
    propagator.start(sequence.frames[0], sequence.masks[0])
    probabilities = propagator.step(sequence.frames[1])
    assert probabilities.shape == (1, 97, 131) and probabilities.dtype == np.float32
    assert probabilities.min() >= 0 and probabilities.max() <= 1


def test_the_network_works_at_the_working_size(make_sequence):
    sequence, model = make_sequence(2, (64, 96)), Echo()
    propagator = by(model, 32)
    propagator.start(sequence.frames[0], sequence.masks[0])
    propagator.step(sequence.frames[1])
    assert model.last_frames.shape == (1, 3, 32, 48)


@pytest.mark.parametrize('window, before, inside', [(None, 4, 4), (ObjectWindow((32, 48)), 4, 2),
                                                    (ObjectWindow((32, 48)), 1, 1)])
def test_a_window_takes_half_of_the_threads(make_sequence, monkeypatch, window, before, inside):
    sequence, seen = make_sequence(), []
    model = Echo(window=window)
    monkeypatch.setattr(model, 'predict', lambda frames, masks, **_: seen.append(torch.get_num_threads()) or masks)
    usual = torch.get_num_threads()
    torch.set_num_threads(before)
    try:
        propagator = by(model)
        propagator.start(sequence.frames[0], sequence.masks[0])
        propagator.step(sequence.frames[1])
        assert seen == [inside] and torch.get_num_threads() == before
    finally:
        torch.set_num_threads(usual)


def test_an_answer_of_which_the_network_is_not_sure_does_not_bring_a_lost_object_back(make_sequence, monkeypatch):
    sequence, model, heard = make_sequence(4), Echo(window=ObjectWindow((32, 48))), []
    half, unsure = torch.arange(48) < 24, torch.tensor([0.6, 0.4]).repeat(24)

    def predict(frames, masks, *, shown, **_):
        heard.append(shown)
        return (masks, masks * half, masks * 0, masks + unsure)[len(heard) - 1]
    monkeypatch.setattr(model, 'predict', predict)
    propagator = by(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    found = [propagator.step(sequence.frames[1]).max() for _ in range(4)]
    assert found[0] > 0.9 and found[1] > 0.9 and found[2:] == [0, 0]
    assert heard[0] > 0.95 and 0.2 < heard[2] < 0.8 and heard[3] == 1


def test_each_object_is_what_its_generator_predicts(make_model, make_sequence):
    sequence, model = make_sequence(2), make_model().eval()
    adapted = copy.deepcopy(model.generator)
    for parameter in adapted.parameters():
        parameter.data += 0.01
    propagator = generator_propagator(model, {1: None, 3: adapted})
    propagator.start(sequence.frames[0], 3 * sequence.masks[0])
    propagator.step(sequence.frames[1])
    frame = torch.from_numpy(sequence.frames[1]).permute(2, 0, 1)[None]
    mask = torch.from_numpy(sequence.masks[0])[None, None].float()  # no motion in this model
    assert torch.equal(propagator.masks[3].mask, model.predict(frame, mask, generator=adapted))
    assert not torch.equal(propagator.masks[3].mask, model.predict(frame, mask))


def test_one_object_passes_the_merging_bit_for_bit(make_model, make_sequence):
    sequence, model = make_sequence(2), make_model().eval()
    propagator = by(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    np.testing.assert_array_equal(propagator.step(sequence.frames[1])[0], propagator.masks[1].mask[0, 0])


def test_masks_never_overlap_and_each_is_carried_as_if_alone():
    propagator = sure({4: 0.9, 1: 0.8})
    frame, labels = np.zeros((8, 12, 3), np.uint8), two_squares()
    propagator.start(frame, labels)
    probabilities = propagator.step(frame)
    assert propagator.object_ids == (1, 4)
    assert probabilities[0, 3, 2] == pytest.approx(0.8, abs=1e-5)
    np.testing.assert_array_equal(labels_of(probabilities, propagator.object_ids), labels)

    # Both claim one place: odds 0.8/0.2 = 4 and 0.9/0.1 = 9 beside 1.
    everything = torch.ones(1, 1, 8, 12)
    propagator.resume(frame, {1: ObjectMask(everything), 4: ObjectMask(everything)})
    probabilities = propagator.step(frame)
    np.testing.assert_allclose(probabilities[:, 0, 0], [4 / 14, 9 / 14], atol=1e-5)
    assert (labels_of(probabilities, propagator.object_ids) == 4).all()
    assert propagator.masks[1].mask[0, 0, 0, 0] == pytest.approx(0.8, abs=1e-5)


def test_an_object_takes_part_from_its_first_mask_on():
    propagator = sure({1: 1.0, 4: 1.0})
    frame, labels = np.zeros((8, 12, 3), np.uint8), two_squares()
    propagator.start(frame, np.where(labels == 1, labels, 0))
    assert propagator.step(frame)[1].max() == 0 and set(propagator.masks) == {1}
    propagator.correct(labels)
    np.testing.assert_array_equal(labels_of(propagator.step(frame), (1, 4)), labels)
    propagator.correct(np.where(labels == 4, labels, 0))  # a given mask without it: it is gone
    assert propagator.step(frame)[0].max() < 1e-6


def test_start_replaces_what_was_before(make_sequence):
    sequence = make_sequence()
    propagator = by(Echo())
    for _ in range(2):
        propagator.start(sequence.frames[0], sequence.masks[0])
        np.testing.assert_array_equal(propagator.step(sequence.frames[1]), sequence.masks[1][None])


def test_faults_are_named(make_sequence):
    sequence = make_sequence()
    with pytest.raises(ValueError, match=r'at least one object, with ids from 1 to 255, got \[0\]'):
        sure({0: 1.0})
    propagator = by(Echo())
    with pytest.raises(RuntimeError, match=r'call start\(frame, labels\).*before step'):
        propagator.step(sequence.frames[0])
    with pytest.raises(ValueError, match=r'the given mask is \(31, 48\), but its frame is \(32, 48\)'):
        propagator.start(sequence.frames[0], sequence.masks[0][1:])
    with pytest.raises(ValueError, match=r'holds the ids \[1, 4\], but the objects are \[1\]'):
        propagator.start(np.zeros((8, 12, 3), np.uint8), two_squares())
    propagator.start(sequence.frames[0], sequence.masks[0])
    with pytest.raises(ValueError, match=r'this frame is \(32, 47\).*the frames before it are \(32, 48\)'):
        propagator.step(sequence.frames[1][:, 1:])


@pytest.mark.parametrize('going_on', [(), (1,), (1, 4)])
def test_an_object_that_goes_on_keeps_its_mask_less_the_pixels_of_others(going_on):
    propagator = sure({1: 1.0, 4: 1.0})
    frame, labels = np.zeros((8, 12, 3), np.uint8), two_squares()
    propagator.start(frame, np.where(labels == 1, labels, 0))
    newcomer = np.zeros_like(labels)
    newcomer[2:6, 4:8] = 4  # its first column is a column of object 1
    propagator.correct(newcomer, going_on=going_on)
    expected = np.where((labels == 1) & (newcomer == 0), 1, 0) if going_on else 0
    np.testing.assert_array_equal(labels_of(propagator.step(frame), (1, 4)), newcomer + expected)
