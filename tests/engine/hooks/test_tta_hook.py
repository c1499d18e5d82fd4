import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from tempseg_mm.engine.hooks.tta_hook import TTAHook
from tempseg_mm.inference.tta import TestTimeAugmentation

OWN = ['ClipObjectWindow', 'ClipPhotometric']  # of configs/tempseg_synthetic.py


class Watch(Hook):
    """What the segmenter has within a test, and the frames' probabilities."""
    priority = 'LOWEST'

    def __init__(self):
        self.probabilities = []

    def before_sequence(self, runner, sequence, size):
        segmenter = runner.test_loop.segmenter
        self.tta, self.finetuner = segmenter.tta, segmenter.finetuner

    def after_frame(self, runner, frame):
        self.probabilities.append(frame.probabilities)


def names(compose):
    return [type(transform).__name__ for transform in compose.transforms]


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


@pytest.mark.parametrize('finetune, within', [
    (None, OWN), ([], []), ([dict(type='ClipRandomAffine')], ['ClipRandomAffine'])])
def test_augmentation_of_fine_tuning(tested, finetune, within):
    watch, _ = tested(dict(finetune=finetune))
    assert names(watch.tta.augment(watch.finetuner.augment)) == within
    assert names(watch.finetuner.augment) == OWN


def test_its_own_augmentation_by_another_way_gives_the_same(tested, on_cpu):
    plain, _ = tested(None)
    off, _ = tested(dict(finetune=[], prediction={}))
    same, _ = tested(dict(prediction={}))
    assert all(map(np.array_equal, plain.probabilities, same.probabilities))
    assert not np.array_equal(plain.probabilities[-1], off.probabilities[-1])


@pytest.mark.parametrize('prediction, expected', [
    (None, (True, (1.0,))), ({}, None),
    (dict(type='TestTimeAugmentation', flip=False, scales=[0.8, 1]), (False, (0.8, 1)))])
def test_averaged_predictions(prediction, expected):
    found = TTAHook(prediction=prediction).tta.prediction
    assert expected == (found and (found.flip, found.scales)) and isinstance(found, (TestTimeAugmentation, type(None)))


def test_the_network_sees_both_views_in_one_batch(tested):
    shapes = []
    register = torch.nn.Module.register_forward_pre_hook
    watch, runner = tested(dict(finetune=[]))
    handle = register(runner.model.generator, lambda _, args: shapes.append(tuple(args[0].shape)))
    runner.test_loop.run()
    handle.remove()
    assert (2, 3, 32, 48) in shapes and set(shapes[-5:]) == {(2, 3, 32, 48)}
