import pytest
import torch
from mmengine.dataset import Compose
from torch.nn import functional as F

from tempseg_mm.inference.tta import TTA, TestTimeAugmentation
from tempseg_mm.registry import TASK_UTILS, TRANSFORMS

KERNEL = torch.tensor([[1., -4, 1], [3, 7, 3], [-2, 9, -2]]) / 16  # its own mirror image


@pytest.fixture
def views():
    """Frames (2, 3, 10, 14) and their reference masks, in sixteenths: what is made of them is exact in float32."""
    return torch.randint(0, 256, (2, 3, 10, 14), dtype=torch.uint8), torch.randint(0, 17, (2, 1, 10, 14)) / 16


class Network:
    """A convolution of red and reference, cut to [0, 1]; commutes with mirroring if its kernel does.

    Writes down the sizes that it is asked for.
    """

    def __init__(self, kernel):
        self.kernel, self.asked = kernel, []

    def __call__(self, frames, references):
        self.asked.append(tuple(frames.shape))
        return F.conv2d(frames[:, :1] / 256 - references / 2, self.kernel[None, None], padding=1).clamp(0, 1)


def test_mirroring_changes_nothing_for_a_network_that_commutes_with_it(views):
    network = Network(KERNEL)
    plain = network(*views)
    assert torch.equal(TestTimeAugmentation()(network, *views), plain) and 0.2 < plain.mean() < 0.8


def test_mean_of_a_frame_and_its_mirror_image_in_one_batch(views):
    network = Network(torch.rand(3, 3))
    averaged = TestTimeAugmentation()(network, *views)
    assert network.asked == [(4, 3, 10, 14)]
    own, mirrored = network(*views), network(*(view.flip(-1) for view in views)).flip(-1)
    assert (own - mirrored).abs().max() > 0.05
    torch.testing.assert_close(averaged, (own + mirrored) / 2)


def test_nothing_to_average_is_the_network_itself(views):
    network = Network(torch.rand(3, 3))
    assert torch.equal(TestTimeAugmentation(flip=False)(network, *views), network(*views))
    assert network.asked[0] == (2, 3, 10, 14)


def test_scales(views):
    network = Network(torch.rand(3, 3))
    averaged = TestTimeAugmentation(flip=False, scales=(0.5, 1, 1.5))(network, *views)
    assert network.asked == [(2, 3, 5, 7), (2, 3, 10, 14), (2, 3, 15, 21)]
    expected = network(*views)
    for size in ((5, 7), (15, 21)):
        scaled = [F.interpolate(view.float(), size, mode='bilinear', antialias=True) for view in views]
        expected += F.interpolate(network(*scaled), (10, 14), mode='bilinear', antialias=True)
    torch.testing.assert_close(averaged, expected / 3)


def test_scales_of_a_constant_are_that_constant(views):
    averaged = TestTimeAugmentation(scales=(0.3, 2))(lambda frames, _: torch.full_like(frames[:, :1], 0.7), *views)
    torch.testing.assert_close(averaged, torch.full((2, 1, 10, 14), 0.7))


def test_within_the_model(make_model):
    model = make_model().eval()
    frames, references = torch.randint(0, 256, (1, 3, 32, 48), dtype=torch.uint8), torch.rand(1, 1, 32, 48)
    plain = model.predict(frames, references)
    mirrored = model.predict(frames.flip(-1), references.flip(-1)).flip(-1)
    averaging = TASK_UTILS.build(dict(type='TestTimeAugmentation'))
    torch.testing.assert_close(model.predict(frames, references, averaging=averaging), (plain + mirrored) / 2)
    averaging = TestTimeAugmentation(scales=(0.7, 1.3))
    assert model.predict(frames, references, averaging=averaging).shape == (1, 1, 32, 48)


@pytest.mark.parametrize('scales', [(), (1.0, 0.0), (-1,)])
def test_scales_that_are_none(scales):
    with pytest.raises(ValueError, match='scales must be one or more positive numbers, got'):
        TestTimeAugmentation(scales=scales)


def test_augmentation_of_fine_tuning():
    own, none = Compose([TRANSFORMS.build(dict(type='ClipPhotometric'))]), Compose([])
    assert TTA().augment(own) is own
    assert [type(one).__name__ for one in TTA().augment(none).transforms] == ['ClipRandomAffine', 'ClipPhotometric']
    assert TTA([]).augment(own).transforms == []
    asked = TTA([dict(type='ClipRandomAffine')]).augment(own)
    assert [type(one).__name__ for one in asked.transforms] == ['ClipRandomAffine']
