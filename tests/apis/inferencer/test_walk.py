import numpy as np
import pytest
import torch

from tempseg_mm.apis.inferencer.inputs import Inputs
from tempseg_mm.apis.inferencer.run_state import BACKWARDS, FORWARDS, Snapshot
from tempseg_mm.apis.inferencer.walk import snapshot_of, walk_backwards, walk_forwards
from tempseg_mm.inference.object_propagator import ObjectPropagator
from tempseg_mm.runtime.background import StageClock
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.sources.spool import FrameSpool

FIRST_GIVEN, SECOND_GIVEN = 3, 6


@pytest.fixture
def inputs(make_sequence):
    """Nine frames, of which 3 and 6 are given."""
    sequence = make_sequence(9)
    with FrameSpool() as spool:
        for frame in sequence.frames[:FIRST_GIVEN]:
            spool.append(frame)
        given = (FIRST_GIVEN, SECOND_GIVEN)
        yield Inputs(open_source(sequence.frames), (32, 48), {i: sequence.masks[i] for i in given},
                     {i: sequence.frames[i] for i in given}, spool, [f'{i:05d}' for i in range(FIRST_GIVEN)])


@pytest.fixture
def propagator(make_model):
    model = make_model(data_preprocessor=dict(type='VOSDataPreprocessor', flow=dict(type='DISFlow'))).eval()
    return ObjectPropagator(model, {1: None})


def read_back(name):
    return np.full((32, 48), 9, np.uint8)


def by_hand(propagator, inputs, order):
    """Probabilities in an order of frames, without threads."""
    images = [frame.image for frame in inputs.source.frames()]
    propagator.start(images[order[0]], inputs.labels[order[0]])
    found = {}
    for i in order[1:]:
        found[i] = propagator.step(images[i])
        if i in inputs.labels:
            propagator.correct(inputs.labels[i])
    return found


def test_backwards_from_the_first_given_frame(inputs, propagator):
    clock = StageClock()
    frames = list(walk_backwards(inputs, propagator, clock))
    assert [(frame.frame_id, frame.file_name) for frame in frames] == [(2, '00002'), (1, '00001'), (0, '00000')]
    expected = by_hand(propagator, inputs, [3, 2, 1, 0])
    for frame in frames:
        np.testing.assert_array_equal(frame.probabilities, expected[frame.frame_id])
        assert frame.labels is None and not frame.given
        assert snapshot_of(frame, inputs).direction == BACKWARDS
    assert set(clock.seconds) == {'read', 'prepare', 'network'}


def test_forwards_over_all_frames(inputs, propagator):
    frames = list(walk_forwards(inputs, propagator, StageClock(), read_back=read_back))
    assert [frame.frame_id for frame in frames] == list(range(9))
    expected = by_hand(propagator, inputs, [3, 4, 5, 6, 7, 8])
    for frame in frames:
        if frame.frame_id < FIRST_GIVEN:
            assert (frame.labels == 9).all() and frame.probabilities is None and snapshot_of(frame, inputs) is None
        elif frame.frame_id in inputs.labels:
            np.testing.assert_array_equal(frame.labels, inputs.labels[frame.frame_id])
            assert frame.given and frame.probabilities is None
        else:
            np.testing.assert_array_equal(frame.probabilities, expected[frame.frame_id])
            assert frame.labels is None
        if frame.frame_id >= FIRST_GIVEN:
            assert snapshot_of(frame, inputs).direction == FORWARDS


@pytest.mark.parametrize('stopped', [3, 4, 6, 8])
def test_going_on_forwards_is_the_same_bit_for_bit(inputs, propagator, stopped):
    whole = list(walk_forwards(inputs, propagator, StageClock(), read_back=read_back))
    after = snapshot_of(whole[stopped], inputs)
    assert list(walk_backwards(inputs, propagator, StageClock(), after=after)) == []
    again = list(walk_forwards(inputs, propagator, StageClock(), after=after, read_back=read_back))
    assert len(again) == 9
    for before, now in zip(whole[stopped + 1:], again[stopped + 1:], strict=True):
        assert (before.probabilities is None) == (now.probabilities is None)
        if now.probabilities is not None:
            np.testing.assert_array_equal(before.probabilities, now.probabilities)
    assert all(frame.given or (frame.labels == 9).all() for frame in again[:stopped + 1])


def test_going_on_backwards_is_the_same_bit_for_bit(inputs, propagator):
    whole = list(walk_backwards(inputs, propagator, StageClock()))
    again = list(walk_backwards(inputs, propagator, StageClock(), after=snapshot_of(whole[0], inputs)))
    assert [frame.frame_id for frame in again] == [1, 0]
    for before, now in zip(whole[1:], again, strict=True):
        np.testing.assert_array_equal(before.probabilities, now.probabilities)
    assert list(walk_backwards(inputs, propagator, StageClock(), after=Snapshot(BACKWARDS, 0, {}))) == []


def test_an_error_of_the_source_is_raised_in_its_place(inputs, propagator, monkeypatch):
    def frames():
        yield from list(open_source([np.zeros((32, 48, 3), np.uint8)] * 2).frames())
        raise OSError('cut off')
    monkeypatch.setattr(Inputs, 'frames', lambda self: frames())
    walked = walk_forwards(inputs, propagator, StageClock(), read_back=read_back)
    assert [next(walked).frame_id, next(walked).frame_id] == [0, 1]
    with pytest.raises(OSError, match='cut off'):
        next(walked)


def test_snapshots_keep_their_masks_while_the_walk_goes_on(inputs, propagator):
    frames = walk_forwards(inputs, propagator, StageClock(), read_back=read_back)
    kept = [(snapshot_of(frame, inputs), {k: m.clone() for k, m in (frame.masks or {}).items()}) for frame in frames]
    for snapshot, masks in kept[FIRST_GIVEN:]:
        assert all(torch.equal(snapshot.masks[k], mask) for k, mask in masks.items())
