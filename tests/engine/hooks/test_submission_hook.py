import json
import logging
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.engine.hooks.result_hook import mask_file
from tempseg_mm.engine.hooks.submission_hook import SubmissionHook
from tempseg_mm.sources.coco_regions import region_mask
from tempseg_mm.visualization.exporters import write_indexed_png


@pytest.fixture
def runner(synthetic_root, tmp_path):
    """A test that is through: masks of two sequences with ids of objects, by a data set of its own class."""
    class Data(VOSDataset):
        pass

    data = Data(synthetic_root, 'test', resolution='32p', test_mode=True)
    rng = np.random.default_rng(0)
    for sequence in data._sequences:
        for i in range(len(sequence)):
            ids = rng.choice([0, 0, 1, 7], (32, 48)).astype(np.uint8)
            write_indexed_png(mask_file(str(tmp_path / 'out'), sequence.name, sequence.file_name(i)), ids)
    loop = SimpleNamespace(dataloader=SimpleNamespace(dataset=data), out_dir=str(tmp_path / 'out'), written={})
    return SimpleNamespace(test_loop=loop, logger=logging.getLogger('test'))


def packed(runner, *formats):
    hook = SubmissionHook(formats)
    hook.before_test(runner)
    hook.after_test_epoch(runner)
    return Path(runner.test_loop.out_dir)


def test_a_test_hands_in_what_it_wrote(make_runner, tmp_path):
    out = tmp_path / 'out'
    options = {'test_cfg.out_dir': str(out), 'test_evaluator.measures': ['J'],
               'default_hooks.submission': dict(type='SubmissionHook', formats=['zip', 'coco'])}
    runner = make_runner(**options)
    runner.test()
    masks = {path.relative_to(out / 'masks').as_posix(): path.read_bytes() for path in out.glob('masks/*/*.png')}
    with zipfile.ZipFile(out / 'submission.zip') as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == masks and len(masks) == 12
    assert len(json.loads((out / 'coco.json').read_text())['images']) == 12
    assert runner.test_loop.written['submission.zip'] == str(out / 'submission.zip')

    before = {name: (out / name).read_bytes() for name in ('submission.zip', 'coco.json')}
    for name in before:
        (out / name).unlink()
    options['default_hooks.submission'] = None  # what is handed in decides no mask: sequences are recalled
    resumed = make_runner(**options, **{'default_hooks.results.resume': True})
    resumed.register_hook(SubmissionHook(['zip', 'coco']))
    resumed.call_hook('before_run')
    walked = []
    resumed.test_loop.run_iter = walked.append
    resumed.test()
    assert not walked and {name: (out / name).read_bytes() for name in before} == before


def test_an_archive_holds_what_is_asked_where_it_is_asked(runner, caplog):
    data = runner.test_loop.dataloader.dataset
    type(data).SUBMISSION = 'Annotations/{sequence}/{frame}.png'
    data._sequences[1] = replace(data._sequences[1], asked=frozenset(['00000', '00005']))
    archive = packed(runner, 'zip') / 'submission.zip'
    with zipfile.ZipFile(archive) as found:
        assert found.namelist() == [f'Annotations/test_000/0000{i}.png' for i in range(6)] + [
            'Annotations/test_001/00000.png', 'Annotations/test_001/00005.png']
        mask = Image.open(BytesIO(found.read('Annotations/test_001/00005.png')))
        assert mask.mode == 'P' and mask.getpalette()[:6] == [0, 0, 0, 128, 0, 0] and mask.getpixel((0, 0)) in (0, 1, 7)
        assert {(entry.date_time, entry.external_attr >> 16) for entry in found.infolist()} == {
            ((1980, 1, 1, 0, 0, 0), 0o644)}
    first = archive.read_bytes()
    (archive.parent / 'masks/test_000/00003.png').touch()
    assert (packed(runner, 'zip') / 'submission.zip').read_bytes() == first
    data._sequences.pop()
    data.data_list.pop()
    assert not caplog.records
    packed(runner, 'coco', 'zip')
    assert [record.getMessage() for record in caplog.records] == [
        'submission.zip holds 1 of the 2 sequences of the split, but servers accept only whole splits: leave '
        '--sequences out']


def test_coco_json_holds_all_sequences(runner):
    out = packed(runner, 'coco')
    found = json.loads((out / 'coco.json').read_text())
    assert [video['name'] for video in found['videos']] == ['test_000', 'test_001']
    assert found['categories'] == [dict(id=1, name='object')]
    assert found['images'][7] == dict(id=8, file_name='test_001/00001.jpg', height=32, width=48, frame_id=1, video_id=2)
    one = next(entry for entry in found['annotations'] if entry['image_id'] == 8 and entry['track_id'] == 7)
    np.testing.assert_array_equal(region_mask(one['segmentation'], (32, 48)),
                                  np.asarray(Image.open(out / 'masks/test_001/00001.png')) == 7)
    assert {entry['track_id'] for entry in found['annotations']} == {1, 7} and not (out / 'submission.zip').exists()


def test_what_cannot_be_handed_in_is_refused(runner, tmp_path):
    for formats, words in ((('tar',), "zip or coco, or both; got 'tar'"), ((), 'got none')):
        with pytest.raises(ValueError, match=words):
            SubmissionHook(formats)
    data = runner.test_loop.dataloader.dataset
    type(data).SUBMISSION = '{frame}.png'
    with pytest.raises(ValueError, match='two masks would have the name 00000.png in the archive: SUBMISSION of Data'):
        SubmissionHook().before_test(runner)
    type(data).SUBMISSION = '{sequence}/{frame}.png'
    hook = SubmissionHook()
    hook.before_test(runner)
    (tmp_path / 'out/masks/test_001/00004.png').unlink()
    with pytest.raises(FileNotFoundError, match='test_001/00004.png is missing, .* with --resume: this repeats'):
        hook.after_test_epoch(runner)
    assert not list((tmp_path / 'out').glob('*.zip')) and not runner.test_loop.written
    data._sequences[0] = replace(data._sequences[0], asked=frozenset(['00000', '00090']))
    with pytest.raises(ValueError, match='the server asks for are missing: 00090 of test_000'):
        hook.before_test(runner)
