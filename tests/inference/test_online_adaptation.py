import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from eager_adaptation import EagerAdaptation

from tempseg_mm.inference.online_adaptation import Lesson, OnlineAdaptation, TaughtObject
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.inference.walk import BACKWARDS, FORWARDS
from tempseg_mm.structures import SegmentedFrame

ADAM = dict(type='Adam', lr=0.003)
ALWAYS = dict(familiar=2, distractors=math.inf)
WINDOW = dict(type='ObjectWindow', size=(32, 48))


@pytest.fixture
def given(make_sequence, give):
    """Eight frames; objects 2 and 5 are given in frame 2."""
    sequence = give(make_sequence(8), (2,), 2)
    sequence.labels[2][2:6, 2:6] = 5
    return sequence


@pytest.fixture
def segmenter(make_model, request):
    window = getattr(request, 'param', WINDOW)
    augment = [dict(type='ClipObjectWindow', window=window)] if window else []
    return Segmenter(make_model(window=window).eval(),
                     finetuner=OnlineFinetuner(steps=3, optimizer=ADAM, augment=augment),
                     adaptation=EagerAdaptation(interval=2, steps=2, optimizer=ADAM, **ALWAYS))


def found_by(segmenter, given, adapted, **settings):
    """Frame number -> probabilities, by direction."""
    return {direction: {frame.frame_id: frame.probabilities for frame in frames if frame.probabilities is not None}
            for direction, frames in segmenter.walk(given, adapted, **settings)}


def weights(adapted):
    return {i: {name: value.clone() for name, value in found.trained.state_dict().items()}
            for i, found in adapted.items()}


@pytest.mark.parametrize('segmenter', [None, WINDOW], indirect=True, ids=['whole frames', 'windows'])
def test_masks_change_after_the_first_adaptation_and_what_was_learnt_of_given_masks_stays(segmenter, given):
    adapted = segmenter.adapt(given)
    before = weights(adapted)
    found = found_by(segmenter, given, adapted)
    plain = found_by(replace(segmenter, adaptation=None), given, adapted)
    for i, probabilities in plain[FORWARDS].items():
        assert np.array_equal(probabilities, found[FORWARDS][i]) == (i <= 4)  # given in 2, adapted after 4 and 6
    assert all(np.array_equal(plain[BACKWARDS][i], found[BACKWARDS][i]) for i in (1, 0))
    for i, state in weights(adapted).items():
        assert all(torch.equal(value, before[i][name]) for name, value in state.items())
    again = found_by(segmenter, given, adapted)
    assert all(np.array_equal(again[FORWARDS][i], value) for i, value in found[FORWARDS].items())


def test_forwards_starts_from_the_given_masks_whatever_was_learnt_backwards(segmenter, make_sequence, give):
    given = give(make_sequence(8), (5,), 2)
    adapted = segmenter.adapt(given)
    both = found_by(segmenter, given, adapted)
    frames = dict(segmenter.walk(given, adapted))[FORWARDS]
    alone = {frame.frame_id: frame.probabilities for frame in frames if frame.probabilities is not None}
    assert all(np.array_equal(both[FORWARDS][i], value) for i, value in alone.items())
    plain = found_by(replace(segmenter, adaptation=None), given, adapted)
    assert not np.array_equal(both[BACKWARDS][0], plain[BACKWARDS][0])


def test_every_second_step_learns_from_the_last_lessons(segmenter, given, monkeypatch):
    asked, adapt = [], segmenter.finetuner.adapt
    adapted = segmenter.adapt(given)

    def seen(self, model, taught, *, parent, steps, focus, **settings):
        asked.append((taught.object_id, taught.frame_ids, sorted(focus), steps, self.optimizer['lr']))
        parents.append(parent)
        return adapt(model, taught, parent=parent, steps=steps, focus=focus, **settings)
    parents = []
    monkeypatch.setattr(OnlineFinetuner, 'adapt', seen)
    segmenter.adaptation = EagerAdaptation(interval=1, steps=2, **ALWAYS)
    list(dict(segmenter.walk(given, adapted))[FORWARDS])
    of_2 = [entry for entry in asked if entry[0] == 2]
    assert [entry[1:3] for entry in of_2] == [
        ([2, 3], [3]), ([2, 3, 4], [3, 4]), ([2, 3, 4, 5], [3, 4, 5]), ([2, 4, 5, 6], [4, 5, 6]),
        ([2, 5, 6, 7], [5, 6, 7])]
    assert {entry[3:] for entry in asked} == {(2, 0.001)} and segmenter.finetuner.optimizer['lr'] == 0.003
    assert parents[0] is adapted[2].trained and parents[2] is not adapted[2].trained


