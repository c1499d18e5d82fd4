import pytest
import torch
from torch import nn

from tempseg_mm.inference.finetuned_parameters import parameters_called, trained_alone
from tempseg_mm.inference.online_finetuner import OnlineFinetuner

# Weight decay would move a parameter without gradient if it were given one of zeros.
SGD = dict(type='SGD', lr=0.1, weight_decay=0.1, momentum=0.9)


class Small(nn.Module):
    """Names that begin alike, three kinds of normalisation, one of them without parameters."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.InstanceNorm2d(2))
        self.stem2 = nn.Sequential(nn.GroupNorm(1, 2), nn.Dropout())
        self.scale = nn.Parameter(torch.ones(()))


def required(module):
    return {name for name, parameter in module.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize('names, expected', [
    (['stem'], {'stem.0.weight', 'stem.0.bias', 'stem.1.weight', 'stem.1.bias'}),
    (['stem.0', 'scale'], {'stem.0.weight', 'stem.0.bias', 'scale'}),
    (['stem.0', 'stem.0.bias'], {'stem.0.weight', 'stem.0.bias'}),
    (['norm'], {'stem.1.weight', 'stem.1.bias', 'stem2.0.weight', 'stem2.0.bias'}),
    (['norm', 'scale'], {'stem.1.weight', 'stem.1.bias', 'stem2.0.weight', 'stem2.0.bias', 'scale'}),
    ([], set()),
])
def test_names_that_fit(names, expected):
    assert parameters_called(Small(), names) == expected


def test_a_normalisation_layer_by_itself():
    assert parameters_called(nn.LayerNorm(2), ['norm']) == {'weight', 'bias'}


@pytest.mark.parametrize('name, nearest', [
    ('stem3', r'stem2?, stem2?, .*, norm, scale$'), ('stem.0.wieght', r'stem\.0\.weight, '), ('Norm', 'norm, '),
    ('stem2.1', r'stem2\.0.*, '), ('quite other', 'norm, scale, stem, stem2$'), ('', 'norm, scale, stem, stem2$')])
def test_a_name_that_fits_nothing(name, nearest):
    with pytest.raises(ValueError, match=f"only names '{name}', but no parameter .* called that; nearest: .*{nearest}"):
        parameters_called(Small(), ['scale', name])


def test_normalisation_where_there_is_none():
    with pytest.raises(ValueError, match="only names 'norm'.* nearest: bias, weight"):
        parameters_called(nn.Linear(1, 1), ['norm'])


def test_trained_alone_gives_back_every_flag():
    module = Small()
    module.stem[0].bias.requires_grad_(False)
    before = required(module)
    with trained_alone(module, {'stem.0.bias', 'scale'}):
        assert required(module) == {'stem.0.bias', 'scale'}
    assert required(module) == before == {name for name, _ in module.named_parameters()} - {'stem.0.bias'}
    with pytest.raises(KeyboardInterrupt), trained_alone(module, set()):
        raise KeyboardInterrupt
    assert required(module) == before


@pytest.mark.parametrize('only', ['decoder', ['decoder.to_logits', 'backbone.layers.1'], ['norm'], ()])
def test_fine_tuning_changes_them_alone(make_model, make_sequence, only):
    model, told = make_model(), []
    before = {name: value.clone() for name, value in model.state_dict().items()}
    flags = required(model)
    prefixes = (only,) if isinstance(only, str) else tuple(only)
    for parameter in model.generator.parameters():
        parameter.grad = torch.ones_like(parameter)  # of a training step that was broken off
    finetuner = OnlineFinetuner(steps=3, optimizer=SGD, only=only, average=0.5)
    finetuner.adapt(model, make_sequence(), on_step=lambda step: told.append(required(model.generator)))
    changed = {name for name, value in model.generator.named_parameters()
               if not torch.equal(value, before[f'generator.{name}'])}
    if only == ['norm']:
        expected = {name for name in required(model.generator) if '.bn.' in name}
    else:
        expected = {name for name in required(model.generator) if name.startswith(prefixes or '')}
    assert changed == expected and told == [expected] * 3
    assert required(model) == flags
    finetuner.restore(model)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_frozen_layers_before_the_first_have_no_graph(make_model, make_sequence):
    model, graph = make_model(), {}
    parts = dict(first=model.generator.backbone.layers[0], bottom=model.generator.backbone.layers[-1],
                 logits=model.generator.decoder.to_logits)
    for name, part in parts.items():
        part.register_forward_hook(lambda _, inputs, output, name=name: graph.update({name: output.requires_grad}))
    OnlineFinetuner(steps=1, only='decoder').adapt(model, make_sequence())
    assert graph == dict(first=False, bottom=False, logits=True)
    OnlineFinetuner(steps=1).adapt(model, make_sequence())
    assert graph == dict(first=True, bottom=True, logits=True)


def test_an_error_gives_back_flags_and_weights(make_model, make_sequence):
    model = make_model()
    model.generator.decoder.to_logits.bias.requires_grad_(False)
    before, flags = {name: value.clone() for name, value in model.state_dict().items()}, required(model)

    def stop(step):
        if step == 2:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        OnlineFinetuner(steps=3, optimizer=SGD, only=['backbone']).adapt(model, make_sequence(), on_step=stop)
    assert required(model) == flags
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_name_that_fits_nothing_changes_nothing(make_model, make_sequence):
    model, sequence = make_model(), make_sequence()
    before, flags = {name: value.clone() for name, value in model.state_dict().items()}, required(model)
    finetuner = OnlineFinetuner(steps=1, only=['backbone', 'decoder.to_logit'])
    with pytest.raises(ValueError, match=r"only names 'decoder\.to_logit'.* nearest: decoder\.to_logits"):
        finetuner.adapt(model, sequence)
    assert required(model) == flags and sequence.reads == []
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
