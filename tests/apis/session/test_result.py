import json

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer.exports import export_finished
from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.apis.inferencer.sequence_run import Wishes
from tempseg_mm.apis.session.files import SessionFiles
from tempseg_mm.apis.session.result import can_be_corrected, give_masks, write_result
from tempseg_mm.apis.session.session import Session
from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.visualization.coco_writer import coco_file


def test_only_what_can_be_read_again_can_be_corrected(shot, make_sequence):
    with open_source(shot[0]) as source:
        assert can_be_corrected(str(shot[0]), source) and can_be_corrected([shot[0]], source)
        assert not can_be_corrected(0, source) and not can_be_corrected([1, 2], source)
    frames = make_sequence(2).frames
    assert not can_be_corrected(frames, ArraySource(frames)) and not can_be_corrected('x', ArraySource(iter(frames)))


def test_a_call_is_corrected_as_a_whole(tiny, shot, two, masks_in, tmp_path):
    video, masks = shot
    out = tmp_path / 'out'
    with coco_file(tmp_path / 'first.json') as coco:
        coco.add('any.png', two(0), {1: 'fox', 2: 'owl'}, frame_id=0)
    first = tiny(video, f'{tmp_path}/first.json', out_dir=out)
    assert SessionFiles(OutputFolder(out)).load().objects == {1: 'fox', 2: 'owl'}
    np.testing.assert_array_equal(masks_in(out)[0], two(0))
    assert first.paths['given'] == out / 'given' and [path.name for path in first.given.iterdir()] == ['00000.png']
    before, told = masks_in(out), []
    Image.fromarray(255 * masks[4]).save(tmp_path / 'later.png')
    with pytest.raises(ValueError, match='later.png'):  # white, and there are two objects
        tiny.correct(video, f'{tmp_path}/later.png@9', out_dir=out)
    result = tiny.correct(video, {4: masks[4]}, out_dir=out, ground_truth={i: two(i) for i in range(8)},
                          on_progress=lambda *step: told.append(step))
    after = masks_in(out)
    assert all((before[i] == after[i]).all() for i in range(4))
    np.testing.assert_array_equal(after[4] == 1, masks[4] == 1)
    np.testing.assert_array_equal(after[4] == 2, (before[4] == 2) & (masks[4] == 0))
    assert [record.given for record in result.records] == [i in (0, 4) for i in range(8)]
    assert result.mean_j.keys() == {1, 2} and result.report.exists() and told[0] == ('fine-tuning', 1, 12)
    saved = json.loads(result.result_json.read_text())
    assert saved['settings']['given_frames'] == [0, 4] and len(saved['records']) == 8
    whole = {record.frame_id: record.areas for record in result.records}
    assert all(areas == {i: int((after[k] == i).sum()) for i in (1, 2)} for k, areas in whole.items())
    with pytest.raises(FileNotFoundError, match='no result to correct: .* Segment the video first, without --correct'):
        tiny.correct(video, {4: masks[4]}, out_dir=tmp_path / 'nothing')


def test_masks_of_a_person_leave_what_they_do_not_show(open_session, two, shot):
    with open_session() as session:
        assert give_masks(session, {0: two(0)}) == ([0], [])
        assert session.objects == {1: '', 2: ''} and session.given == {0: (1, 2)}
        list(session.segment())
        found = session.labels(3)
        shifted = np.roll(shot[1][3], 1, 0)
        give_masks(session, {3: 2 * shifted})
        np.testing.assert_array_equal(session.labels(3), np.where(shifted, 2, np.where(found == 1, 1, 0)))
        assert session.given[3] == (2,)
        give_masks(session, {5: shot[1][5]}, ends=True)
        assert session.given[5] == (1, 2) and set(np.unique(session.labels(5))) == {0, 1}
        frames, _ = give_masks(session, boxes=['4,8,30,20@00006'])
        assert frames == [6] and 3 in session.objects and session.given[6] == (3,)
        with pytest.raises(ValueError, match='no frame 80'):
            give_masks(session, {80: shot[1][0]})


def test_a_result_needs_all_frames(open_session, two):
    with open_session() as session:
        session.add_object(), session.add_object()
        session.give(2, two(2))
        with pytest.raises(ValueError, match=r'frame 0 has no mask yet \(7 frames have none\)'):
            write_result(session)
        list(session.segment())
        result = write_result(session, Wishes(pictures=False))
        assert len(result.records) == 8 and result.overlay is None and result.records[2].given
        assert {i: record.sure for i, record in session.records.items()} == {
            record.frame_id: record.sure for record in result.records}


def test_how_the_video_was_read_is_kept(tiny, shot, tmp_path):
    video, masks = shot
    Image.fromarray(255 * masks[0]).save(video / 'first_of_all.png')  # among the frames, as a person may have it
    result = tiny(video, f'{video}/first_of_all.png@0', out_dir=tmp_path / 'out', fps=7, start=0, end=6, pictures=False)
    assert len(result.records) == 6
    Image.fromarray(255 * masks[4]).save(video / 'later.png')
    result = tiny.correct(video, f'{video}/later.png@4', out_dir=tmp_path / 'out', pictures=False)
    assert len(result.records) == 6 and result.settings['given_frames'] == [0, 4]
    with Session.open(tiny.loaded, video, tmp_path / 'out') as session:
        assert session.fps == 7 and session.num_frames == 6
        session.rename(1, 'square')
    written = export_finished(['coco'], video, tmp_path / 'out')['coco']  # no mask is taken for a frame
    coco = json.loads(written.read_text())
    assert [image['file_name'] for image in coco['images']] == [f'{i:05d}.png' for i in range(6)]
    assert [category['name'] for category in coco['categories']] == ['square']
