"""What only a GPU can show: it computes what the CPU computes, repeats itself, and is not waited for.

``pytest -m gpu`` runs these tests on CUDA or MPS, ``pytest -m gpu --device cpu`` tries them without a GPU.
"""

import copy
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from devices import on
from mmengine.runner import Runner
from torch.nn import functional as F

from tempseg_mm import flow
from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.engine import finite_steps

pytestmark = pytest.mark.gpu

FLOWNET2_PARTS = {'flownetc': 20, 'flownets_1': 20, 'flownets_2': 20, 'flownets_d': 1 / 20, 'flownetfusion': 1}
PIXELS = 4.0  # largest flow of the networks with random weights
PLAIN = {f'model.generator.{part}.dropout': 0.0 for part in ('backbone', 'decoder')}  # devices draw other numbers


@pytest.fixture
def cuda(device):
    if device.type != 'cuda':
        pytest.skip('needs CUDA')


# A GAN step


def half_steps(model, batch):
    """Logits, terms and gradients of both half-steps, on the CPU."""
    prediction = model(batch)
    found = dict(logits=prediction.logits)
    for losses, part in ((model.discriminator_losses, model.adversary), (model.generator_losses, model.generator)):
        terms = losses(prediction, batch)
        loss, _ = model.parse_losses(terms)
        names, weights = zip(*part.named_parameters())
        gradients = torch.autograd.grad(loss, weights, retain_graph=True)
        found.update(terms, **dict(zip(names, gradients, strict=True)))
    return {name: value.detach().cpu() for name, value in found.items()}


def test_a_gan_step_is_that_of_the_cpu(make_model, clip_batch, device):
    still = dict(backbone=dict(type='TempSegBackbone', dropout=0.0), decoder=dict(type='UnpoolDecoder', dropout=0.0))
    model = make_model(generator=still).train()
    wanted = half_steps(copy.deepcopy(model), clip_batch)
    found = half_steps(model.to(device), on(device, clip_batch))
    assert len(wanted) > 60 and found.keys() == wanted.keys()
    for name, value in wanted.items():
        error = (found[name] - value).abs().max() / value.abs().max().clamp(min=1e-3)
        assert error < 1e-3, f'{name} differs by {error:.1e} of its largest value'


def states(runner):
    """Weights and optimisers of a Runner, in one list of tensors on the CPU."""
    inner = [optim.state_dict() for optim in runner.optim_wrapper.values()]
    found = [*runner.model.state_dict().values()]
    for optim in inner:
        found += [value for state in optim['state'].values() for value in state.values()]
    return [value.cpu() for value in found if isinstance(value, torch.Tensor)]


def test_trains_and_resumes_to_the_bit(tiny_config, tmp_path, device, cuda):
    def train(folder, stop=4, **options):
        cfg = tiny_config(**{
            'work_dir': str(tmp_path / folder), 'train_cfg.max_iters': 4, 'param_scheduler.generator.0.end': 4,
            'default_hooks.checkpoint.interval': 2, 'randomness': dict(seed=0, deterministic=True), **options})
        runner = Runner.from_cfg(cfg)
        runner.train_loop._max_iters = stop
        runner.train()
        assert next(runner.model.parameters()).device.type == device.type
        return states(runner)
    whole, again = train('whole'), train('again')
    assert all(torch.equal(one, other) for one, other in zip(whole, again, strict=True))
    train('parts', stop=2)
    resumed = train('parts', resume=True)
    assert all(torch.equal(one, other) for one, other in zip(whole, resumed, strict=True))


@contextmanager
def sync_mode(mode):
    before = torch.cuda.get_sync_debug_mode()
    torch.cuda.set_sync_debug_mode(mode)
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode(before)


def test_steps_wait_for_the_gpu_only_where_their_terms_are_read(make_runner, monkeypatch, cuda):
    """``FiniteSteps`` reads the half-steps of all iterations since the last log in one transfer."""
    reads, as_floats = [], finite_steps.as_floats

    def read(*sets):
        with sync_mode('default'):
            reads.append(len(sets))
            return as_floats(*sets)
    monkeypatch.setattr(finite_steps, 'as_floats', read)
    runner = make_runner(**{'train_cfg.max_iters': 4})
    loop = runner.train_loop
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    runner.model.train()
    runner.model.own_reference_prob = 1.0
    batches = [next(loop.dataloader_iterator) for _ in range(3)]
    loop.alternate(batches[0])  # libraries start, optimisers make their state
    reads.clear()
    with sync_mode('error'):
        for batch in batches[1:]:
            loop.queue(batch)
        assert reads == []
        assert all(terms['loss_g'] > 0 and terms['loss_d'] > 0 for terms in loop.settle())
    assert reads == [4]  # both half-steps of two iterations
    with sync_mode('error'), pytest.raises(RuntimeError, match='synchroniz'):
        torch.ones((), device='cuda').item()


@pytest.mark.parametrize('part, unchanged', [
    ('discriminator', ['adversary', 'generator']), ('generator', ['generator'])])
