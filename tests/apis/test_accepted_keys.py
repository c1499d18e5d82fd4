import dataclasses
import functools

import pytest
from mmengine.dataset import pseudo_collate
from mmengine.hooks import CheckpointHook, IterTimerHook
from mmengine.model import BaseModule
from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, OptimWrapper
from torch.optim import Adam

from tempseg_mm.apis.accepted_keys import accepted_keys
from tempseg_mm.datasets.segtrack_v2 import SegTrackV2Dataset
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from tempseg_mm.engine.loops.gan_train_loop import GANTrainLoop


class Base:
    def __init__(self, a, *, b=2):
        self.ab = a, b


class PassesOn(Base):
    def __init__(self, c, *args, **kwargs):
        super().__init__(*args, **kwargs)


class Reads(Base):
    def __init__(self, **options):
        self.d, self.e = options.pop('d', 1), options['e']
        super().__init__(options.get('f'), **options)


class Inherits(PassesOn):
    pass


class Keeps(Base):
    def __init__(self, c, **kwargs):
        super().__init__(c)
        self.kwargs = kwargs


class Changes(Base):
    def __init__(self, **kwargs):
        kwargs.update(a=1)
        super().__init__(**kwargs)


class Sink:
    def __init__(self, **kwargs):
        pass


class Ends(Sink):
    def __init__(self, a, **kwargs):
        super().__init__(**kwargs)


class Made:
    def __new__(cls, a):
        return super().__new__(cls)


class Nothing:
    pass


@dataclasses.dataclass
class Fields:
    height: int = 3
    width: int = 4


def wrapped(init):
    @functools.wraps(init)
    def inner(self, *args, **kwargs):
        init(self, *args, **kwargs)
    return inner


class Decorated(Base):
    @wrapped
    def __init__(self, c, **kwargs):
        super().__init__(**kwargs)


def function(a, /, b, *, c=3):
    pass


@pytest.mark.parametrize('builder, keys', [
    (Base, 'a b'), (PassesOn, 'a b c'), (Inherits, 'a b c'), (Reads, 'a b d e f'), (Decorated, 'a b c'),
    (Nothing, ''), (Fields, 'height width'), (function, 'b c'), (pseudo_collate, 'data_batch'),
    (IterTimerHook, '')])
def test_parameters(builder, keys):
    assert set(accepted_keys(builder)) == set(keys.split())


@pytest.mark.parametrize('builder', [Keeps, Changes, Sink, Ends, Made, dict, max, lambda **kwargs: 0])
def test_no_guesses(builder):
    assert accepted_keys(builder) is None


def test_who_declares_a_parameter():
    assert accepted_keys(PassesOn) == dict(c=PassesOn, a=Base, b=Base)
    assert accepted_keys(SegTrackV2Dataset)['pipeline'] is VOSDataset
    assert accepted_keys(function)['b'] is function


@pytest.mark.parametrize('builder, some', [
    (GANTrainLoop, 'max_iters discriminator_steps val_interval'), (Adam, 'lr betas weight_decay'),
    (CosineAnnealingLR, 'eta_min begin end by_epoch'), (OptimWrapper, 'optimizer clip_grad accumulative_counts'),
    (AmpOptimWrapper, 'dtype clip_grad'), (CheckpointHook, 'interval save_best'), (BaseModule, 'init_cfg'),
    (AtomicCheckpointHook, 'interval max_keep_ckpts')])
def test_components_of_the_libraries(builder, some):
    assert set(some.split()) <= set(accepted_keys(builder))
    assert 'intervall' not in accepted_keys(builder)
