import pytest
import torch

from tempseg_mm.flow.metrics import end_point_error, round_trip_error


def constant(x, y, size=(4, 6)):
    return torch.tensor([float(x), float(y)]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def test_end_point_error():
    error = end_point_error(constant(4, 3), constant(1, -1))
    torch.testing.assert_close(error, torch.full((1, 4, 6), 5.0))
    with pytest.raises(ValueError, match='must have one shape'):
        end_point_error(constant(0, 0), constant(0, 0, size=(4, 5)))


def test_there_and_back():
    error, back = round_trip_error(constant(2, -1), constant(-2, 1))
    assert error.abs().max() < 1e-5 and back.all()
    error, back = round_trip_error(constant(2, 0), constant(-1, 0))  # 1 < 0.01 (4 + 1) + 0.5 does not hold
    torch.testing.assert_close(error, torch.ones(1, 4, 6))
    assert not back.any()
    assert round_trip_error(constant(9, 0), constant(-8.2, 0))[1].all()  # 0.64 < 0.01 (81 + 67.24) + 0.5


def test_backward_flow_is_read_where_the_pixel_went():
    forward, backward = torch.zeros(1, 2, 3, 5), torch.zeros(1, 2, 3, 5)
    forward[0, 0, 1, 1] = 3
    backward[0, 0, 1, 4] = -3
    error, back = round_trip_error(forward, backward)
    assert error[0, 1, 1] == pytest.approx(0, abs=1e-5) and error[0, 1, 4] == pytest.approx(3, abs=1e-5)
    assert (~back).nonzero().tolist() == [[0, 1, 4]]
