import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from torch import nn

from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.models.compute import Compute
from tempseg_mm.registry import MODELS, TASK_UTILS, TRANSFORMS

ADAM = dict(type='Adam', lr=0.01)


@pytest.fixture
def square(make_sequence, give):
    """The object of a sequence whose first frames are given."""
    def make(frame_ids=(0, 1), object_id=1, num_frames=4, size=(32, 48)):
        return GivenObject(give(make_sequence(num_frames, size), frame_ids, object_id), object_id)
    return make


def state(module):
    return {name: value.clone() for name, value in module.state_dict().items()}


def assert_equal(module, before):
    now = module.state_dict()
    assert now.keys() == before.keys()
    assert [name for name in now if not torch.equal(now[name], before[name])] == []


def with_statistics(model):
    """Running statistics unlike those of a new network, so that touching them shows."""
    for module in model.generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            module.num_batches_tracked.fill_(7)
    return model


def failing_loss(monkeypatch, fail):
    class Failing(nn.Module):
        needs_adversary, needs_flow, per_frame, calls = False, False, False, 0

        def forward(self, prediction, batch):
            self.calls += 1
            return fail(prediction.logits.mean(), self.calls)
    monkeypatch.setitem(MODELS.module_dict, 'Failing', Failing)
    return dict(adversary=None, losses=dict(failing=dict(type='Failing')))


def spy_on_clips(monkeypatch, look):
    """A pipeline that lists what ``look`` finds in each clip."""
    seen = []

    class Spy:
        def __call__(self, results):
            seen.append(look(results))
            return results
    monkeypatch.setitem(TRANSFORMS.module_dict, 'Spy', Spy)
    return seen, [dict(type='Spy'), dict(type='PackClip')]


def test_loss_goes_down_on_a_simple_sequence(make_model, square):
    model = make_model(adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    adapted = OnlineFinetuner(steps=25, optimizer=ADAM).adapt(model, square())
    assert len(adapted.losses) == 25 and adapted.seconds > 0
    assert all(isinstance(loss, float) for loss in adapted.losses)
    assert np.mean(adapted.losses[-3:]) < 0.8 * np.mean(adapted.losses[:3])
    assert not any(module.training for module in adapted.generator.modules())
    assert not any(parameter.requires_grad for parameter in adapted.generator.parameters())


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_the_model_stays_and_a_copy_is_adapted(make_model, square, mode):
    model = with_statistics(make_model())
    before = state(model)
    adapted = OnlineFinetuner(steps=2, optimizer=ADAM, mode=mode).adapt(model, square())
    assert not torch.equal(adapted.generator.decoder.to_logits.weight, model.generator.decoder.to_logits.weight)
    assert_equal(model, before)
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_running_statistics(make_model, square, mode):
    model = with_statistics(make_model())
    adapted = OnlineFinetuner(steps=2, mode=mode).adapt(model, square())
    before = dict(model.generator.named_buffers())
    unchanged = [torch.equal(value, before[name]) for name, value in adapted.generator.named_buffers()]
    assert len(unchanged) == 30 and (all(unchanged) if mode == 'eval' else not any(unchanged))


@pytest.mark.parametrize('mode', ['eval', 'train'])
def test_dropout(make_model, square, mode):
    model, seen = make_model(), []
    model.generator.backbone.dropout.register_forward_pre_hook(lambda module, _: seen.append(module.training))
    OnlineFinetuner(steps=1, mode=mode).adapt(model, square())
    assert seen == [mode == 'train']


def test_it_starts_from_the_parent_it_is_given(make_model, square):
    model, other = make_model(), make_model()
    adapted = OnlineFinetuner(steps=0).adapt(model, square(), parent=other.generator)
    assert_equal(adapted.generator, state(other.generator))


@pytest.mark.parametrize('given, frame_ids', [((0,), [0, 0]), ((0, 1), [0, 1])])
def test_frames_it_learns_from(make_model, square, monkeypatch, given, frame_ids):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: (
        results['frame_ids'], [int(mask.argmax()) for mask in results['gt_masks']],
        [field.shape for field in results['flow']]))
    object_ = square(given)
    OnlineFinetuner(steps=2, clips_per_step=2, pipeline=pipeline).adapt(make_model(), object_)
    assert len(seen) == 4  # drawn again for each copy in each step
    places = [int(object_.mask(i).argmax()) for i in frame_ids]
    assert all(entry == (frame_ids, places, [(32, 48, 2)]) for entry in seen)


@pytest.mark.parametrize('frame_ids, expected', [
    ([3], [[3, 3]]), ([3, 0], [[0, 0], [3, 3]]), ([0, 1, 5, 6, 9], [[0, 1], [5, 6], [9, 9]]),
    ([4, 5, 6], [[4, 5], [5, 6]]), ([2, 3, 4, 5], [[2, 3], [4, 5]])])
