from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from mmengine.config import Config

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.crf_tuning import KeepFrames, require_apart, tune_crf, verdict, write_fragment
from tempseg_mm.engine.stages import method_hooks
from tempseg_mm.inference.crf_search import MaskScores, SearchReport
from tempseg_mm.registry import TASK_UTILS
from tempseg_mm.structures import SegmentedFrame

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = dict(sxy_gaussian=0.71, compat_gaussian=3.0, sxy_bilateral=25.5, srgb=9.25, compat_bilateral=0.125)
GAIN = SearchReport(SETTINGS, MaskScores(0.5, 0.6), MaskScores(0.55, 0.6))


def test_from_config_to_fragment(tiny_config, tmp_path, monkeypatch):
    monkeypatch.setattr('tempfile.tempdir', str(tmp_path))
    cfg = tiny_config()
    cfg.load_from = None
    cfg.custom_hooks = [dict(type='CRFHook'), dict(type='BaselineHook')]
    cfg.default_hooks.update({name: dict(type=kind) for name, kind in (
        ('crf', 'CRFHook'), ('baselines', 'BaselineHook'), ('tta', 'TTAHook'))})
    cfg.crf.update(srgb=7.0, margin=12)
    asked = []
    monkeypatch.setattr('tempseg_mm.apis.crf_tuning.search_crf', lambda paths, pool, **settings: (
        asked.append(([path.relative_to(path.parents[1]).as_posix() for path in paths], pool.workers, settings)),
        [settings['on_trial'](trial, GAIN.before) for trial in (1, 2)], GAIN)[-1])
    assert tune_crf(cfg, tmp_path / 'new/crf.py', trials=2, frames_per_sequence=2, seed=6, workers=0) is GAIN
    (frames, workers, settings), = asked
    assert frames == [f'train_00{i}/0000{frame}_1.npz' for i in range(2) for frame in (2, 4)]
    assert workers == 0 and (settings['trials'], settings['seed'], settings['fixed']) == (2, 6, dict(margin=12))
    assert cfg.custom_hooks == [] and list(method_hooks(cfg)) == ['finetune', 'tta']
    text = (tmp_path / 'new/crf.py').read_text()
    assert "on 4 frames of split 'train', segmented by tempseg_synthetic.py\n# with untrained weights." in text
    assert 'Gained on these frames: J 0.5000, F 0.6000 -> J 0.5500, F 0.6000.' in text
    assert not (Path(cfg.work_dir) / 'test').exists()  # no masks, no scores
    assert not list(tmp_path.glob('tune_crf_*'))


def test_never_on_what_is_tested(tiny_config):
    cfg = tiny_config()
    require_apart(cfg, 'train')
    require_apart(cfg, ['train_000'])
    with pytest.raises(ValueError, match=r"split \['test_000'\] shares 1 sequences .*\(test_000\)"):
        require_apart(cfg, ['test_000'])
    with pytest.raises(ValueError, match="split 'test' shares 2 sequences with the test split 'test' .*--split"):
        tune_crf(cfg, 'crf.py', split='test')
    root = Path(cfg.test_dataloader.dataset.data_root) / 'ImageSets/32p'
    (root / 'mixed.txt').write_text('train_000\ntest_001\n')
    try:
        with pytest.raises(ValueError, match=r"split 'mixed' shares 1 sequences .*\(test_001\)"):
            require_apart(cfg, 'mixed')
    finally:
        (root / 'mixed.txt').unlink()


def test_one_process_only(tiny_config):
    cfg = tiny_config(launcher='pytorch')
    with pytest.raises(ValueError, match='runs in one process: leave --launcher out'):
        tune_crf(cfg, 'crf.py')


def test_the_fragment_is_a_base_of_configs(tmp_path):
    write_fragment(tmp_path / 'crf.py', GAIN, 'two lines\nof comment')
    assert (tmp_path / 'crf.py').read_text().startswith(
        '# Dense CRF, tuned by tempseg-tune-crf:\n# two lines\n# of comment\ncrf = dict(\n')
    (tmp_path / 'base.py').write_text(
        f"_base_ = ['{ROOT}/configs/_base_/schedules/gan_adam.py', './crf.py']\n"
        "default_hooks = dict(crf=dict(type='CRFHook'))\n")
    cfg = load_config(str(tmp_path / 'base.py'))
    assert list(method_hooks(cfg)) == ['finetune', 'crf']
    crf = TASK_UTILS.build(cfg.default_hooks.crf.crf)
    assert {name: getattr(crf, name) for name in SETTINGS} == SETTINGS


