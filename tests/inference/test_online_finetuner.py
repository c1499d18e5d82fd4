import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.registry import MODELS, TASK_UTILS, TRANSFORMS

ADAM = dict(type='Adam', lr=0.01)


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
        needs_adversary, per_frame, calls = False, False, 0

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


def test_loss_goes_down_on_a_simple_sequence(make_model, make_sequence):
    model = make_model(adversary=None, losses=dict(bce=dict(type='BCELoss', loss_weight=1.0)))
    report = OnlineFinetuner(steps=25, optimizer=ADAM).adapt(model, make_sequence())
    assert len(report.losses) == 25 and report.seconds > 0
    assert all(isinstance(loss, float) for loss in report.losses)
    assert np.mean(report.losses[-3:]) < 0.8 * np.mean(report.losses[:3])
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize('eval_mode', [True, False])
def test_restore_is_bit_exact(make_model, make_sequence, eval_mode):
    model = with_statistics(make_model())
    before = state(model)
    finetuner = OnlineFinetuner(steps=2, optimizer=ADAM, eval_mode=eval_mode)
    finetuner.adapt(model, make_sequence())
    assert not torch.equal(model.generator.decoder.to_logits.weight, before['generator.decoder.to_logits.weight'])
    finetuner.restore(model)
    assert_equal(model, before)
    finetuner.restore(model)  # nothing to undo
    assert_equal(model, before)


@pytest.mark.parametrize('eval_mode', [True, False])
def test_running_statistics(make_model, make_sequence, eval_mode):
    model = with_statistics(make_model())
    before = {name: value.clone() for name, value in model.generator.named_buffers()}
    OnlineFinetuner(steps=2, eval_mode=eval_mode).adapt(model, make_sequence())
    unchanged = [torch.equal(value, before[name]) for name, value in model.generator.named_buffers()]
    assert len(unchanged) == 30 and (all(unchanged) if eval_mode else not any(unchanged))


@pytest.mark.parametrize('eval_mode', [True, False])
def test_dropout(make_model, make_sequence, eval_mode):
    model, seen = make_model(), []
    model.generator.backbone.dropout.register_forward_pre_hook(lambda module, _: seen.append(module.training))
    OnlineFinetuner(steps=1, eval_mode=eval_mode).adapt(model, make_sequence())
    assert seen == [not eval_mode] and not model.generator.training


def test_adversary_is_untouched(make_model, make_sequence):
    model = make_model()
    before = state(model.adversary)
    OnlineFinetuner(steps=2, optimizer=ADAM).adapt(model, make_sequence())
    assert_equal(model.adversary, before)
    assert all(p.grad is None and p.requires_grad for p in model.adversary.parameters())


@pytest.mark.parametrize('num_frames, expected', [(1, [0, 0]), (2, [0, 1]), (3, [0, 1, 2])])
def test_frames_it_learns_from(make_model, make_sequence, monkeypatch, num_frames, expected):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: (
        results['frame_ids'], [int(mask.argmax()) for mask in results['gt_masks']],
        [field.shape for field in results['flow']]))
    sequence = make_sequence()
    OnlineFinetuner(steps=2, num_frames=num_frames, clips_per_step=2, pipeline=pipeline).adapt(make_model(), sequence)
    assert len(seen) == 4  # drawn anew for each copy in each step
    places = [int(sequence.masks[i].argmax()) for i in expected]
    assert all(entry == (expected, places, [(32, 48, 2)] * (len(expected) - 1)) for entry in seen)