def test_given_frames_anywhere_form_clips_that_take_turns(make_model, square, monkeypatch, frame_ids, expected):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: (
        results['frame_ids'], len(results['frames']), [field.any() for field in results['flow']]))
    model = make_model()
    monkeypatch.setattr(model.data_preprocessor, 'estimate_flow', lambda first, second: torch.ones(
        len(first), 2, *first.shape[2:]))
    steps = len(expected) + 1
    OnlineFinetuner(steps=steps, pipeline=pipeline).adapt(model, square(frame_ids, num_frames=10))
    moving = [[len(set(clip)) > 1] * (len(clip) - 1) for clip in expected]
    assert seen == [(expected[i % len(expected)], len(expected[i % len(expected)]), moving[i % len(expected)])
                    for i in range(steps)]


@pytest.mark.parametrize('frame_ids, expected', [
    ((0, 1), [[0], [1], [0]]), ([3], [[3], [3], [3]]), ([5, 0, 1], [[0], [1], [5]])])
def test_losses_that_look_at_single_frames_get_them(make_model, square, monkeypatch, frame_ids, expected):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: results['frame_ids'])
    model = make_model()  # all terms of eq. 10, those between frames too
    finetuner = OnlineFinetuner(steps=3, pipeline=pipeline, leave_out=['itsd', 'iftl', 'l_iftl'])
    adapted = finetuner.adapt(model, square(frame_ids, num_frames=10))
    assert seen == expected and len(adapted.losses) == 3


@pytest.mark.parametrize('ends', [False, True])
def test_it_learns_from_the_frames_that_show_the_object_or_its_end(give, make_sequence, ends):
    sequence = give(make_sequence(31), (3, 9, 30), 2)  # it has left the picture in frame 30
    sequence.ends = ends
    for i, labels in sequence.labels.items():
        labels[0, 0] = 5 if i == 9 else 0
    assert GivenObject(sequence, 5).frame_ids == [9, 30][:1 + ends]
    assert GivenObject(sequence, 2).frame_ids == [3, 9, 30][:2 + ends]
    assert GivenObject(sequence, 5).mask(9).sum() == 1 and GivenObject(sequence, 5).name == 'square'


def test_no_frame_to_learn_from(make_model, give, make_sequence):
    with pytest.raises(ValueError, match='no frame to learn from'):
        OnlineFinetuner(steps=1).adapt(make_model(), GivenObject(give(make_sequence()), 7))


def test_neither_id_nor_other_objects_change_what_is_learnt(make_model, give, make_sequence):
    model, weights = make_model(), []
    finetuner = OnlineFinetuner(steps=2, optimizer=ADAM, augment=[dict(type='ClipRandomAffine')])
    for object_id, others in ((1, 0), (7, 0), (7, 2)):
        sequence = give(make_sequence(), (0, 1), object_id)
        for labels in sequence.labels.values():
            labels[:4] = others
        weights.append(state(finetuner.adapt(model, GivenObject(sequence, object_id), seed=3).generator))
    for other in weights[1:]:
        assert all(torch.equal(value, weights[0][name]) for name, value in other.items())


@pytest.mark.parametrize('instead', [None, Compose([])])
def test_augmentation_comes_before_the_pipeline_and_is_drawn_for_each_copy(make_model, square, monkeypatch, instead):
    order = []

    class Mark:
        def __init__(self, name):
            self.name = name

        def __call__(self, results):
            order.append((self.name, 'seen' in results))
            return dict(results, seen=True)
    monkeypatch.setitem(TRANSFORMS.module_dict, 'Mark', Mark)
    OnlineFinetuner(steps=1, clips_per_step=2, augment=[dict(type='Mark', name='augment')],
                    pipeline=[dict(type='Mark', name='pipeline'), dict(type='PackClip')]
                    ).adapt(make_model(), square(), augment=instead)
    own = [('augment', False), ('pipeline', True)] * 2
    assert order == (own if instead is None else [('pipeline', False)] * 2)


@pytest.mark.parametrize('changes, times', [({}, 1), (dict(generator=dict(reference_mask='none'), losses=dict(
    l1=dict(type='L1Loss'), iftl=dict(type='IFTLoss'))), 0)])
def test_flow_comes_once_from_the_models_provider_if_anything_reads_it(changes, times, make_model, square, monkeypatch):
    model, calls = make_model(**changes), []
    estimate = model.data_preprocessor.flow.estimate
    monkeypatch.setattr(model.data_preprocessor.flow, 'estimate', lambda *a: calls.append(1) or estimate(*a))
    OnlineFinetuner(steps=3).adapt(model, square())
    assert len(calls) == times


