import numpy as np
import pytest
import torch

from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.inference.walk import BACKWARDS, FORWARDS, Snapshot, Walk
from tempseg_mm.runtime.background import StageClock

FIRST_GIVEN, SECOND_GIVEN = 3, 6


@pytest.fixture
def given(make_sequence, give):
    """Nine frames, of which 3 and 6 are given."""
    return give(make_sequence(9), (FIRST_GIVEN, SECOND_GIVEN))


@pytest.fixture(params=[None, dict(type='ObjectWindow', size=(32, 48)),
                        dict(type='ObjectWindow', size=(32, 32), share=0.3, aspect=(2, 3))],
                ids=['whole frames', 'windows', 'shaped windows'])
def propagator(make_model, request):
    model = make_model(data_preprocessor=dict(type='VOSDataPreprocessor', flow=dict(type='DISFlow')),
                       window=request.param).eval()
    return generator_propagator(model, {1: None})


def by_hand(propagator, given, order):
    """Probabilities in an order of frames, without threads."""
    images = given.sequence.frames
    propagator.start(images[order[0]], given.labels[order[0]])
    found = {}
    for i in order[1:]:
        found[i] = propagator.step(images[i])
        if i in given.labels:
            propagator.correct(given.labels[i])
    return found


def test_backwards_from_the_first_given_frame(given, propagator):
    clock = StageClock()
    frames = list(Walk(given, propagator, clock=clock).backwards())
    assert [(frame.frame_id, frame.file_name) for frame in frames] == [(2, '00002'), (1, '00001'), (0, '00000')]
    expected = by_hand(propagator, given, [3, 2, 1, 0])
    for frame in frames:
        np.testing.assert_array_equal(frame.probabilities, expected[frame.frame_id])
        assert frame.labels is None and frame.answered and not frame.given
        assert (frame.snapshot.direction, frame.snapshot.frame_id) == (BACKWARDS, frame.frame_id)
    assert set(clock.seconds) == {'read', 'prepare', 'network'}


@pytest.mark.parametrize('ahead', [True, False])
def test_forwards_over_all_frames(given, propagator, ahead):
    frames = list(Walk(given, propagator, ahead=ahead).forwards())
    assert [frame.frame_id for frame in frames] == list(range(9))
    expected = by_hand(propagator, given, [3, 4, 5, 6, 7, 8])
    for frame in frames:
        assert (frame.sequence, frame.num_frames, frame.object_ids) == ('square', 9, (1,))
        assert frame.answered == (frame.frame_id > FIRST_GIVEN) and frame.given == (frame.frame_id in given.labels)
        if frame.frame_id < FIRST_GIVEN:
            assert frame.labels is None and frame.probabilities is None and frame.snapshot is None
            continue
        assert frame.snapshot.direction == FORWARDS
        np.testing.assert_array_equal(frame.labels, given.labels.get(frame.frame_id))
        answer = expected.get(frame.frame_id, given.labels[FIRST_GIVEN][None])
        np.testing.assert_array_equal(frame.probabilities, answer)
        assert frame.probabilities.dtype == np.float32


def test_a_test_wants_the_answer_on_later_given_frames(given, propagator):
    given.answer = lambda frame_id: given.labels[frame_id] if frame_id == FIRST_GIVEN else None
    frames = list(Walk(given, propagator).forwards())
    assert [frame.frame_id for frame in frames if frame.given] == [FIRST_GIVEN]
    assert frames[SECOND_GIVEN].labels is None and frames[SECOND_GIVEN].answered


def test_without_reading_ahead_each_frame_is_answered_before_the_next_is_read(given, propagator):
    given.start = FIRST_GIVEN
    for i, frame in zip(range(FIRST_GIVEN, 6), Walk(given, propagator, ahead=False).forwards()):
        assert given.sequence.reads == list(range(FIRST_GIVEN, i + 1)) and frame.frame_id == i


@pytest.mark.parametrize('stopped', [3, 4, 6, 8])
def test_resuming_forwards_is_the_same_bit_for_bit(given, propagator, stopped):
    whole = list(Walk(given, propagator).forwards())
    after = whole[stopped].snapshot
    assert list(Walk(given, propagator, after=after).backwards()) == []
    again = list(Walk(given, propagator, after=after).forwards())
    assert len(again) == 9
    for before, now in zip(whole[stopped + 1:], again[stopped + 1:], strict=True):
        np.testing.assert_array_equal(before.probabilities, now.probabilities)
    for frame in again[:stopped + 1]:
        assert frame.probabilities is None and frame.snapshot is None
        assert frame.given == (frame.frame_id in given.labels) and frame.given == (frame.labels is not None)