@pytest.mark.parametrize('num_frames, frame_ids, expected', [
    (2, [3], [[3, 3]]),
    (2, [3, 0], [[0, 0], [3, 3]]),
    (2, [0, 1, 5, 6, 9], [[0, 1], [5, 6], [9, 9]]),
    (2, [4, 5, 6], [[4, 5], [5, 6]]),
    (1, [0, 1], [[0, 1]]),
    (3, [2, 3, 4, 5], [[2, 3, 4], [3, 4, 5]]),
])
def test_given_frames_anywhere_form_clips_that_take_turns(make_model, make_sequence, monkeypatch, num_frames, frame_ids,
                                                          expected):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: (
        results['frame_ids'], len(results['frames']), [field.any() for field in results['flow']]))
    model = make_model()
    monkeypatch.setattr(model.data_preprocessor, 'estimate_flow', lambda first, second: torch.ones(
        len(first), 2, *first.shape[2:]))
    steps = len(expected) + 1
    OnlineFinetuner(steps=steps, num_frames=num_frames, pipeline=pipeline).adapt(
        model, make_sequence(10), frame_ids=frame_ids)
    moving = [[len(set(clip)) > 1] * (len(clip) - 1) for clip in expected]
    assert seen == [(expected[i % len(expected)], len(expected[i % len(expected)]), moving[i % len(expected)])
                    for i in range(steps)]


@pytest.mark.parametrize('frame_ids, expected', [
    (None, [[0], [1], [0]]), ([3], [[3], [3], [3]]), ([5, 0, 1], [[0], [1], [5]])])
def test_losses_that_look_at_single_frames_get_them(make_model, make_sequence, monkeypatch, frame_ids, expected):
    seen, pipeline = spy_on_clips(monkeypatch, lambda results: results['frame_ids'])
    model = make_model()  # all terms of eq. 10, those between frames too
    finetuner = OnlineFinetuner(steps=3, pipeline=pipeline, leave_out=['itsd', 'iftl', 'l_iftl'])
    report = finetuner.adapt(model, make_sequence(10), frame_ids=frame_ids)
    assert seen == expected and len(report.losses) == 3


def test_the_first_frames_named_one_by_one_change_nothing(make_model, make_sequence):
    model, finetuner = make_model(), OnlineFinetuner(steps=2)
    reports = []
    for frame_ids in (None, [1, 0]):
        reports.append(finetuner.adapt(model, make_sequence(), frame_ids=frame_ids).losses)
        finetuner.restore(model)
    assert reports[0] == reports[1]


def test_no_frame_to_learn_from(make_model, make_sequence):
    with pytest.raises(ValueError, match='no frame to learn from'):
        OnlineFinetuner(steps=1).adapt(make_model(), make_sequence(), frame_ids=[])


def test_augmentation_comes_before_the_pipeline_and_is_drawn_for_each_copy(make_model, make_sequence, monkeypatch):
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
                    ).adapt(make_model(), make_sequence())
    assert order == [('augment', False), ('pipeline', True)] * 2


def test_flow_comes_once_from_the_models_provider(make_model, make_sequence, monkeypatch):
    model, calls = make_model(), []
    estimate = model.data_preprocessor.flow.estimate
    monkeypatch.setattr(model.data_preprocessor.flow, 'estimate', lambda *a: calls.append(1) or estimate(*a))
    OnlineFinetuner(steps=3).adapt(model, make_sequence())
    assert len(calls) == 1


def test_works_at_the_working_size(make_model, make_sequence):
    model, shapes = make_model(), []
    model.generator.register_forward_pre_hook(lambda _, args: shapes.append(tuple(args[0].shape)))
    OnlineFinetuner(steps=1).adapt(model, make_sequence(2, (64, 96)), size=32)
    assert shapes == [(2, 3, 32, 48)]


def test_every_step_is_told(make_model, make_sequence):
    steps = []
    OnlineFinetuner(steps=3).adapt(make_model(), make_sequence(), on_step=steps.append)
    assert steps == [1, 2, 3]


def test_losses_left_out_take_no_part(make_model, model_cfg, make_sequence):
    model, sequence = make_model(), make_sequence()
    whole, part = (OnlineFinetuner(steps=1, leave_out=names) for names in ((), ('bce', 'adv')))
    reports = []
    for finetuner in (whole, part):
        torch.manual_seed(0)
        reports.append(finetuner.adapt(model, sequence).losses[0])
        finetuner.restore(model)
    rest = {name: cfg for name, cfg in model_cfg['losses'].items() if name not in ('bce', 'adv')}
    only_rest = make_model(losses=rest)
    only_rest.load_state_dict(model.state_dict(), strict=False)
    torch.manual_seed(0)
    assert reports[1] == pytest.approx(OnlineFinetuner(steps=1).adapt(only_rest, sequence).losses[0], rel=1e-5)
    assert reports[1] < reports[0]


