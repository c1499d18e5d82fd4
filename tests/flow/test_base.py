import pytest
import torch

from tempseg_mm.flow.base import FlowProvider


class Ramp(FlowProvider):
    """Answers the mean of both frames in x and y, with the dtype and layout given."""

    def __init__(self, dtype=torch.float64, crop=0):
        self.dtype, self.crop = dtype, crop

    signature = 'Ramp()'

    def estimate(self, frames, next_frames):
        mean = (frames.float() + next_frames.float()).mean(1, keepdim=True) / 2
        return mean.expand(-1, 2, -1, -1)[..., self.crop:].to(self.dtype)


def test_returns_float32_without_gradient():
    frames = torch.rand(3, 3, 4, 5, requires_grad=True)
    flow = Ramp()(frames, frames + 2)
    assert flow.dtype == torch.float32 and flow.shape == (3, 2, 4, 5)
    assert not flow.requires_grad
    torch.testing.assert_close(flow[:, 0], frames.detach().mean(1) + 1)


def test_no_pairs_give_no_flow():
    flow = Ramp()(torch.zeros(0, 3, 4, 5), torch.zeros(0, 3, 4, 5))
    assert flow.shape == (0, 2, 4, 5)


@pytest.mark.parametrize(('shape', 'next_shape'), [((1, 3, 4, 5), (1, 3, 5, 4)), ((1, 1, 4, 5), (1, 1, 4, 5)),
                                                   ((3, 4, 5), (3, 4, 5)), ((2, 3, 4, 5), (1, 3, 4, 5))])
def test_misshapen_input_is_named(shape, next_shape):
    with pytest.raises(ValueError, match=r'Ramp needs two tensors of one shape \(N, 3, H, W\)'):
        Ramp()(torch.zeros(shape), torch.zeros(next_shape))


def test_misshapen_estimate_is_named():
    with pytest.raises(ValueError, match=r'Ramp.estimate must return \(1, 2, 4, 5\), got \(1, 2, 4, 4\)'):
        Ramp(crop=1)(torch.zeros(1, 3, 4, 5), torch.zeros(1, 3, 4, 5))


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_flow_that_is_not_finite_is_refused(value):
    frames = torch.zeros(1, 3, 4, 5)
    frames[0, 0, 1, 1] = value
    with pytest.raises(ValueError, match='Ramp gave flow that is not finite'):
        Ramp()(frames, frames)
