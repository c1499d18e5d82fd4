import json

import pytest
import torch
from torch import nn

from tempseg_mm.inference.adapted_files import AdaptedFiles
from tempseg_mm.inference.object_mask import ObjectMask
from tempseg_mm.inference.online_finetuner import AdaptedGenerator
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.walk import FORWARDS, Snapshot

INPUTS = dict(steps=3, given_masks={7: 'ab'}, size=(1, 2))


def snapshot(frame_id):
    return Snapshot(FORWARDS, frame_id, {1: ObjectMask(torch.full((1, 1, 2, 3), frame_id / 10))})


def test_what_is_written_is_what_is_read(tmp_path):
    state = RunState(tmp_path / 's', INPUTS)
    assert not state.load()
    state.begin()
    state.figures = {0: dict(confidences={1: 0.5, 2: None}, sure={1: 0.9, 2: None}, answer={})}
    state.note(snapshot(3), lambda: None)
    state.write()
    again = RunState(tmp_path / 's', INPUTS)
    assert again.load()
    assert again.figures == state.figures
    assert (again.snapshot.direction, again.snapshot.frame_id) == (FORWARDS, 3)
    assert torch.equal(again.snapshot.masks[1].mask, snapshot(3).masks[1].mask)


def test_a_fresh_run_takes_nothing_that_another_left(tmp_path):
    layer = nn.Linear(2, 2)
    for inputs in (INPUTS, None):  # or a run that was killed before it could note its inputs
        before = RunState(tmp_path / 's', INPUTS)
        before.begin()
        before.adapted.keep(1, AdaptedGenerator(layer, [0.5], 1.5))
        before.note(snapshot(3), lambda: None)
        before.write()
        if inputs is None:
            (tmp_path / 's/inputs.json').unlink()
        fresh = RunState(tmp_path / 's', INPUTS)
        assert inputs or not fresh.load()
        fresh.begin()
        assert fresh.adapted.kept(1, layer) is None and fresh.snapshot is None
        assert [path.name for path in (tmp_path / 's').iterdir()] == ['inputs.json']


@pytest.mark.parametrize('now, words', [
    (dict(a='1', b='3'), 'b is changed'), (dict(a='1'), 'b is missing now'), (dict(b='2', a='1'), 'is new or')])
def test_frames_of_other_content_are_refused(tmp_path, now, words):
    RunState(tmp_path / 's', INPUTS, frames=dict(a='1', b='2')).begin()
    with pytest.raises(ValueError, match=f'the frames are not those of the interrupted run in .*: .*{words}.*, and the '
                                         'masks of both would be mixed. .* start again with --overwrite'):
        RunState(tmp_path / 's', INPUTS, frames=now).load()
    assert RunState(tmp_path / 's', INPUTS, frames=dict(a='1', b='2', c='3')).load()  # more may follow


def test_what_an_earlier_version_left_is_refused(tmp_path):
    state = RunState(tmp_path / 's', INPUTS)
    state.begin()
    masks = {1: torch.zeros(1, 1, 2, 3)}
    torch.save(dict(direction=FORWARDS, frame_id=3, masks=masks, figures={}), tmp_path / 's/walk.pth')
    with pytest.raises(ValueError, match='0.7.0 or earlier.*--overwrite'):
        RunState(tmp_path / 's', INPUTS).load()
    (tmp_path / 's/inputs.json').write_text(json.dumps(INPUTS))
    with pytest.raises(ValueError, match='0.8.0 or earlier, which stored no digest of the frames.*--overwrite'):
        RunState(tmp_path / 's', INPUTS).load()


def test_it_is_written_now_and_then_after_the_masks(tmp_path):
    state, flushed = RunState(tmp_path / 's', INPUTS, interval=0), []
    state.begin()
    state.note(snapshot(3), lambda: flushed.append((tmp_path / 's/walk.pth').exists()))
    assert flushed == [False] and (tmp_path / 's/walk.pth').exists()
    rare = RunState(tmp_path / 'rare', INPUTS, interval=1e6)
    rare.note(snapshot(3), lambda: flushed.append('too early'))
    assert flushed == [False]


def test_a_frame_without_snapshot_leaves_the_last_one(tmp_path):
    state = RunState(tmp_path, INPUTS)
    state.note(snapshot(3), lambda: None)
    state.note(None, lambda: None)
    assert state.snapshot.frame_id == 3


def test_a_tensor_that_shares_memory_is_written_alone(tmp_path):
    state = RunState(tmp_path / 's', INPUTS)
    state.begin()
    large = torch.zeros(1000, 1, 1, 10, 10)
    state.note(Snapshot(FORWARDS, 0, {1: ObjectMask(large[0])}), lambda: None)
    state.write()
    assert (tmp_path / 's/walk.pth').stat().st_size < 10_000


def test_other_inputs_are_named_by_their_paths(tmp_path):
    deep = dict(tuner=dict(type='A', augment=[dict(type='B', degrees=[1, 2])]))
    RunState(tmp_path / 's', INPUTS | deep).begin()
    with pytest.raises(ValueError, match=r"differs in steps \(3 then, 4 now\); given_masks\.7 .*; tuner "
                                         r"\({'augment': \[{\.\.\.}\], 'type': 'A'} then, None now\)\. .*--overwrite"):
        RunState(tmp_path / 's', dict(INPUTS, steps=4, given_masks={7: 'cd'}, tuner=None)).load()


def test_what_is_adapted_goes_with_the_state_unless_it_has_a_folder_of_its_own(tmp_path):
    layer = nn.Linear(2, 2)
    for adapted in (None, AdaptedFiles(tmp_path / 'a')):
        state = RunState(tmp_path / 's', INPUTS, adapted=adapted)
        state.begin()
        state.adapted.keep(1, AdaptedGenerator(layer))
        state.remove()
        assert not (tmp_path / 's').exists() and bool(state.adapted.kept(1, layer)) == bool(adapted)
    RunState(tmp_path / 's', INPUTS, adapted=adapted).begin()
    assert adapted.kept(1, layer) is None