@pytest.mark.parametrize('stopped', [2, 4, 5, 6])
def test_resuming_forwards_is_the_same_bit_for_bit(segmenter, given, stopped, tmp_path):
    adapted = segmenter.adapt(given)
    whole = list(dict(segmenter.walk(given, adapted))[FORWARDS])
    state = RunState(tmp_path / 's', {})
    state.begin()
    state.note(whole[stopped].snapshot, lambda: None)
    state.write()
    resumed = RunState(tmp_path / 's', {})
    assert resumed.load() and sorted(resumed.snapshot.learnt) == ([2, 5] if stopped >= 4 else [])
    again = list(dict(segmenter.walk(given, adapted, state=resumed))[FORWARDS])
    for before, now in zip(whole[stopped + 1:], again[stopped + 1:], strict=True):
        np.testing.assert_array_equal(before.probabilities, now.probabilities)


@pytest.mark.parametrize('segmenter', [None, WINDOW], indirect=True, ids=['whole frames', 'windows'])
def test_resuming_backwards_is_the_same_bit_for_bit(segmenter, make_sequence, give, tmp_path):
    given = give(make_sequence(8), (7,), 2)
    adapted = segmenter.adapt(given)
    whole = found_by(segmenter, given, adapted)
    frames = dict(segmenter.walk(given, adapted))[BACKWARDS]
    state = RunState(tmp_path / 's', {})
    state.begin()
    state.note(next(frame.snapshot for frame in frames if frame.frame_id == 4), lambda: None)
    again = found_by(segmenter, given, adapted, state=state)
    assert sorted(again[BACKWARDS]) == [0, 1, 2, 3]
    for direction in (BACKWARDS, FORWARDS):
        assert all(np.array_equal(whole[direction][i], value) for i, value in again[direction].items())


def test_given_frames_and_frames_before_the_first_are_not_learnt_from(segmenter, make_sequence, give, monkeypatch):
    learnt = []
    monkeypatch.setattr(EagerAdaptation, 'lesson', lambda self, frame, *_, **__: learnt.append(frame.frame_id))
    segmenter.adaptation = EagerAdaptation(interval=1)
    given = give(make_sequence(6), (2, 4), 2)
    list(segmenter.segment(given))
    assert learnt == [1, 0, 3, 5]


def test_after_a_correction_the_masks_of_a_person_count(make_sequence, give):
    given = give(make_sequence(6), (3,), 2)
    given.remembered = {0: 2 * given.sequence.masks[0], 1: 5 * given.sequence.masks[1]}
    lesson = Lesson(given.given_image(4), given.sequence.masks[4], given.sequence.masks[4])
    taught = TaughtObject(given, 2, {4: lesson})
    assert taught.frame_ids == [0, 3, 4]
    given.remembered = {0: 2 * given.sequence.masks[0], 3: 2 * given.sequence.masks[2]}
    np.testing.assert_array_equal(TaughtObject(given, 2, {}).mask(3), given.sequence.masks[2])
    assert taught.frame(4) is lesson.image and taught.mask(4) is lesson.mask and taught.void(4) is lesson.void
    assert taught.void(0) is None and taught.shown(4) == pytest.approx(1)


def frame_of(probability):
    return SegmentedFrame('s', 5, '00005', np.zeros((*probability.shape, 3), np.uint8), probabilities=probability[None])


@pytest.fixture
def known(make_sequence, give):
    return TaughtObject(give(make_sequence(6), (0,)), 1, {})  # 12x14 pixels


@pytest.fixture
def probability():
    """A sure object of 12x14 pixels with a less sure border of one pixel, and a doubtful pixel beside it."""
    found = np.zeros((32, 48), np.float32)
    found[10:22, 10:24] = 0.8
    found[11:21, 11:23] = 0.99
    found[16, 25] = 0.4
    return found


def test_a_lesson_says_what_is_sure(known, probability):
    lesson = OnlineAdaptation(far=0.25).lesson(frame_of(probability), 1, known, usual=0.9)
    np.testing.assert_array_equal(lesson.mask, probability > 0.5)
    rows, columns = np.mgrid[:32, :48]
    distance = np.hypot(np.maximum(0, np.maximum(10 - rows, rows - 21)),
                        np.maximum(0, np.maximum(10 - columns, columns - 23)))
    assert not lesson.void[probability > 0.9].any() and lesson.void[probability == 0.8].all()
    assert lesson.void[(distance > 0) & (distance < 3)].all()  # a quarter of √168 is 3.24
    assert not lesson.void[distance > 3.7].any()
    assert lesson.mask.dtype == lesson.void.dtype == np.uint8


@pytest.mark.parametrize('spoilt', ['empty', 'doubtful', 'far too small'])
def test_no_lesson_where_the_network_is_not_sure(known, probability, spoilt):
    if spoilt == 'empty':
        probability[:] = 0
    elif spoilt == 'doubtful':
        probability[:, 26:] = 0.1
    else:
        probability[:] = 0
        probability[10:12, 10:14] = 0.99
    assert OnlineAdaptation().lesson(frame_of(probability), 1, known, usual=0.9) is None


