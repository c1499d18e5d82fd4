import numpy as np
import pytest
import torch

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.inference.propagator import Propagator


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

    def __init__(self, uses_reference=True):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.generator = self
        self.uses_reference = uses_reference
        self.data_preprocessor = self
        self.flow = self.estimate_flow = ShiftRight()

    def predict(self, frames, reference_masks):
        self.last_frames = frames
        return reference_masks


def test_the_mask_goes_in_moved_along_the_flow(make_sequence):
    sequence = make_sequence()  # its square moves by two pixels a frame, too
    model = Echo()
    propagator = Propagator(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    for i in (1, 2, 3):
        np.testing.assert_array_equal(propagator.step(sequence.frames[i]), sequence.masks[i])
    frames, next_frames = model.flow.last
    np.testing.assert_array_equal(frames[0].permute(1, 2, 0), sequence.frames[2])
    np.testing.assert_array_equal(next_frames[0].permute(1, 2, 0), sequence.frames[3])
    assert torch.equal(model.last_frames, next_frames)


def test_a_correction_is_the_reference_of_the_next_frame(make_sequence):
    sequence = make_sequence()
    propagator = Propagator(Echo())
    propagator.start(sequence.frames[0], np.zeros_like(sequence.masks[0]))
    assert propagator.step(sequence.frames[1]).sum() == 0
    propagator.correct(sequence.masks[1])
    np.testing.assert_array_equal(propagator.step(sequence.frames[2]), sequence.masks[2])


def test_without_reference_no_flow_is_computed(make_sequence):
    sequence = make_sequence()
    model = Echo(uses_reference=False)
    model.flow = None
    propagator = Propagator(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    np.testing.assert_array_equal(propagator.step(sequence.frames[1]), sequence.masks[0])


@pytest.mark.parametrize('size', [None, 48, (32, 40), (200, 260)])
def test_odd_size_in_and_out_at_any_working_size(make_model, make_sequence, size):
    sequence = make_sequence(2, (97, 131))
    propagator = Propagator(make_model().eval(), size=size)
    propagator.start(sequence.frames[0], sequence.masks[0])
    probability = propagator.step(sequence.frames[1])
    assert probability.shape == (97, 131) and probability.dtype == np.float32
    assert probability.min() >= 0 and probability.max() <= 1


def test_the_network_works_at_the_working_size(make_sequence):
    sequence, model = make_sequence(2, (64, 96)), Echo()
    propagator = Propagator(model, size=32)
    propagator.start(sequence.frames[0], sequence.masks[0])
    propagator.step(sequence.frames[1])
    assert model.last_frames.shape == (1, 3, 32, 48)


def test_answers_what_the_model_predicts(make_model, make_sequence):
    sequence, model = make_sequence(2), make_model().eval()
    propagator = Propagator(model)
    propagator.start(sequence.frames[0], sequence.masks[0])
    frame = torch.from_numpy(sequence.frames[1]).permute(2, 0, 1)[None]
    mask = torch.from_numpy(sequence.masks[0])[None, None].float()  # no motion in this model
    np.testing.assert_allclose(propagator.step(sequence.frames[1]), model.predict(frame, mask)[0, 0], atol=1e-6)


def test_start_replaces_what_was_before(make_sequence):
    sequence = make_sequence()
    propagator = Propagator(Echo())
    for _ in range(2):
        propagator.start(sequence.frames[0], sequence.masks[0])
        np.testing.assert_array_equal(propagator.step(sequence.frames[1]), sequence.masks[1])


def test_mask_of_another_size_is_refused(make_sequence):
    sequence = make_sequence()
    with pytest.raises(ValueError, match=r'the given mask is \(31, 48\), its frame \(32, 48\)'):
        Propagator(Echo()).start(sequence.frames[0], sequence.masks[0][1:])


def test_step_before_start_is_refused(make_sequence):
    with pytest.raises(RuntimeError, match=r'call start\(frame, mask\).*before step'):
        Propagator(Echo()).step(make_sequence().frames[0])


def test_frames_of_several_sizes_are_refused(make_sequence):
    sequence = make_sequence()
    propagator = Propagator(Echo())
    propagator.start(sequence.frames[0], sequence.masks[0])
    with pytest.raises(ValueError, match=r'this frame is \(32, 47\).*the ones before \(32, 48\)'):
        propagator.step(sequence.frames[1][:, 1:])