def test_resuming_backwards_is_the_same_bit_for_bit(given, propagator):
    whole = list(Walk(given, propagator).backwards())
    again = list(Walk(given, propagator, after=whole[0].snapshot).backwards())
    assert [frame.frame_id for frame in again] == [1, 0]
    for before, now in zip(whole[1:], again, strict=True):
        np.testing.assert_array_equal(before.probabilities, now.probabilities)
    assert list(Walk(given, propagator, after=Snapshot(BACKWARDS, 0, {})).backwards()) == []
    assert len(list(Walk(given, propagator, after=whole[0].snapshot).forwards())) == 9


def test_annotations_come_with_the_frames(given, propagator, monkeypatch):
    monkeypatch.setattr(type(given), 'truth', lambda self, frame: self.sequence.annotation(frame.frame_id))
    for frame in Walk(given, propagator).forwards():
        np.testing.assert_array_equal(frame.gt_labels, given.sequence.masks[frame.frame_id])


def test_an_error_of_the_source_is_raised_in_its_place(given, propagator, monkeypatch):
    frames = list(given.frames())

    def broken(self):
        yield from frames[:2]
        raise OSError('cut off')
    monkeypatch.setattr(type(given), 'frames', broken)
    walked = Walk(given, propagator).forwards()
    assert [next(walked).frame_id, next(walked).frame_id] == [0, 1]
    with pytest.raises(OSError, match='cut off'):
        next(walked)


def test_snapshots_keep_their_masks_while_the_walk_continues(given, propagator):
    kept = [(frame.snapshot, {k: m.mask.clone() for k, m in frame.snapshot.masks.items()})
            for frame in Walk(given, propagator).forwards() if frame.snapshot]
    assert len(kept) == 6
    for snapshot, masks in kept:
        assert all(torch.equal(snapshot.masks[k].mask, mask) for k, mask in masks.items())


@pytest.fixture
def newcomer(given):
    """Object 1 is given in frame 3; what is given for frame 6 shows object 2 alone."""
    given.labels[SECOND_GIVEN] = np.zeros_like(given.labels[FIRST_GIVEN])
    given.labels[SECOND_GIVEN][24:30, 30:44] = 2
    return given


@pytest.fixture
def both(make_model):
    model = make_model(data_preprocessor=dict(type='VOSDataPreprocessor', flow=dict(type='DISFlow'))).eval()
    propagator = generator_propagator(model, {1: None, 2: None})
    propagator.next_mask = lambda object_id, frame, last: propagator.view.moved(frame, last)
    return propagator


@pytest.mark.parametrize('ends', [False, True])
def test_an_object_that_a_later_mask_does_not_show(newcomer, both, ends):
    newcomer.ends = ends
    frames = list(Walk(newcomer, both).forwards())
    for frame in frames[FIRST_GIVEN:]:
        frame.decide()
    later = newcomer.labels[SECOND_GIVEN]
    assert frames[SECOND_GIVEN].given and frames[SECOND_GIVEN].going_on == (() if ends else (1,))
    assert (frames[SECOND_GIVEN].labels[later > 0] == 2).all()
    assert [1 in frame.labels for frame in frames[5:]] == [True, not ends, not ends, not ends]
    assert [2 in frame.labels for frame in frames[5:]] == [False, True, True, True]


@pytest.mark.parametrize('stopped', [5, 6, 7])
def test_resuming_where_an_object_goes_on_is_the_same_bit_for_bit(newcomer, both, stopped):
    whole = list(Walk(newcomer, both).forwards())
    again = list(Walk(newcomer, both, after=whole[stopped].snapshot).forwards())
    for before, now in zip(whole[stopped + 1:], again[stopped + 1:], strict=True):
        np.testing.assert_array_equal(before.probabilities, now.probabilities)
        assert now.going_on == before.going_on
    known = again[SECOND_GIVEN]
    assert stopped < SECOND_GIVEN or known.labels is None and known.probabilities is None  # its file has them