def test_the_lines_of_the_fragment_override_what_a_config_inherits(tmp_path):
    write_fragment(tmp_path / 'crf.py', GAIN, 'comment')
    (tmp_path / 'mine.py').write_text(
        f"_base_ = '{ROOT}/configs/tempseg_synthetic.py'\n" + (tmp_path / 'crf.py').read_text())
    assert Config.fromfile(tmp_path / 'mine.py').crf == dict(type='DenseCRF', **SETTINGS)


def test_they_reach_the_hook_that_a_config_inherits(tmp_path):
    (tmp_path / 'mine.py').write_text(
        f"_base_ = '{ROOT}/configs/tempseg_davis_mobilenet.py'\ncrf = dict(_delete_=True, type='DenseCRF', srgb=7.0)\n")
    hook = load_config(str(tmp_path / 'mine.py'), options={'crf.side': 100}).default_hooks.crf
    assert hook.crf == dict(type='DenseCRF', srgb=7.0, side=100) and hook.required is False


def test_verdicts():
    assert verdict(GAIN) == 'Gained on these frames: J 0.5000, F 0.6000 -> J 0.5500, F 0.6000.'
    nothing = SearchReport(dict(compat_gaussian=0.0, compat_bilateral=0.0), GAIN.before, GAIN.before)
    assert verdict(nothing).startswith('Nothing gained: none of the tried settings was better than no CRF (J 0.5000')


def test_frames_without_annotation(tiny_config, monkeypatch):
    cfg = tiny_config(**{'default_hooks.finetune': None})
    cfg.load_from = None
    monkeypatch.setattr(KeepFrames, 'after_frame', lambda *_, **__: None)
    with pytest.raises(ValueError, match="no frame of split 'train' has an annotation to tune on"):
        tune_crf(cfg, 'crf.py', workers=0)


def keep(tmp_path, per_sequence, *, num_frames=12, annotated=lambda i: True, given=2):
    hook = KeepFrames(str(tmp_path), per_sequence)
    runner = SimpleNamespace(test_loop=SimpleNamespace(num_given_frames=given))
    for i in range(num_frames):
        hook.after_frame(runner, SegmentedFrame(
            'a', i, f'{i:05d}', np.full((2, 3, 3), i, np.uint8), num_frames=num_frames, given=i == 0,
            probabilities=np.full((1, 2, 3), i / 100, np.float32),
            gt_labels=np.full((2, 3), i % 2, np.uint8) if annotated(i) else None))
    return hook


@pytest.mark.parametrize('per_sequence, expected', [
    (1, [2]), (2, [2, 10]), (3, [2, 6, 10]), (5, [2, 4, 6, 8, 10]), (50, list(range(2, 11)))])
def test_kept_frames_are_spread_over_those_that_count(tmp_path, per_sequence, expected):
    assert [int(path.stem.removesuffix('_1')) for path in keep(tmp_path, per_sequence).paths] == expected


def test_what_is_kept(tmp_path):
    path, = keep(tmp_path, 1, given=1).paths
    assert path == tmp_path / 'a/00001_1.npz'
    frame = np.load(path)
    assert (frame['probability'] == np.float32(0.01)).all() and frame['probability'].dtype == np.float32
    assert (frame['image'] == 1).all() and frame['image'].shape == (2, 3, 3) and (frame['gt_mask'] == 1).all()


def test_frames_without_annotation_and_given_ones_are_not_kept(tmp_path):
    kept = keep(tmp_path, 5, annotated=lambda i: i % 4 == 0).paths
    assert [int(path.stem.removesuffix('_1')) for path in kept] == [4, 8]
    assert keep(tmp_path, 3, num_frames=2).paths == []
    with pytest.raises(ValueError, match='per_sequence must be at least 1, got 0'):
        KeepFrames('', 0)
