import threading

import pytest
import torch
from torch import nn

from tempseg_mm.inference.finetuning_steps import (
    AHEAD,
    TailAverage,
    drawn_ahead,
    folded,
    in_turn,
    parameters_called,
    side_by_side,
    trained_alone,
)
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.registry import MODELS

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
    with pytest.raises(ValueError, match=f"only names '{name}', but no parameter .* nearest names: .*{nearest}"):
        parameters_called(Small(), ['scale', name])


def test_normalisation_where_there_is_none():
    with pytest.raises(ValueError, match="only names 'norm'.* nearest names: bias, weight"):
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
    with pytest.raises(ValueError, match=r"only names 'decoder\.to_logit'.* nearest names: decoder\.to_logits"):
        finetuner.adapt(make_model(), GivenObject(give(sequence), 1))
    assert sequence.reads == []


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_calls_run_at_once_with_a_thread_of_torch_each_and_answer_in_order():
    meeting = threading.Barrier(2, timeout=30)

    def call(item):
        meeting.wait()  # raises unless the other call comes here too
        return item, torch.get_num_threads()
    with side_by_side(2) as run:
        assert run(call, 'ab') == [('a', 1), ('b', 1)]
        assert run(call, 'cd') == [('c', 1), ('d', 1)] and torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_one_is_the_thread_of_the_caller():
    with side_by_side(1) as run:
        assert run(lambda item: (item, threading.current_thread(), torch.get_num_threads()), [3, 4]) == [
            (3, threading.current_thread(), 2), (4, threading.current_thread(), 2)]


def test_errors_are_raised_and_threads_end():
    with pytest.raises(ZeroDivisionError), side_by_side(2) as run:
        run(lambda item: 1 / item, [1, 0])
    assert torch.get_num_threads() == 2
    assert not [thread for thread in threading.enumerate() if thread.name.startswith('side_by_side')]


ANOTHER = torch.device('mps')  # any device but a CPU; nothing is computed there


def test_a_gpu_finds_the_next_steps_drawn_by_another_thread():
    drawn, enough = [], threading.Event()

    def draw():
        for step in range(3 * AHEAD):
            drawn.append(threading.current_thread())
            if len(drawn) == AHEAD + 1:
                enough.set()
            yield step
    with drawn_ahead(draw(), ANOTHER) as ready:
        assert next(ready) == 0 and enough.wait(30)
        assert AHEAD < len(drawn) <= AHEAD + 2  # those that wait, the first, and one in the hand
        assert list(ready) == list(range(1, 3 * AHEAD))
    assert threading.current_thread() not in drawn and not any(thread.is_alive() for thread in drawn)


def test_a_cpu_draws_when_it_needs_them():
    drawn = []
    with drawn_ahead(map(lambda step: drawn.append(threading.current_thread()) or step, range(3)), torch.device('cpu')
                     ) as ready:
        assert next(ready) == 0
    assert drawn == [threading.current_thread()]


@pytest.mark.parametrize('error', [KeyboardInterrupt, ZeroDivisionError])
def test_the_thread_ends_with_the_block(error):
    before = set(threading.enumerate())
    with pytest.raises(error), drawn_ahead(iter(range(100)), ANOTHER) as ready:
        next(ready)
        raise error
    assert set(threading.enumerate()) <= before


def test_an_error_of_a_draw_is_raised_at_its_step():
    seen = []
    with pytest.raises(ZeroDivisionError), drawn_ahead(map(lambda step: 1 / (2 - step), range(5)), ANOTHER) as ready:
        for one in ready:
            seen.append(one)
    assert seen == [0.5, 1]


SGD = dict(type='SGD', lr=0.1)


class MeanLogit(nn.Module):
    """A loss whose gradient for the last bias is one in every step."""
    needs_adversary = needs_flow = per_frame = False

    def forward(self, prediction, batch):
        return prediction.logits.mean()


@pytest.fixture
def model(make_model, monkeypatch):
    monkeypatch.setitem(MODELS.module_dict, 'MeanLogit', MeanLogit)
    model = make_model(adversary=None, losses=dict(mean=dict(type='MeanLogit')))
    nn.init.zeros_(model.generator.decoder.to_logits.bias)
    return model


@pytest.mark.parametrize('share, expected', [
    (0, 5), (0.1, 5), (0.4, 4.5), (0.5, 4.5), (0.6, 4), (1, 3)])  # half of 5 steps is rounded to 2
def test_mean_of_the_last_steps(share, expected):
    module, mean = nn.Linear(1, 1), TailAverage(5, share)
    for step in range(5):
        nn.init.constant_(module.weight, step + 1)
        mean.add([module.weight], step)
    mean.give_to([module.weight])
    assert module.weight.item() == pytest.approx(expected)


@pytest.mark.parametrize('average, expected', [(0, -0.4), (0.25, -0.4), (0.5, -0.35), (1, -0.25)])
def test_fine_tuning_leaves_the_mean_worked_out_by_hand(model, square, average, expected):
    adapted = OnlineFinetuner(steps=4, optimizer=SGD, average=average).adapt(model, square)
    assert adapted.generator.decoder.to_logits.bias.item() == pytest.approx(expected, rel=1e-3)
    assert model.generator.decoder.to_logits.bias.item() == 0


def test_the_mean_changes_no_step(make_model, square):
    model = make_model()
    last, before_last, mean = (OnlineFinetuner(steps=steps, average=average).adapt(model, square)
                               for steps, average in ((4, 0), (3, 0), (4, 0.5)))
    assert mean.losses == last.losses and mean.losses[:3] == before_last.losses
    weights = [dict(found.generator.named_parameters()) for found in (last, before_last, mean)]
    for name, value in weights[2].items():
        expected = (weights[0][name].double() + weights[1][name].double()) / 2
        assert torch.allclose(value.double(), expected, rtol=1e-5, atol=1e-8), name
        assert not torch.equal(value, weights[0][name]), name


def test_a_folded_copy_answers_the_same_and_keeps_frozen_what_was():
    module = nn.Sequential(nn.Conv2d(1, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU(),
                           nn.Sequential(nn.Conv2d(4, 2, 3), nn.BatchNorm2d(2)), nn.Conv2d(2, 1, 1))
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.weight)
    module[0].requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    found = folded(module)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in found.modules())
    assert required(found) == {'3.0.weight', '3.0.bias', '4.weight', '4.bias'}
    x = torch.randn(2, 1, 9, 9)
    torch.testing.assert_close(found(x), module.eval()(x), rtol=1e-4, atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize('favoured, expected', [
    ((False, False, False), 'abcabc'), ((True, True, True), 'abcabc'), ((False, False, True), 'cacbca'),
    ((False, True, True), 'bacaba')])
def test_every_second_clip_is_a_favoured_one(favoured, expected):
    clips = in_turn('abc', favoured)
    assert ''.join(next(clips) for _ in range(6)) == expected