def test_works_at_the_working_size(make_model, square):
    model, shapes = make_model(), []
    model.generator.register_forward_pre_hook(lambda _, args: shapes.append(tuple(args[0].shape)))
    OnlineFinetuner(steps=1).adapt(model, square(size=(64, 96)), size=32)
    assert shapes == [(2, 3, 32, 48)]


def test_every_step_is_told(make_model, square):
    steps = []
    OnlineFinetuner(steps=3).adapt(make_model(), square(), on_step=steps.append)
    assert steps == [1, 2, 3]


def test_losses_left_out_take_no_part(make_model, model_cfg, square):
    model = make_model()
    whole, part = (OnlineFinetuner(steps=1, leave_out=names).adapt(model, square()).losses[0]
                   for names in ((), ('bce', 'adv')))
    rest = {name: cfg for name, cfg in model_cfg['losses'].items() if name not in ('bce', 'adv')}
    only_rest = make_model(losses=rest)
    only_rest.load_state_dict(model.state_dict(), strict=False)
    assert part == pytest.approx(OnlineFinetuner(steps=1).adapt(only_rest, square()).losses[0], rel=1e-5)
    assert part < whole


def test_leaving_out_an_unknown_loss(make_model, square):
    with pytest.raises(ValueError, match=r"leave_out names \['dice'\], but the model has the losses \['adv', 'bce'"):
        OnlineFinetuner(steps=1, leave_out=['dice']).adapt(make_model(), square())
    without = make_model(losses=dict(bce=dict(type='BCELoss'), l1=None))
    assert len(OnlineFinetuner(steps=1, leave_out=['l1']).adapt(without, square()).losses) == 1


def test_no_steps_change_nothing(make_model, square):
    model = make_model()
    adapted = TASK_UTILS.build(dict(type='OnlineFinetuner', steps=0)).adapt(model, square())
    assert adapted.losses == []
    assert_equal(adapted.generator, state(model.generator))


def test_an_exception_in_a_later_step_leaves_the_model_as_it_was(make_model, square, monkeypatch):
    def fail(loss, call):
        if call == 3:
            raise KeyboardInterrupt
        return loss
    model = with_statistics(make_model(**failing_loss(monkeypatch, fail)))
    before, finetuner = state(model), OnlineFinetuner(steps=5, optimizer=ADAM, mode='train')
    with pytest.raises(KeyboardInterrupt):
        finetuner.adapt(model, square())
    assert_equal(model, before)


def test_a_loss_that_is_not_finite(make_model, square, monkeypatch):
    model = make_model(**failing_loss(monkeypatch, lambda loss, call: loss * (float('nan') if call == 2 else 1)))
    before = state(model)
    with pytest.raises(FloatingPointError, match=r'loss_failing.* not finite in online fine-tuning of square, step 1'):
        OnlineFinetuner(steps=5, optimizer=ADAM).adapt(model, square())
    assert_equal(model, before)


@pytest.mark.parametrize('arguments', [
    dict(steps=-1), dict(steps=()), dict(steps=(4, 3)), dict(steps=(1, 2, 3)), dict(clips_per_step=0),
    dict(average=-0.1), dict(average=1.1), dict(average=float('nan'))])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match=f'{next(iter(arguments))} must be'):
        OnlineFinetuner(**arguments)


def test_what_ran_before_changes_nothing(make_model, square):
    model = make_model()
    finetuner = OnlineFinetuner(steps=2, augment=[dict(type='ClipRandomAffine')])
    first = finetuner.adapt(model, square(), seed=0).losses
    torch.rand(7)
    assert finetuner.adapt(model, square(), seed=0).losses == first
    assert finetuner.adapt(model, square(), seed=1).losses != first


@pytest.mark.parametrize('channels_last', ['never', 'auto', 'always'])
def test_a_generator_for_prediction_answers_the_same_without_normalisation(make_model, square, channels_last):
    model = make_model()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.running_var, 0.5, 2)
            torch.nn.init.normal_(layer.running_mean)
    adapted = OnlineFinetuner(steps=0).adapt(model, square())
    fast = adapted.for_prediction(Compute(channels_last=channels_last))
    kernel = next(p for p in fast.generator.parameters() if p.ndim == 4 and min(p.shape) > 1)
    assert kernel.is_contiguous(memory_format=torch.channels_last) == (channels_last != 'never')
    assert not any(isinstance(layer, torch.nn.BatchNorm2d) for layer in fast.generator.modules())
    assert any(isinstance(layer, torch.nn.BatchNorm2d) for layer in adapted.generator.modules())
    inputs = torch.randn(2, 3, 33, 47), torch.rand(2, 1, 33, 47)
    torch.testing.assert_close(fast.generator(*inputs), adapted.generator(*inputs), rtol=1e-3, atol=1e-4)