def test_numbers_that_are_not_finite_update_nothing(make_runner, monkeypatch, part, unchanged, device):
    runner = make_runner(**{f'optim_wrapper.{name}.optimizer.fused': True for name in ('generator', 'adversary')})
    loop, model = runner.train_loop, runner.model
    optims = runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    model.train()
    batches = [next(loop.dataloader_iterator) for _ in range(2)]
    loop.alternate(batches[0])

    def state(name):
        inner = optims[name].optimizer.state_dict()['state']
        return [value.detach().clone() for value in (*getattr(model, name).parameters(), *(
            value for moments in inner.values() for value in moments.values()))]
    before = {name: state(name) for name in ('adversary', 'generator')}
    losses = getattr(model, f'{part}_losses')
    monkeypatch.setattr(model, f'{part}_losses', lambda *args: {
        name: value * float('nan') for name, value in losses(*args).items()})
    with pytest.raises(finite_steps.NotFiniteError) as error:
        loop.alternate(batches[1])
    assert error.value.part == unchanged[0]
    assert [name for name, kept in before.items() if all(
        torch.equal(one, other) for one, other in zip(state(name), kept, strict=True))] == unchanged


def test_trains_and_predicts(make_runner, device):
    runner = make_runner(**{'train_cfg.max_iters': 2})
    runner.train()
    assert runner.iter == 2 and all(weight.isfinite().all() for weight in runner.model.parameters())
    model = runner.model.eval()
    frames = torch.randint(0, 256, (1, 3, 32, 48), dtype=torch.uint8, device=device)
    masks = model.predict(frames, torch.rand(1, 1, 32, 48, device=device))
    assert masks.device.type == device.type and masks.isfinite().all()
    wanted = copy.deepcopy(model).cpu().predict(frames.cpu(), torch.zeros(1, 1, 32, 48))
    found = model.predict(frames, torch.zeros(1, 1, 32, 48, device=device))
    torch.testing.assert_close(found.cpu(), wanted, rtol=1e-3, atol=1e-4)


# Test time


def test_fine_tuning_and_prediction_with_averaging(model_cfg, make_sequence, device, tmp_path):
    model_cfg.update(adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    finetuner = dict(type='OnlineFinetuner', optimizer=dict(type='Adam', lr=0.01), pipeline=[dict(type='PackClip')])
    cfg = dict(model=model_cfg, default_hooks=dict(finetune=dict(type='OnlineFinetuneHook', finetuner=finetuner)))
    sequence = make_sequence()

    def answer(where, steps, folder):
        return VOSInferencer(cfg, device=str(where), steps=steps, tta=True)(
            sequence.frames, sequence.masks[0], out_dir=tmp_path / folder, ground_truth=sequence.masks, pictures=False)
    assert answer(device, 40, 'tuned').mean_j[1] > 0.7
    areas = [[record.areas[1] for record in answer(where, 0, folder).records]
             for where, folder in ((device, 'there'), ('cpu', 'here'))]
    np.testing.assert_allclose(*areas, atol=2)


# Optical flow


def smooth_pair(size, device='cpu'):
    """Two frames of smooth noise; the second one is moved by two pixels down and three to the right."""
    coarse = 255 * torch.rand(1, 3, 8, 12, generator=torch.Generator().manual_seed(0))
    frame = F.interpolate(coarse, size, mode='bicubic').clamp(0, 255)
    return frame.to(device), frame.roll((2, 3), (2, 3)).to(device)


def spanning(layer, wanted):
    """Scale a last layer at its next call so that its answer spans ``wanted``: with random weights flow is near zero,
    which any device computes alike."""
    def scale(layer, args, answer):
        handle.remove()
        factor = wanted / answer.abs().max()
        for weights in layer.parameters():
            weights *= factor
        return answer * factor
    handle = layer.register_forward_hook(scale)


def assert_the_flow_of_the_cpu(provider, size, device):
    pair = smooth_pair(size)
    wanted = provider(*pair)
    assert 1 < wanted.abs().max() < 50 and wanted.std() > 0.05
    found = provider(*(frames.to(device) for frames in pair))
    assert found.device.type == device.type
    torch.testing.assert_close(found.cpu(), wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize('name', ['FlowNetCFlow', 'FlowNetSFlow', 'FlowNetSDFlow', 'FlowNet2Flow'])
def test_flownet2_and_its_parts(name, device):
    provider = getattr(flow, name)('random', sha256=64 * '0')
    network = provider._built = provider.network().eval().requires_grad_(False)
    for part, unit in FLOWNET2_PARTS.items() if name == 'FlowNet2Flow' else [('', network.unit)]:
        finest = 0 if part == 'flownetfusion' else 2
        spanning(network.get_submodule(part).get_submodule(f'predict_flow{finest}'), PIXELS / unit)
    provider(*smooth_pair((64, 128)))
    assert_the_flow_of_the_cpu(provider, (64, 128), device)


def test_raft(device):
    networks = pytest.importorskip('torchvision.models.optical_flow')
    provider = flow.RAFTFlow(iterations=3)
    network = provider._built = networks.raft_large(weights=None).eval().requires_grad_(False)
    spanning(network.update_block.flow_head.conv2, PIXELS / 8 / 3)  # 3 updates, at an eighth of the size
    provider(*smooth_pair((128, 128)))
    assert_the_flow_of_the_cpu(provider, (128, 128), device)
