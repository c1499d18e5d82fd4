import copy

import numpy as np
import pytest
import torch

from tempseg_mm.inference.given_fit import GivenFit
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.tta import TTA, TestTimeAugmentation


@pytest.fixture
def given(make_sequence, give):
    """Six frames with the masks of objects 2 and 5 in frame 2."""
    sequence = give(make_sequence(6), (2,), 2)
    sequence.labels[2][2:6, 2:6] = 5
    return sequence


@pytest.fixture
def segmenter(make_model):
    return Segmenter(make_model().eval(), finetuner=OnlineFinetuner(steps=2, optimizer=dict(type='Adam', lr=0.01)))


class Refiner:
    """Writes down what it sees and replaces the probabilities; ``ahead``: reads all before it answers."""

    def __init__(self, change=lambda probabilities: probabilities, ahead=False):
        self.change, self.ahead, self.seen, self.closed = change, ahead, [], 0

    def refine_masks(self, segmenter, stream):
        self.seen.append([])
        for frame in list(stream) if self.ahead else stream:
            self.seen[-1].append(frame.frame_id)
            frame.probabilities = self.change(frame.probabilities)
            yield frame

    def close(self):
        self.closed += 1


def weight(generator):
    return generator.decoder.to_logits.weight.detach().clone()


def test_a_generator_per_object_and_steps_counted_over_all(segmenter, given):
    before, heard = weight(segmenter.model.generator), []
    adapted = segmenter.adapt(given, on_step=lambda done, total: heard.append((done, total)))
    assert list(adapted) == [2, 5] and heard == [(i, 4) for i in (1, 2, 3, 4)]
    assert not torch.equal(weight(adapted[2].generator), weight(adapted[5].generator))
    assert torch.equal(weight(segmenter.model.generator), before)


def test_each_object_is_told_what_it_gained_and_nothing_changes_by_that(segmenter, given, monkeypatch):
    adapted = segmenter.adapt(given)
    assert {object_id: found.fit.num_masks for object_id, found in adapted.items()} == {2: 1, 5: 1}
    assert all(0 <= value <= 1 for found in adapted.values() for value in (found.fit.before, found.fit.after))
    with_it = [frame.probabilities for frame in segmenter.segment(given) if frame.probabilities is not None]
    monkeypatch.setattr('tempseg_mm.inference.segmenter.fit_on_given', lambda *args, **settings: None)
    without = [frame.probabilities for frame in segmenter.segment(given) if frame.probabilities is not None]
    assert len(with_it) == 6
    assert all(np.array_equal(a, b) for a, b in zip(with_it, without, strict=True))
    segmenter.finetuner.steps = 0
    assert segmenter.adapt(given)[2].fit is None and segmenter.adapt(given)[2].summary == ''


def test_an_object_that_is_hard_to_learn_gets_more_steps(segmenter, given, tmp_path, monkeypatch):
    segmenter.finetuner = OnlineFinetuner(steps=(2, 5), optimizer=segmenter.finetuner.optimizer)
    reached = iter((0.3, 0.89, 0.9, 0.95))  # object 2 needs three rounds, of which the last is short
    monkeypatch.setattr('tempseg_mm.inference.segmenter.fit_on_given', lambda *args, **settings: GivenFit(
        1, 0.1, next(reached)))
    state, heard, names = RunState(tmp_path / 's', {}), [], []
    state.begin()
    plainly = segmenter.finetuner.adapt
    monkeypatch.setattr(segmenter.finetuner, 'adapt', lambda model, given, **settings: names.append(given.name) or
                        plainly(model, given, **settings))
    adapted = segmenter.adapt(given, state=state, on_step=lambda done, total: heard.append((done, total)))
    assert [len(adapted[i].losses) for i in (2, 5)] == [5, 2] and adapted[2].fit.after == 0.9
    assert heard == [(1, 4), (2, 4), (3, 6), (4, 6), (5, 7), (6, 7), (7, 7)]
    assert names == ['square', 'square, step 3', 'square, step 5', 'square']  # each draws other windows
    assert adapted[2].seconds > adapted[5].seconds
    again = segmenter.adapt(given, state=state)
    assert [(len(again[i].losses), again[i].fit) for i in (2, 5)] == [(5, adapted[2].fit), (2, adapted[5].fit)]
    assert torch.equal(weight(again[2].generator), weight(adapted[2].generator))


