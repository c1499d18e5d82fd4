import json
import re

import numpy as np
import pytest

from tempseg_mm.apis.inferencer.output import OutputFolder, SegmentationResult, default_folder, rounded
from tempseg_mm.runtime.versions import versions
from tempseg_mm.structures import FrameRecord
from tempseg_mm.visualization.exporters import write_indexed_png


@pytest.fixture
def out(tmp_path):
    return OutputFolder(tmp_path / 'out')


def finish(out):
    write_indexed_png(out.mask_file('00000'), np.eye(3, dtype=np.uint8) * 255)
    out.result.write_text('{}')


def test_a_new_or_foreign_folder_may_be_used(out):
    out.claim()
    out.claim(resume=True)
    out.root.mkdir()
    (out.root / 'notes.txt').write_text('mine')
    out.claim()
    out.claim(overwrite=True)


def test_results_are_not_written_over_unasked(out):
    finish(out)
    with pytest.raises(FileExistsError, match=r'holds results \(result.json\): --overwrite replaces them'):
        out.claim()
    with pytest.raises(ValueError, match='nothing to resume: .* is finished. --overwrite segments it again; --export'):
        out.claim(resume=True)
    out.claim(overwrite=True)


def test_an_interrupted_run_may_be_gone_on_with(out):
    out.resume.mkdir(parents=True)
    with pytest.raises(FileExistsError, match='holds an interrupted run .*--resume continues it'):
        out.claim()
    out.claim(resume=True)
    with pytest.raises(ValueError, match='choose one'):
        out.claim(resume=True, overwrite=True)


def test_clearing_leaves_what_is_not_ours(out):
    finish(out)
    out.given.mkdir()
    out.exports.mkdir()
    (out.root / 'notes.txt').write_text('mine')
    out.clear()
    assert sorted(path.name for path in out.root.iterdir()) == ['given', 'notes.txt']


def test_masks_of_other_origin_are_never_removed(out):
    out.masks.mkdir(parents=True)
    with pytest.raises(FileExistsError, match='was not written by this tool'):
        out.claim(overwrite=True)


def test_a_file_in_the_place_of_the_folder(out):
    out.root.write_text('')
    with pytest.raises(FileExistsError, match='is a file; --out must name a folder'):
        out.held()


def test_two_runs_do_not_write_to_it_at_once(out):
    with out.held(), pytest.raises(BlockingIOError, match=r'is being written by process .* elsewhere \(--out\)'):
        with out.held():
            pass
    assert not out.root.exists()


def test_inputs_of_one_name_have_default_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for path in ('a/clip.mp4', 'b/clip.mp4', 'clip.mp4', 'a/clip.avi', 'a/clip/1.png', 'b/clip/1.png', 'v1.2.mp4'):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    videos = ['a/clip.mp4', 'b/clip.mp4', 'clip.mp4', 'a/clip.avi', 'a/clip', 'b/clip', 'a/clip/*.png', 'b/clip/*.png',
              'a/clip/1.png', ['a/clip/1.png', 'b/clip/1.png'], 'v1.2.mp4', '0', 1, [np.eye(3)]]
    folders = [default_folder(video) for video in videos]
    assert len(set(folders)) == len(videos)
    shown = [re.sub('-[0-9a-f]{6}$', '', str(folder.relative_to('work_dirs/segment_video'))) for folder in folders]
    assert shown == [*['clip'] * 8, '1', 'clip', 'v1.2', 'camera0', 'camera1', 'frames']
    (tmp_path / 'link').symlink_to(tmp_path / 'a')
    for same in ('./a/clip.mp4', tmp_path / 'a/clip.mp4', 'b/../a/clip.mp4', 'link/clip.mp4'):
        assert default_folder(same) == folders[0]


def test_a_mask_is_read_back_as_it_was_written(out):
    finish(out)
    np.testing.assert_array_equal(out.read_mask('00000'), np.eye(3) * 255)


def test_paths_are_those_that_were_written(tmp_path):
    result = SegmentationResult(tmp_path / 'masks', tmp_path / 'result.json', tmp_path / 'overlay.webm')
    assert list(result.paths) == ['masks', 'overlay', 'result']
    result.gif = tmp_path / 'overlay.gif'
    assert result.paths['gif'] == tmp_path / 'overlay.gif'


def test_the_file_holds_all_of_it(tmp_path):
    record = FrameRecord(0, '00000', True, {1: 5}, {1: 1.0}, {1: None})
    result = SegmentationResult(tmp_path / 'masks', tmp_path / 'result.json', tmp_path / 'o.webm', records=[record],
                                finetune_losses={1: [0.5]}, notices=['ends early'], versions=versions())
    result.write()
    saved = json.loads((tmp_path / 'result.json').read_text())
    assert FrameRecord.from_dict(saved['records'][0]) == record
    assert saved['finetune_losses'] == {'1': [0.5]} and saved['notices'] == ['ends early'] and saved['report'] is None
    assert saved['masks_dir'] == str(tmp_path / 'masks')
    assert {'tempseg_mm', 'torch', 'mmengine', 'opencv', 'numpy'} <= saved['versions'].keys()


def test_timings_are_rounded_to_milliseconds():
    assert rounded(dict(total=1.23456)) == dict(total=1.235)
