import pytest
import torch
from mmengine.optim import OptimWrapperDict
from torch import nn

from tempseg_mm.engine.optim.gan_constructor import GANOptimWrapperConstructor

ADAM = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.002))
SGD = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.01), accumulative_counts=2)


class Model(nn.Module):

    def __init__(self, **parts):
        super().__init__()
        self.generator, self.adversary, self.losses = nn.Linear(2, 1), nn.Linear(3, 1), nn.ModuleDict()
        for name, part in parts.items():
            setattr(self, name, part)


def test_one_wrapper_a_sub_module():
    model = Model()
    wrappers = GANOptimWrapperConstructor(dict(generator=ADAM, adversary=SGD))(model)
    assert isinstance(wrappers, OptimWrapperDict) and sorted(wrappers.keys()) == ['adversary', 'generator']
    for name, kind, rate in (('generator', 'Adam', 0.002), ('adversary', 'SGD', 0.01)):
        optimizer = wrappers[name].optimizer
        assert type(optimizer).__name__ == kind and optimizer.param_groups[0]['lr'] == rate
        held = [p for group in optimizer.param_groups for p in group['params']]
        assert {id(p) for p in held} == {id(p) for p in getattr(model, name).parameters()}
    assert wrappers['adversary']._accumulative_counts == 2


def test_the_config_can_be_used_again():
    constructor = GANOptimWrapperConstructor(dict(generator=ADAM, adversary=SGD))
    constructor(Model()), constructor(Model())


def test_training_on_cuda_is_fused_unless_the_config_says_otherwise(monkeypatch):
    said = dict(ADAM, optimizer=dict(ADAM['optimizer'], fused=False))
    here = GANOptimWrapperConstructor(dict(generator=ADAM, adversary=said))(Model())
    monkeypatch.setattr(nn.Parameter, 'device', torch.device('cuda'))
    there = GANOptimWrapperConstructor(dict(generator=ADAM, adversary=said))(Model())
    fused = [{name: part.optimizer.defaults['fused'] for name, part in parts.items()} for parts in (here, there)]
    assert fused == [dict(generator=None, adversary=False), dict(generator=True, adversary=False)]


def test_without_adversary():
    for wrappers in (dict(generator=ADAM), dict(generator=ADAM, adversary=SGD)):
        assert list(GANOptimWrapperConstructor(wrappers)(Model(adversary=None)).keys()) == ['generator']


def test_frozen_parts_need_no_optimiser():
    model = Model()
    model.adversary.requires_grad_(False)
    assert list(GANOptimWrapperConstructor(dict(generator=ADAM))(model).keys()) == ['generator']


@pytest.mark.parametrize('names', [
    ('generator',), ('generator', 'discriminator'), ('generator', 'adversary', 'losses')])
def test_names_must_be_those_of_the_trained_sub_modules(names):
    constructor = GANOptimWrapperConstructor({name: ADAM for name in names})
    with pytest.raises(ValueError, match=r"optim_wrapper names .*trained sub-modules .* \['adversary', 'generator'\]"):
        constructor(Model())


def test_paramwise_cfg_belongs_inside():
    with pytest.raises(ValueError, match='paramwise_cfg must be inside the config of the sub-module'):
        GANOptimWrapperConstructor(dict(generator=ADAM), paramwise_cfg=dict())
