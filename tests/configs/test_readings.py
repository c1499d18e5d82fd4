"""The choices that the paper leaves open: each knob of docs/paper_notes.md works in both positions and is felt."""

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

FINETUNER = 'default_hooks.finetune.finetuner'
LITERAL_IFTL = {f'model.losses.{name}.{key}': value for name in ('iftl', 'l_iftl')
                for key, value in dict(normalize=False, reduction='sum').items()}
TRAINING = {
    'P1 decoder': {'model.generator.decoder.type': 'UpsampleDecoder'},
    'P1 width': {'model.width': 0.125},
    'P2 dropout': {'model.generator.backbone.dropout': 0.0, 'model.generator.decoder.dropout': 0.0},
    'P3 whole masks': {'model.adversary.downsample': 1},
    'P4 encoders': {'model.adversary.share_weights': False},
    'P5 pairs': {'model.adversary.condition_on_target': True},
    'P6 pooling': {'model.adversary.discriminator.pool_size': 2},
    'P7 lambda': {'model.losses.adv.loss_weight': 1.0},
    'P8 a loss less': {'model.losses.iftl': None},
    'P9 patches': {'model.losses.itsd.patch_size': 2},
    'P9 smooth': {'model.losses.itsd.smooth': 1.0},
    'P11 literal': LITERAL_IFTL,
    'P13 rate of G': {'optim_wrapper.generator.optimizer.lr': 0.02},
    'P13 rate of D': {'optim_wrapper.adversary.optimizer.lr': 0.01},
    'P14 clips': {'train_dataloader.dataset.clip_sampler.clip_length': 2},
    'P14 accumulation': {'optim_wrapper.generator.accumulative_counts': 2},
    'P16 none': {'model.generator.reference_mask': 'none'},
    'P16 own masks': {'default_hooks.own_references': dict(type='OwnReferenceHook', prob=1.0)},
}
TESTING = {
    'P10 flow': {'model.data_preprocessor.flow': dict(type='ZeroFlow')},
    'P2 mode': {f'{FINETUNER}.mode': 'train'},
    'P15 steps': {f'{FINETUNER}.steps': 5},
    'P15 one frame': {'test_cfg.num_given_frames': 1},
    'P15 all losses': {f'{FINETUNER}.leave_out': []},
    'P15 rate': {f'{FINETUNER}.optimizer.lr': 0.05},
    'P16 none': {'model.generator.reference_mask': 'none'},
}


class Terms(Hook):
    """Keeps the losses of each iteration."""

    def __init__(self):
        self.terms = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.terms.append(outputs)


class Masks(Hook):
    """Keeps the probabilities of each frame."""

    def __init__(self):
        self.masks = {}

    def after_frame(self, runner, frame):
        self.masks[frame.sequence, frame.frame_id] = torch.as_tensor(frame.probabilities)


def weights_after_training(cfg):
    runner, hook = Runner.from_cfg(cfg), Terms()
    runner.register_hook(hook)
    runner.train()
    assert len(hook.terms) == 2
    return torch.cat([p.detach().flatten() for p in runner.model.generator.parameters()])


def masks_of_a_test(cfg):
    """From the initial weights."""
    runner, hook = Runner.from_cfg(cfg), Masks()
    runner.register_hook(hook)
    runner.test()
    return hook.masks


@pytest.fixture(scope='module')
def plain():
    """What the base gives, found out by the first test that asks."""
    return {}


@pytest.mark.parametrize('name', TRAINING)
def test_knobs_of_training(name, tiny_config, plain):
    options = {'train_cfg.max_iters': 2, 'param_scheduler.generator.0.end': 2}
    if 'weights' not in plain:
        plain['weights'] = weights_after_training(tiny_config(**options))
    weights = weights_after_training(tiny_config(**options, **TRAINING[name]))
    assert torch.isfinite(weights).all()
    assert weights.shape != plain['weights'].shape or not torch.equal(weights, plain['weights']), 'nothing changed'


@pytest.mark.parametrize('name', TESTING)
def test_knobs_of_testing(name, tiny_config, plain):
    options = {'test_dataloader.dataset.sequences': ['test_000']}
    if 'masks' not in plain:
        plain['masks'] = masks_of_a_test(tiny_config(**options))
    masks = masks_of_a_test(tiny_config(**options, **TESTING[name]))
    assert all(((0 <= mask) & (mask <= 1)).all() for mask in masks.values())
    assert any(not torch.equal(masks[key], plain['masks'][key]) for key in masks), 'nothing changed'