def test_leaving_out_an_unknown_loss(make_model, make_sequence):
    with pytest.raises(ValueError, match=r"leave_out names \['dice'\], but the losses of the model are \['adv', 'bce'"):
        OnlineFinetuner(steps=1, leave_out=['dice']).adapt(make_model(), make_sequence())
    without = make_model(losses=dict(bce=dict(type='BCELoss'), l1=None))
    assert len(OnlineFinetuner(steps=1, leave_out=['l1']).adapt(without, make_sequence()).losses) == 1


def test_no_steps_change_nothing(make_model, make_sequence):
    model = make_model()
    before = state(model)
    report = TASK_UTILS.build(dict(type='OnlineFinetuner', steps=0)).adapt(model, make_sequence())
    assert report.losses == []
    assert_equal(model, before)


def test_missing_annotation_and_mask_without_object(make_model, make_sequence):
    model, sequence = make_model(), make_sequence()
    finetuner = OnlineFinetuner(steps=1)
    before = state(model)
    sequence.masks[1] = None
    with pytest.raises(ValueError, match='frame 1 is to be given, but that frame is not annotated'):
        finetuner.adapt(model, sequence)
    sequence.masks[0] = np.zeros_like(sequence.masks[0])
    with pytest.raises(ValueError, match='mask of frame 0 has no object'):
        finetuner.adapt(model, sequence)
    assert_equal(model, before)
    finetuner.adapt(model, make_sequence())  # a refused sequence leaves nothing behind


def test_adapting_twice_is_refused(make_model, make_sequence):
    model, finetuner = make_model(), OnlineFinetuner(steps=1)
    finetuner.adapt(model, make_sequence())
    adapted = state(model)
    with pytest.raises(RuntimeError, match=r'already adapted: call restore\(model\)'):
        finetuner.adapt(model, make_sequence())
    assert_equal(model, adapted)
    finetuner.restore(model)
    finetuner.adapt(model, make_sequence())


def test_restored_after_an_exception_in_a_later_step(make_model, make_sequence, monkeypatch):
    def fail(loss, call):
        if call == 3:
            raise KeyboardInterrupt
        return loss
    model = with_statistics(make_model(**failing_loss(monkeypatch, fail)))
    before, finetuner = state(model), OnlineFinetuner(steps=5, optimizer=ADAM, eval_mode=False)
    with pytest.raises(KeyboardInterrupt):
        finetuner.adapt(model, make_sequence())
    assert_equal(model, before)
    assert not model.training


def test_a_loss_that_is_not_finite(make_model, make_sequence, monkeypatch):
    model = make_model(**failing_loss(monkeypatch, lambda loss, call: loss * (float('nan') if call == 2 else 1)))
    before, sequence = state(model), make_sequence()
    with pytest.raises(FloatingPointError, match=r'loss_failing.* not finite in online fine-tuning of square, step 1'):
        OnlineFinetuner(steps=5, optimizer=ADAM).adapt(model, sequence)
    assert_equal(model, before)


@pytest.mark.parametrize('arguments', [dict(steps=-1), dict(num_frames=0), dict(clips_per_step=0),
                                       dict(average=-0.1), dict(average=1.1), dict(average=float('nan'))])
def test_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match='average is a share and must be in' if 'average' in arguments else
                       'steps must be >= 0, num_frames and clips_per_step >= 1'):
        OnlineFinetuner(**arguments)


def test_what_ran_before_changes_nothing(make_model, make_sequence):
    model = make_model()
    finetuner = OnlineFinetuner(steps=2, augment=[dict(type='ClipRandomAffine')])

    def adapted(seed):
        losses = finetuner.adapt(model, make_sequence(), seed=seed).losses
        finetuner.restore(model)
        return losses
    first = adapted(0)
    torch.rand(7)
    assert adapted(0) == first
    assert adapted(1) != first
