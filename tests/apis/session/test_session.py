import numpy as np
import pytest
import torch

from tempseg_mm.apis.inferencer.sequence_run import Wishes
from tempseg_mm.apis.session.result import write_result
from tempseg_mm.visualization.exporters import write_indexed_png

from .conftest import STEPS


def ids(records):
    return [record.frame_id for record in records]


def test_a_session_finds_what_a_call_finds_and_corrects_alike(open_session, tiny, shot, two, masks_in, tmp_path):
    video, masks = shot
    tiny(video, {2: two(2)}, out_dir=tmp_path / 'call', pictures=False)
    heard = []
    with open_session() as session:
        assert [session.add_object(name) for name in ('square', 'corner')] == [1, 2]
        session.give(2, two(2))
        assert ids(session.segment(lambda *step: heard.append(step))) == [1, 0, 2, 3, 4, 5, 6, 7]
        assert sorted(session.records) == list(range(8)) and session.records[2].given
    assert heard[0] == ('fine-tuning', 1, 2 * STEPS) and heard[2 * STEPS] == ('backwards', 1, None)
    assert heard[-1] == ('forwards', 8, 8)
    before = masks_in(tmp_path / 'call')
    for i, labels in masks_in(tmp_path / 'session').items():
        np.testing.assert_array_equal(labels, before[i])
    for out in ('call', 'session'):  # each is continued by another process, so to speak
        with open_session(out) as session:
            session.give(4, np.where(session.labels(4) == 2, 2, masks[4]).astype(np.uint8))
            assert session.given == {2: (1, 2), 4: (1,)}
            assert ids(session.go_on([4])) == [5, 6, 7]
    after = masks_in(tmp_path / 'call')
    for i, labels in masks_in(tmp_path / 'session').items():
        np.testing.assert_array_equal(labels, after[i])
    assert all((before[i] == after[i]).all() for i in range(4)) and (before[6] != after[6]).any()


def test_a_correction_takes_half_of_the_steps_from_what_is_kept(open_session, shot, two):
    heard = []
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
    with open_session() as session:
        kept = dict(session.adapted)
        assert [len(found.losses) for found in kept.values()] == [STEPS, STEPS]
        session.give(3, np.where(two(3) == 1, 0, session.labels(3)).astype(np.uint8) + shot[1][3])
        list(session.go_on([3], lambda *step: heard.append(step)))
        steps = STEPS // 2
        assert heard[:steps] == [('fine-tuning', i, steps) for i in range(1, steps + 1)]
        assert heard[steps:] == [('forwards', i, 5) for i in range(1, 6)]
        assert session.adapted[2] is kept[2] and session.adapted[1] is not kept[1]
    with open_session() as session:
        assert len(session.adapted[1].losses) == steps and session.adapted[1].fit.num_masks == 2


def test_only_the_stretch_up_to_a_mask_of_all_objects_is_redone(open_session, two, shot):
    with open_session() as session:
        session.add_object(), session.add_object()
        for i in (0, 5):
            session.give(i, two(i))
        session.give(3, shot[1][3])  # object 2 goes on there
        assert session.given == {0: (1, 2), 3: (1,), 5: (1, 2)}
        list(session.segment())
        last = session.labels(6)
        session.give(1, two(1))
        assert ids(session.go_on([1])) == [2, 3, 4]
        assert (session.labels(3) == 1).sum() == (shot[1][3] == 1).sum()  # what was drawn there stays
        assert (session.labels(6) == last).all()
        assert ids(session.go_on([4], direction='backwards')) == []
        assert ids(session.go_on([7], direction='backwards')) == [6]
        assert ids(session.go_on([6])) == [7]  # no mask is given there: nothing is learnt, the walk begins again


def test_a_stop_keeps_what_is_done(open_session, two):
    def stop(stage, done, total):
        if (stage, done) == ('forwards', 4):
            raise KeyboardInterrupt
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        with pytest.raises(KeyboardInterrupt):
            list(session.segment(stop))
    with open_session() as session:
        assert sorted(session.records) == [0, 1, 2, 3] and session.labels(3) is not None and session.labels(4) is None
        assert ids(session.go_on([3])) == [4, 5, 6, 7]


def test_an_object_that_was_erased_is_learnt_from_and_looked_for(open_session, two, shot):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
        gone = session.labels(4)
        session.give(4, np.where(gone == 2, 0, gone).astype(np.uint8), mentioned=[2])
        list(session.go_on([4]))
        assert session.given[4] == (2,) and not (session.labels(4) == 2).any()
        with session._stretch(4, 'forwards') as stretch:
            assert stretch.hidden == (2,)
        with session._sequence() as sequence:
            assert sequence.mentioned(4) == {2} and sequence.going_on(4) == (1,)


def test_what_cannot_be_done_is_said(open_session):
    with open_session() as session:
        with pytest.raises(ValueError, match='no mask is given: draw an object'):
            list(session.segment())
        with pytest.raises(ValueError, match='no mask is given: draw an object'):
            list(session.go_on([3]))
        session.give(0, np.full((32, 48), session.add_object(), np.uint8))
        with pytest.raises(ValueError, match='frame 3 has no mask to continue from'):
            list(session.go_on([0, 3]))
        with pytest.raises(ValueError, match="direction must be 'forwards' or 'backwards', got 'up'"):
            list(session.go_on([0], direction='up'))


def test_an_object_that_is_removed_is_gone_everywhere(open_session, two, shot):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
        found = session.labels(3)
        session.give(3, np.where(two(3) == 2, 2, np.where(found == 1, 1, 0)).astype(np.uint8))  # 2 alone is drawn
        session.remove_object(2)
        assert not any((session.labels(i) == 2).any() for i in range(8)) and session.given == {0: (1,)}
        np.testing.assert_array_equal(session.labels(3) == 1, found == 1)
        assert list(session.adapted) == [1] == list(session.records[5].areas)
    with open_session() as session:
        assert list(session.adapted) == [1] == list(session.objects) == list(session.records[5].areas)
        list(session.segment())
        assert list(session.adapted) == [1] and not any((session.labels(i) == 2).any() for i in range(8))
        assert session.add_object() == 2 and session.given == {0: (1,)}


def test_a_mask_file_that_lay_in_the_folder_is_not_what_was_found(open_session, two, shot):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
        found = session.labels(4)
        write_indexed_png(session.folder / 'given/00004.png', two(4))  # of an earlier call, or to be given
        session.give(4, np.where(two(4) == 2, 2, np.where(found == 1, 1, 0)).astype(np.uint8))
        assert session.given[4] == (2,)
        session.take_back(4)
        np.testing.assert_array_equal(session.labels(4), found)


def test_figures_that_a_killed_process_did_not_write_are_done_without(open_session, two):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
    (session.folder / '.session/figures.jsonl').write_text('')
    with open_session() as session:
        assert not session.records
        assert ids(session.go_on([0])) == [1, 2, 3, 4, 5, 6, 7]
        result = write_result(session, Wishes(pictures=False))
        assert [record.given for record in result.records] == [True] + 7 * [False]


def test_another_network_is_refused(open_session, tiny):
    with open_session() as session:
        session.add_object()
    tiny.loaded.settings['model']['generator']['decoder'] = dict(type='Other')
    with pytest.raises(ValueError, match=r'generators of another network, which differs in generator\.decoder'):
        open_session()


def test_weights_are_those_of_the_file(open_session, two):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(0, two(0))
        list(session.segment())
        weights = session.adapted[1].trained.state_dict()
    with open_session() as session:
        again = session.adapted[1].trained.state_dict()
        assert all(torch.equal(weights[name], again[name]) for name in weights)