def test_there_is_an_end_to_the_steps_and_none_are_added_by_default_or_to_a_correction(segmenter, given, monkeypatch):
    monkeypatch.setattr('tempseg_mm.inference.segmenter.fit_on_given', lambda *args, **settings: GivenFit(1, 0, 0.1))
    assert len(segmenter.adapt(given)[2].losses) == 2
    segmenter.finetuner = OnlineFinetuner(steps=(2, 4), optimizer=segmenter.finetuner.optimizer)
    adapted = segmenter.adapt(given)
    assert len(adapted[2].losses) == 4
    assert len(segmenter.correct(given, adapted, [2])[2].losses) == 1


def test_without_fine_tuning_it_is_the_model_s_own_generator(make_model, given):
    model = make_model().eval()
    weights = copy.deepcopy(model.generator.state_dict())
    frames, references = torch.randn(1, 3, 32, 48), torch.rand(1, 1, 32, 48)
    for found in Segmenter(model).adapt(given).values():
        torch.testing.assert_close(found.generator(frames, references), model.generator(frames, references))
    assert all(torch.equal(weights[name], value) for name, value in model.generator.state_dict().items())


def test_what_was_adapted_before_is_not_adapted_again(segmenter, given, tmp_path):
    state = RunState(tmp_path / 's', {})
    state.begin()

    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        segmenter.adapt(given, state=state, on_step=stop)
    heard = []
    adapted = segmenter.adapt(given, state=state, on_step=lambda done, total: heard.append(done))
    assert heard == [3, 4]
    fresh = segmenter.adapt(given)
    for object_id in (2, 5):
        assert torch.equal(weight(adapted[object_id].generator), weight(fresh[object_id].generator))
        assert adapted[object_id].losses == fresh[object_id].losses


def test_backwards_then_all_frames_each_with_its_labels(segmenter, given):
    frames = list(segmenter.segment(given))
    assert [frame.frame_id for frame in frames] == [1, 0, 0, 1, 2, 3, 4, 5]
    for frame in (*frames[:2], *frames[5:]):
        np.testing.assert_array_equal(frame.labels, frame.answer)
    assert all(frame.labels is None for frame in frames[2:4])  # known from the way back
    np.testing.assert_array_equal(frames[4].labels, given.labels[2])


def test_refiners_see_what_was_segmented_and_given_masks_stay(segmenter, given):
    refiner = Refiner(np.ones_like)
    segmenter.refiners = (refiner,)
    frames = list(segmenter.segment(given))
    assert refiner.seen == [[1, 0], [2, 3, 4, 5]]
    np.testing.assert_array_equal(frames[4].labels, given.labels[2])
    assert (frames[5].probabilities == 1).all() and (frames[5].network_probabilities < 1).all()
    assert all((frame.labels == 2).all() for frame in (*frames[:2], *frames[5:]))  # two ones: the first of them
    segmenter.close()
    assert refiner.closed == 1


def test_a_refiner_is_not_called_where_there_is_nothing_to_refine(segmenter, make_sequence, give):
    refiner = Refiner()
    segmenter.refiners = (refiner,)
    list(segmenter.segment(give(make_sequence(6), (0,), 2)))
    assert refiner.seen == [[0, 1, 2, 3, 4, 5]]


def test_refiners_follow_one_another_and_may_look_ahead(segmenter, given):
    order = []
    first, second = Refiner(lambda p: order.append('first') or p, ahead=True), Refiner(lambda p: order.append('2') or p)
    segmenter.refiners = (first, second)
    list(segmenter.refine(dict(segmenter.walk(given, segmenter.adapt(given)))['backwards']))
    assert order[:4] == ['first', '2', 'first', '2'] or order[:4] == ['first', 'first', '2', '2']


