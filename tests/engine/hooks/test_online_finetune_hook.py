import torch
from mmengine.hooks import Hook


class Weights(Hook):
    """The generator's last layer, within the walk and after each sequence."""
    priority = 'LOWEST'

    def __init__(self):
        self.within, self.after = {}, []

    def after_frame(self, runner, frame):
        weight = runner.model.generator.decoder.to_logits.weight.detach().clone()
        self.within.setdefault(frame.sequence, []).append(weight)

    def after_sequence(self, runner, sequence, size):
        self.after.append({name: value.clone() for name, value in runner.model.state_dict().items()})


def test_adapted_within_a_sequence_restored_after_it(make_runner):
    runner = make_runner()
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    weights = Weights()
    runner.register_hook(weights, priority='LOWEST')
    runner.test()
    first, second = weights.within['test_000'], weights.within['test_001']
    own = before['generator.decoder.to_logits.weight']
    assert not torch.equal(first[0], own) and not torch.equal(second[0], own) and not torch.equal(first[0], second[0])
    assert all(torch.equal(weight, first[0]) for weight in first)
    for state in weights.after:
        assert [name for name, value in state.items() if not torch.equal(value, before[name])] == []


def test_says_how_far_the_loss_went(make_runner, monkeypatch):
    lines = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args: lines.append(str(text)))
    runner = make_runner(**{'default_hooks.finetune.finetuner.steps': 2,
                            'test_dataloader.dataset.sequences': ['test_001']})
    runner.test()
    line, = [line for line in lines if 'fine-tuned' in line]
    assert line.startswith('test_001: fine-tuned 2 steps in ') and ', loss ' in line and ' -> ' in line


def test_works_at_the_size_of_the_data_set(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_001'],
                            'test_dataloader.dataset.size': (16, 32)})
    sizes = set()
    runner.model.generator.register_forward_pre_hook(lambda _, args: sizes.add(tuple(args[0].shape[-2:])))
    runner.test()
    assert sizes == {(16, 32)}
