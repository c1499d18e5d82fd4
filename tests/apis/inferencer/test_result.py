import json

from tempseg_mm.apis.inferencer.result import SegmentationResult, rounded
from tempseg_mm.runtime.versions import versions
from tempseg_mm.structures import FrameRecord


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