def test_a_lesson_is_learnt_and_its_void_is_not(make_model, make_sequence, give):
    given = give(make_sequence(6), (0,))
    segmenter = Segmenter(make_model().eval(), finetuner=OnlineFinetuner(optimizer=dict(type='Adam', lr=0.01)))
    image, mask = given.sequence.frames[5], given.sequence.masks[5].copy()
    mask[:16] = 0  # the upper half of the object counts as background, or is void

    class OnlyTheLesson(TaughtObject):
        frame_ids = [5]

    def found(void):
        taught = OnlyTheLesson(given, 1, {5: Lesson(image, mask, void)})
        adapted = segmenter.finetuned(taught, segmenter.finetuner, parent=segmenter.model.generator, steps=60)
        propagator = generator_propagator(segmenter.model, {1: adapted.generator})
        propagator.start(image, given.sequence.masks[5])
        shown, upper = given.sequence.masks[5] > 0, np.mgrid[:32, :48][0] < 16
        probabilities = propagator.step(image)[0]
        return probabilities[shown & ~upper].mean(), probabilities[shown & upper].mean()
    lower, upper = found(np.zeros_like(mask))
    lower_too, upper_void = found((np.mgrid[:32, :48][0] < 16).astype(np.uint8))
    assert min(lower, lower_too) > 0.5 > upper and upper_void > upper + 0.2


def test_what_the_network_finds_alone_is_not_learnt(segmenter, given, monkeypatch):
    adapted = segmenter.adapt(given)
    segmenter.adaptation = EagerAdaptation(interval=2, familiar=0, distractors=math.inf)
    monkeypatch.setattr(OnlineFinetuner, 'adapt', lambda *_, **__: pytest.fail('it learns'))
    *_, last = dict(segmenter.walk(given, adapted))[FORWARDS]
    assert sorted(last.snapshot.learnt[2]['lessons']) == [4, 6]


@pytest.fixture
def beside(monkeypatch):
    """Function of image and mask that says how much is beside an object; what it saw."""
    def set_up(answer):
        asked = []

        def distractors(segmenter, generator, image, mask):
            asked.append(generator)
            return answer(image, mask)
        monkeypatch.setattr('tempseg_mm.inference.online_adaptation.distractors', distractors)
        return asked
    return set_up


def test_an_object_among_others_of_its_kind_is_left_alone(segmenter, given, beside):
    adapted = segmenter.adapt(given)
    segmenter.adaptation = EagerAdaptation(interval=2, steps=1, familiar=2)
    asked = beside(lambda image, mask: 1.0 if np.array_equal(mask, given.labels[2] == 5) else 0.9)
    plain = found_by(replace(segmenter, adaptation=None), given, adapted)[FORWARDS]
    *_, last = dict(segmenter.walk(given, adapted))[FORWARDS]
    assert sorted(last.snapshot.learnt) == [2] and set(asked) == {segmenter.model.generator}
    assert np.array_equal(last.probabilities[1] > 0.5, plain[7][1] > 0.5)
    assert not np.array_equal(last.probabilities[0], plain[7][0])


def test_nothing_is_learnt_from_a_frame_with_others_of_its_kind(segmenter, make_sequence, give, beside):
    sequence = make_sequence(8)
    given = give(sequence, (2,), 2)
    adapted = segmenter.adapt(given)
    segmenter.adaptation = EagerAdaptation(interval=2, steps=1, familiar=2)
    asked = beside(lambda image, mask: float(np.array_equal(image, sequence.frames[4])))
    *_, last = dict(segmenter.walk(given, adapted))[FORWARDS]
    assert list(last.snapshot.learnt[2]['lessons']) == [6] and len(asked) == 3  # in the given frame, 4 and 6


@pytest.mark.parametrize('setting, message', [
    (dict(interval=0), 'interval of OnlineAdaptation must be at least 1, got 0'), (dict(steps=0), 'steps of'),
    (dict(clips_per_step=0), 'clips_per_step of'),
    (dict(sure=0.4), 'sure of OnlineAdaptation must be from 0.5 to 1, got 0.4'), (dict(sure=1.1), 'sure of'),
    (dict(far=-1), 'far of'), (dict(familiar=-1), 'familiar of'), (dict(rate=-1), 'rate of'),
    (dict(distractors=-1), 'distractors of')])
def test_settings_out_of_range(setting, message):
    with pytest.raises(ValueError, match=message):
        OnlineAdaptation(**setting)


def test_the_rate_is_relative_to_that_of_the_fine_tuner():
    finetuner, adaptation = OnlineFinetuner(clips_per_step=3, optimizer=ADAM), OnlineAdaptation(rate=0.5)
    found = adaptation.settled(finetuner)
    assert found.optimizer == dict(type='Adam', lr=0.0015, eps=0.01) and found.clips_per_step == 1
    assert finetuner.optimizer == ADAM and finetuner.clips_per_step == 3
    assert OnlineAdaptation(optimizer=dict(lr=7)).settled(finetuner).optimizer == dict(type='Adam', lr=7)
    finetuner.optimizer = dict(type='SGD', lr=0.5)
    assert adaptation.settled(finetuner).optimizer == dict(type='SGD', lr=0.25)  # it has no eps
    finetuner.optimizer = dict(type='Adam')
    with pytest.raises(ValueError, match='config has no lr: add it, or set optimizer=dict'):
        adaptation.settled(finetuner)
