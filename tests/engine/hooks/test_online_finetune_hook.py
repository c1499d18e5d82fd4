from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.engine.hooks.online_finetune_hook import OnlineFinetuneHook

ROOT = Path(__file__).resolve().parents[3]


class Watch(Hook):
    """The adapted generators of each sequence, and the model after it."""

    def __init__(self):
        self.adapted, self.after = {}, []

    def after_finetuning(self, runner, sequence, adapted):
        self.adapted[sequence.name] = adapted[1].generator.decoder.to_logits.weight.clone()

    def after_sequence(self, runner, sequence, size):
        self.after.append({name: value.clone() for name, value in runner.model.state_dict().items()})


def test_each_sequence_has_a_generator_of_its_own_and_the_model_stays(make_runner):
    runner, watch = make_runner(), Watch()
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    runner.register_hook(watch)
    runner.test()
    first, second = watch.adapted['test_000'], watch.adapted['test_001']
    own = before['generator.decoder.to_logits.weight']
    assert not torch.equal(first, own) and not torch.equal(second, own) and not torch.equal(first, second)
    for state in watch.after:
        assert [name for name, value in state.items() if not torch.equal(value, before[name])] == []


def test_whole_frames_have_the_size_of_the_data_set(tiny_config):
    runner = Runner.from_cfg(tiny_config(ROOT / 'configs/tempseg_davis.py', **{
        'test_dataloader.dataset.sequences': ['test_001'], 'test_dataloader.dataset.size': (16, 32)}))
    sizes = set()
    runner.model.generator.register_forward_pre_hook(lambda _, args: sizes.add(tuple(args[0].shape[-2:])))
    runner.test()
    assert sizes == {(16, 32)}


def test_a_second_fine_tuner_is_refused(make_runner):
    runner = make_runner()
    runner.register_hook(OnlineFinetuneHook(dict(type='OnlineFinetuner')))
    with pytest.raises(ValueError, match='two hooks set a fine-tuner.*default_hooks.finetune=None'):
        runner.test()


def test_layers_that_the_generator_lacks_are_found_before_training(make_runner):
    runner = make_runner(**{'default_hooks.finetune.finetuner.only': ['backbone.features.4']})
    with pytest.raises(ValueError, match='only names .backbone.features.4.'):
        runner.train()
    assert runner.iter == 0