def test_a_walk_that_is_abandoned_closes_every_stage(segmenter, given):
    closed = []

    class Watch(Refiner):
        def refine_masks(self, segmenter, stream):
            try:
                yield from stream
            finally:
                closed.append(True)
    segmenter.refiners = (Watch(),)
    frames = segmenter.segment(given)
    next(frames)
    frames.close()
    assert closed == [True]


def test_augmentation_in_both_senses(segmenter, given, monkeypatch):
    shapes, asked = [], []
    segmenter.model.generator.register_forward_pre_hook(lambda _, args: shapes.append(len(args[0])))
    adapt = segmenter.finetuner.adapt
    monkeypatch.setattr(segmenter.finetuner, 'adapt', lambda *a, augment=None, **k: asked.append(augment) or adapt(
        *a, augment=augment, **k))
    segmenter.tta = TTA([dict(type='ClipPhotometric')], TestTimeAugmentation())
    adapted = segmenter.adapt(given)
    assert [type(t).__name__ for t in asked[0].transforms] == ['ClipPhotometric']
    shapes.clear()
    for _, frames in segmenter.walk(given, adapted):
        list(frames)
    assert set(shapes) == {2}  # a frame and its mirror image in one batch


def test_hooks_set_it_up_in_order(make_model):
    class SetUp:
        def set_up_segmenter(self, segmenter):
            segmenter.finetuner = 'mine'
    refiner, other = Refiner(), object()
    segmenter = Segmenter.with_hooks(make_model(), [SetUp(), other, refiner], size=64)
    assert (segmenter.finetuner, segmenter.refiners, segmenter.size) == ('mine', (refiner,), 64)


def test_a_correction_goes_on_from_what_was_learnt_and_leaves_other_objects_alone(segmenter, make_sequence, give):
    segmenter.finetuner.steps = 6
    given = give(make_sequence(6), (2,), 2)
    given.labels[2][2:6, 2:6] = 5
    adapted, heard, starts = segmenter.adapt(given), [], []
    given.labels[4] = 2 * given.sequence.masks[4]
    given.labels[4][2:6, 30:34] = 7

    def adapt(model, given, *, parent, **settings):
        starts.append((given.object_id, parent, settings['steps'], tuple(settings['focus'])))
        return plainly(model, given, parent=parent, **settings)
    plainly, segmenter.finetuner.adapt = segmenter.finetuner.adapt, adapt
    corrected = segmenter.correct(given, adapted, [4], on_step=lambda done, total: heard.append((done, total)))
    assert starts == [(2, adapted[2].trained, 3, (4,)), (7, segmenter.model.generator, 6, ())]
    assert heard == [(i, 9) for i in range(1, 10)]
    assert corrected[5] is adapted[5] and sorted(corrected) == [2, 5, 7]
    assert not torch.equal(weight(corrected[2].generator), weight(adapted[2].generator))
    assert corrected[2].fit.num_masks == 2 and len(corrected[2].losses) == 3


def test_without_fine_tuning_a_correction_adapts_nothing(make_model, given):
    segmenter = Segmenter(make_model().eval())
    adapted = segmenter.adapt(given)
    assert segmenter.correct(given, adapted, [2]) == adapted


def test_an_object_that_hides_in_the_first_given_frame_is_looked_for(segmenter, make_sequence, give):
    given = give(make_sequence(4), (1,), 2)
    given.hidden = (3,)
    adapted = {i: found for i, found in zip((2, 3), 2 * list(segmenter.adapt(given).values()), strict=True)}
    frames = [frame for _, frames in segmenter.walk(given, adapted) for frame in frames]
    assert frames[-1].probabilities[1].any()
    given.hidden = ()
    frames = [frame for _, frames in segmenter.walk(given, adapted) for frame in frames]
    assert not frames[-1].probabilities[1].any()
