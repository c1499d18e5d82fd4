import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from tempseg_mm.engine.hooks.tta_hook import TTAHook
from tempseg_mm.inference.tta import TestTimeAugmentation

OWN = ['ClipRandomAffine', 'ClipPhotometric']  # of configs/tempseg_synthetic.py


class Watch(Hook):
    """What fine-tuner and model have within a test, and the frames' probabilities."""
    priority = 'LOWEST'

    def __init__(self):
        self.probabilities = []

    def before_sequence(self, runner, sequence, size):
        self.finetuner = next(hook.finetuner for hook in runner.hooks if hasattr(hook, 'finetuner'))
        self.augment = names(self.finetuner)
        self.prediction = runner.test_loop.model.test_time_augmentation

    def after_frame(self, runner, frame):
        self.probabilities.append(frame.probability)


def names(finetuner):
    return [type(transform).__name__ for transform in finetuner.augment.transforms]


@pytest.fixture
def tested(make_runner):
    """Tests one sequence with ``TTAHook(**hook)``, ``None``: without; returns the watch and the runner."""
    def test(hook, **options):
        runner, watch = make_runner(**{'test_dataloader.dataset.sequences': ['test_000']}, **options), Watch()
        if hook is not None:
            runner.register_hook(TTAHook(**hook))
        runner.register_hook(watch, priority='LOWEST')
        torch.manual_seed(0)
        np.random.seed(0)
        runner.test()
        return watch, runner
    return test


@pytest.mark.parametrize('own, finetune, within', [
    (None, None, OWN),
    ([dict(type='ClipPhotometric')], None, ['ClipPhotometric']),
    ([], None, OWN),
    (None, [], []),
    (None, [dict(type='ClipRandomAffine')], ['ClipRandomAffine']),
])
def test_augmentation_of_fine_tuning(tested, own, finetune, within):
    options = {} if own is None else {'default_hooks.finetune.finetuner.augment': own}
    watch, _ = tested(dict(finetune=finetune), **options)
    assert watch.augment == within
    assert names(watch.finetuner) == (OWN if own is None else [transform['type'] for transform in own])


def test_its_own_augmentation_by_another_way_gives_the_same(tested):
    plain, _ = tested(None)
    off, _ = tested(dict(finetune=[], prediction={}))
    same, _ = tested(dict(prediction={}))
    assert all(map(np.array_equal, plain.probabilities, same.probabilities))
    assert not np.array_equal(plain.probabilities[-1], off.probabilities[-1])


@pytest.mark.parametrize('prediction, expected', [
    (None, (True, (1.0,))), ({}, None),
    (dict(type='TestTimeAugmentation', flip=False, scales=[0.8, 1]), (False, (0.8, 1)))])
def test_averaged_predictions(tested, prediction, expected):
    watch, runner = tested(dict(prediction=prediction))
    found = watch.prediction
    assert expected == (found and (found.flip, found.scales)) and isinstance(found, (TestTimeAugmentation, type(None)))
    assert runner.model.test_time_augmentation is None


def test_the_network_sees_both_views_in_one_batch(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None,
                            'default_hooks.tta': dict(type='TTAHook')})
    shapes = []
    runner.model.generator.register_forward_pre_hook(lambda _, args: shapes.append(tuple(args[0].shape)))
    runner.test()  # without fine-tuning
    assert shapes == [(2, 3, 32, 48)] * 5
