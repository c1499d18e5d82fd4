import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tempseg_mm.models.adversary import ConvDiscriminator, MaskEncoder, adaptive_mean, frozen
from tempseg_mm.registry import MODELS


def test_shapes_and_parameters_of_table_a1():
    encoder = MaskEncoder()
    expected = (25 * 1 + 1) * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 256
    assert sum(p.numel() for p in encoder.parameters()) == expected
    assert encoder(torch.rand(2, 1, 33, 50)).shape == (2, 256, 4, 6)
    assert encoder.out_channels == 256


def test_is_conv_then_relu_then_pooling():
    encoder = MaskEncoder(width=0.0625)
    masks = torch.rand(1, 1, 16, 24)
    x = masks
    for layer in encoder.layers:
        conv = layer.conv
        x = F.relu(F.conv2d(x, conv.weight, conv.bias, padding=conv.kernel_size[0] // 2))
        x = F.max_pool2d(x, 2)
    torch.testing.assert_close(encoder(masks), x)


def test_width_and_own_layers():
    assert MaskEncoder(width=0.25).out_channels == 64
    encoder = MaskEncoder(channels=(4, 6), kernel_sizes=(3, 3))
    assert encoder(torch.rand(1, 1, 8, 8)).shape == (1, 6, 2, 2)


def test_masks_must_outlast_the_pooling():
    assert MaskEncoder(width=0.0625)(torch.rand(1, 1, 8, 9)).shape == (1, 16, 1, 1)
    with pytest.raises(ValueError, match='at least 8x8 pixels, got 9x7. Use larger frames, or a smaller .*downsample'):
        MaskEncoder(width=0.0625)(torch.rand(1, 1, 9, 7))


def test_parameters_of_table_a1():
    discriminator = ConvDiscriminator(256)
    convs = (9 * 256 + 1) * 256 + (25 * 256 + 1) * 512 + (25 * 512 + 1) * 512
    connected = (512 * 4 * 4 + 1) * 1024 + (1024 + 1) * 512 + (512 + 1) * 1
    assert sum(p.numel() for p in discriminator.parameters()) == convs + connected
    linear = [module for module in discriminator.modules() if isinstance(module, nn.Linear)]
    assert [layer.out_features for layer in linear] == [1024, 512, 1]


def test_one_logit_a_mask_for_any_size():
    discriminator = ConvDiscriminator(16, width=0.0625)
    for size in ((12, 16), (5, 7), (1, 1)):
        assert discriminator(torch.randn(3, 16, *size)).shape == (3,)


def test_strides_and_grid():
    discriminator = ConvDiscriminator(16, width=0.0625, pool_size=2)
    assert discriminator.convs(torch.randn(1, 16, 12, 16)).shape == (1, 32, 3, 4)
    unstrided = ConvDiscriminator(16, width=0.0625, strides=(1, 1, 1))
    assert unstrided.convs(torch.randn(1, 16, 12, 16)).shape == (1, 32, 12, 16)
    assert discriminator.hidden[0][0].in_features == 32 * 2 * 2


@pytest.mark.parametrize('size', [(12, 16), (5, 7), (3, 1), (4, 9)])
@pytest.mark.parametrize('grid', [1, 2, 4])
def test_matrix_products_pool_like_pytorch(size, grid):
    maps = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(2, 3, grid, grid, dtype=torch.float64)
    (values, slopes), (expected, expected_slopes) = (
        (pooled, torch.autograd.grad(pooled, maps, weights)[0])
        for pooled in (adaptive_mean(maps, grid), F.adaptive_avg_pool2d(maps, grid)))
    torch.testing.assert_close(values, expected)
    torch.testing.assert_close(slopes, expected_slopes)


@pytest.mark.parametrize('cuda', [False, True])
@pytest.mark.parametrize('strict', [False, True])
def test_pools_by_matrix_products_where_cuda_must_be_deterministic(cuda, strict, monkeypatch):
    called = []
    monkeypatch.setattr('tempseg_mm.models.adversary.adaptive_mean',
                        lambda *args: called.append(1) or adaptive_mean(*args))
    monkeypatch.setattr(torch.Tensor, 'is_cuda', property(lambda _: cuda))
    monkeypatch.setattr(torch, 'are_deterministic_algorithms_enabled', lambda: strict)
    discriminator, encoded = ConvDiscriminator(16, width=0.0625), torch.randn(2, 16, 11, 14)
    logits = discriminator(encoded)
    assert bool(called) == (cuda and strict)
    torch.testing.assert_close(logits, discriminator.to_logit(discriminator.hidden(
        F.adaptive_avg_pool2d(discriminator.convs(encoded), 4).flatten(1))).squeeze(1))


def test_logits_take_both_signs():
    discriminator = ConvDiscriminator(16, width=0.0625)
    nn.init.zeros_(discriminator.to_logit.weight)
    nn.init.constant_(discriminator.to_logit.bias, -3.)
    assert discriminator(torch.randn(2, 16, 8, 8)).tolist() == [-3, -3]  # no ReLU, no sigmoid at the end


def adversary(**changes):
    return MODELS.build(dict(type='Adversary', encoder=dict(type='MaskEncoder'),
                             discriminator=dict(type='ConvDiscriminator'), **{'width': 0.0625, **changes}))


def count(module):
    return sum(p.numel() for p in module.parameters())


MASKS = torch.zeros(5, 1, 32, 48)


def test_one_logit_a_mask():
    verdict = adversary()(MASKS, MASKS, judge_real=True)
    assert verdict.fake.shape == verdict.real.shape == (5,)


def test_each_branch_has_its_encoder():
    judge = adversary()
    assert judge.fake_encoder is not judge.real_encoder
    pred, gt = torch.rand(2, 1, 32, 48), torch.rand(2, 1, 32, 48)
    verdict = judge(pred, gt, judge_real=True)
    torch.testing.assert_close(verdict.fake, judge.discriminator(judge.fake_encoder(pred)))
    torch.testing.assert_close(verdict.real, judge.discriminator(judge.real_encoder(gt)))


def test_shared_weights_are_one_module():
    separate, shared = adversary(), adversary(share_weights=True)
    assert shared.fake_encoder is shared.real_encoder
    assert count(separate) - count(shared) == count(shared.fake_encoder) > 0
    masks = torch.rand(2, 1, 32, 48)
    verdict = shared(masks, masks, judge_real=True)
    torch.testing.assert_close(verdict.fake, verdict.real)  # the branches cannot be told apart


def test_full_width_parameters():
    encoder = 26 * 64 + 577 * 128 + 1153 * 256
    discriminator = (2305 * 256 + 6401 * 512 + 12801 * 512) + (512 * 16 + 1) * 1024 + 1025 * 512 + 513
    assert count(adversary(width=1.0)) == 2 * encoder + discriminator


def test_conditioning_shows_the_target_beside_each_mask():
    judge = adversary(condition_on_target=True)
    assert judge.discriminator.convs[0].in_channels == 2 * 16
    pred, gt = torch.rand(2, 1, 32, 48), torch.rand(2, 1, 32, 48)
    verdict = judge(pred, gt, judge_real=True)
    fake, target = judge.fake_encoder(pred), judge.real_encoder(gt)
    torch.testing.assert_close(verdict.fake, judge.discriminator(torch.cat([fake, target], 1)))
    torch.testing.assert_close(verdict.real, judge.discriminator(torch.cat([target, target], 1)))
    torch.testing.assert_close(judge(pred, gt, judge_real=False).fake, verdict.fake)


@pytest.mark.parametrize('judge_real, condition, runs', [
    (False, False, 0), (True, False, 1), (False, True, 1), (True, True, 1)])
def test_the_real_branch_runs_only_when_needed(judge_real, condition, runs):
    judge, calls = adversary(condition_on_target=condition), []
    judge.real_encoder.register_forward_hook(lambda *_: calls.append(1))
    verdict = judge(MASKS, MASKS, judge_real=judge_real)
    assert len(calls) == runs
    assert (verdict.real is None) == (not judge_real)


def test_d_sees_means_over_squares_of_pixels():
    whole, half = adversary(), adversary(downsample=2)
    half.load_state_dict(whole.state_dict())
    pred, gt = torch.rand(2, 1, 33, 48, requires_grad=True), torch.rand(2, 1, 33, 48)
    small_pred, small_gt = (
        torch.cat([m[:, :, :32].unflatten(2, (16, 2)).unflatten(4, (24, 2)).mean((3, 5)),  # the last row is alone
                   m[:, :, 32:].unflatten(3, (24, 2)).mean(4)], dim=2) for m in (pred, gt))
    seen, expected = half(pred, gt, judge_real=True), whole(small_pred, small_gt, judge_real=True)
    torch.testing.assert_close(seen, expected)
    torch.testing.assert_close(*(torch.autograd.grad(v.fake.sum(), pred)[0] for v in (seen, expected)))
    with pytest.raises(ValueError, match='got 8x7.* smaller .*downsample'):
        half(MASKS[..., :15, :14], MASKS[..., :15, :14], judge_real=False)


@pytest.mark.parametrize('downsample', [0, 1.5, None])
def test_downsampling_is_by_whole_numbers(downsample):
    with pytest.raises(ValueError, match='downsample must be a whole number of at least 1, got '):
        adversary(downsample=downsample)


def test_gradient_passes_through_but_not_into():
    layer = nn.Linear(2, 1)
    x = torch.ones(1, 2, requires_grad=True)
    with frozen(layer):
        layer(x).sum().backward()
    torch.testing.assert_close(x.grad, layer.weight.detach())
    assert layer.weight.grad is None
    assert all(p.requires_grad for p in layer.parameters())


def test_what_was_frozen_before_stays_frozen():
    layer = nn.Linear(2, 1)
    layer.bias.requires_grad_(False)
    with frozen(layer):
        assert not layer.weight.requires_grad
    assert layer.weight.requires_grad and not layer.bias.requires_grad


def test_thaws_after_an_exception():
    layer = nn.Linear(2, 1)
    with pytest.raises(ZeroDivisionError), frozen(layer):
        raise ZeroDivisionError
    assert all(p.requires_grad for p in layer.parameters())
