import pytest
import torch
from torch import nn

from tempseg_mm.inference.finetuned_parameters import parameters_called, trained_alone
from tempseg_mm.inference.online_finetuner import GivenObject, OnlineFinetuner

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


@pytest.fixture
def square(make_sequence, give):
    return GivenObject(give(make_sequence()), 1)


@pytest.mark.parametrize('only', ['decoder', ['decoder.to_logits', 'backbone.layers.1'], ['norm'], ()])
def test_fine_tuning_changes_them_alone(make_model, square, only):
    model = make_model()
    flags = required(model)
    prefixes = (only,) if isinstance(only, str) else tuple(only)
    for parameter in model.generator.parameters():
        parameter.grad = torch.ones_like(parameter)  # of a training step that was broken off
    adapted = OnlineFinetuner(steps=3, optimizer=SGD, only=only, average=0.5).adapt(model, square).generator
    own = dict(model.generator.named_parameters())
    changed = {name for name, value in adapted.named_parameters() if not torch.equal(value, own[name])}
    if only == ['norm']:
        expected = {name for name in own if '.bn.' in name}
    else:
        expected = {name for name in own if name.startswith(prefixes or '')}
    assert changed == expected and required(model) == flags


def test_frozen_layers_before_the_first_have_no_graph(make_model, square):
    model, graph = make_model(), {}
    parts = dict(first=model.generator.backbone.layers[0], bottom=model.generator.backbone.layers[-1],
                 logits=model.generator.decoder.to_logits)
    for name, part in parts.items():
        part.register_forward_hook(lambda _, inputs, output, name=name: graph.update({name: output.requires_grad}))
    OnlineFinetuner(steps=1, only='decoder').adapt(model, square)
    assert graph == dict(first=False, bottom=False, logits=True)
    OnlineFinetuner(steps=1).adapt(model, square)
    assert graph == dict(first=True, bottom=True, logits=True)


def test_what_is_frozen_stays_so(make_model, square):
    model = make_model()
    model.generator.decoder.to_logits.bias.requires_grad_(False)
    flags = required(model)
    adapted = OnlineFinetuner(steps=2, optimizer=SGD).adapt(model, square).generator
    assert torch.equal(adapted.decoder.to_logits.bias, model.generator.decoder.to_logits.bias)
    assert not torch.equal(adapted.decoder.to_logits.weight, model.generator.decoder.to_logits.weight)
    assert required(model) == flags


def test_a_name_that_fits_nothing_is_said_before_any_frame_is_read(make_model, make_sequence, give):
    sequence = make_sequence()
    finetuner = OnlineFinetuner(steps=1, only=['backbone', 'decoder.to_logit'])
    with pytest.raises(ValueError, match=r"only names 'decoder\.to_logit'.* nearest: decoder\.to_logits"):
        finetuner.adapt(make_model(), GivenObject(give(sequence), 1))
    assert sequence.reads == []
