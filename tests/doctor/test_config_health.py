import os
import shutil
import sys
from pathlib import Path

import pytest

from tempseg_mm.doctor.config_health import check_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config(tmp_path, synthetic_root, monkeypatch):
    """A config file that inherits a real one, on the tiny data set or another; ``text`` comes at the end."""
    def write(text='', root=synthetic_root):
        monkeypatch.setenv('TEMPSEG_DAVIS_ROOT', str(root))
        path = tmp_path / 'mine.py'
        path.write_text(f"""_base_ = '{ROOT}/configs/tempseg_davis_scratch.py'
train_dataloader = dict(dataset=dict(resolution='32p'))
test_dataloader = dict(dataset=dict(resolution='32p', split='test'))
work_dir = '{tmp_path}/work'
{text}
""")
        return str(path)
    return write


def found(*arguments, **options):
    checks = check_config(*arguments, **options)
    assert len({check.name for check in checks}) == len(checks)
    return {check.name: check for check in checks}


def test_a_healthy_config(config):
    checks = found(config())
    assert [name for name, check in checks.items() if check.is_fault] == []
    assert list(checks) == ['config', 'types', 'checkpoint', 'train data', 'test data']
    assert checks['types'].text.endswith('components, all known')
    assert checks['checkpoint'].state == 'note' and 'no training has run yet' in checks['checkpoint'].text
    assert checks['train data'].text.endswith('2 sequence(s), 2 of them checked, 12 frames')
    assert list(found(config(), data='none')) == ['config', 'types', 'checkpoint']


def test_all_unknown_types_at_once_with_place_and_nearest_name(config):
    checks = found(config("model = dict(losses=dict(bce=dict(type='BCELos')))\n"
                          "default_hooks = dict(results=dict(type='ResultHok'))\n"), data='none')
    faults = {name: check.text for name, check in checks.items() if check.is_fault}
    assert faults.keys() == {'model.losses.bce', 'default_hooks.results'}
    assert 'did you mean BCELoss' in faults['model.losses.bce']
    assert 'did you mean ResultHook' in faults['default_hooks.results']
    assert 'custom_imports' in checks['model.losses.bce'].remedy


def test_all_settings_that_nothing_reads_with_the_nearest(config):
    checks = found(config('trian_cfg = dict(max_iters=5)\nenv_cfg = dict(cudnn_benchmrk=True)\n'
                          'model = dict(losses=dict(bce=dict(zzzz=1)))\n'), data='none')
    faults = {name: check.remedy for name, check in checks.items() if check.is_fault}
    assert faults == {
        'trian_cfg.max_iters': 'did you mean train_cfg.max_iters?',
        'env_cfg.cudnn_benchmrk': 'did you mean env_cfg.cudnn_benchmark?',
        'model.losses.bce.zzzz': 'known settings: loss_weight'}
    assert "BCELoss takes no 'zzzz'" in checks['model.losses.bce.zzzz'].text
    assert checks['config'].state == checks['types'].state == 'ok'  # it goes on


@pytest.mark.parametrize('text, fault', [
    ('model = dict(', 'SyntaxError'),
    ("custom_imports = dict(imports=['not_there'], allow_failed_imports=False)", 'not_there'),
    ('raise SystemExit(1)', 'does not load'),
])
def test_a_config_that_does_not_load(config, text, fault):
    check = found(config(text))['config']
    assert check.is_fault and 'mine.py does not load' in check.text and fault in check.text


def test_a_config_that_is_not_there(tmp_path):
    assert 'no config at' in found(str(tmp_path / 'gone.py'))['config'].text


def test_files(config, tmp_path):
    (tmp_path / 'there.pth').touch()
    checks = found(config(
        f"load_from = '{tmp_path}/there.pth'\n"
        "model = dict(data_preprocessor=dict(flow=dict(_delete_=True, type='FlowNet2Flow', weights='gone.pth')),\n"
        "             generator=dict(backbone=dict(init_cfg=dict(type='ImageNetWeights',\n"
        "                                                        checkpoint='https://x.y/net.pth'))))\n"), data='none')
    assert checks['load_from'].state == 'ok'
    flow = checks['model.data_preprocessor.flow.weights']
    assert (flow.state, flow.text) == ('missing', 'there is no gone.pth')
    assert '--cfg-options model.data_preprocessor.flow.weights=PATH' in flow.remedy
    assert checks['model.generator.backbone.init_cfg.checkpoint'].state == 'note'


def test_data_that_is_not_there(config, tmp_path):
    check = found(config(root=tmp_path / 'gone'))['train data']
    assert check.is_fault and check.text.startswith(f"data root '{tmp_path}/gone' is not a folder")


def test_the_first_findings_of_broken_data(config, synthetic_root, tmp_path):
    root = tmp_path / 'broken'
    shutil.copytree(synthetic_root, root)
    for sequence in ('test_000', 'test_001'):
        (root / 'JPEGImages/32p' / sequence / '00002.jpg').write_bytes(b'broken')
    checks = found(config(root=root))
    assert checks['train data'].state == 'ok'
    assert checks['test data'].is_fault and '2 error(s)' in checks['test data'].text
    assert 'test_000: ' in checks['test data'].text and 'check' in checks['test data'].remedy


def test_few_sequences_are_looked_into_unless_all_are_asked_for(config, synthetic_root, tmp_path):
    root = tmp_path / 'many'
    shutil.copytree(synthetic_root, root)
    names = [f'copy_{i}' for i in range(7)]
    for part in ('JPEGImages', 'Annotations'):
        for name in names:
            os.symlink(root / part / '32p/train_000', root / part / '32p' / name)
    (root / 'ImageSets/32p/train.txt').write_text('\n'.join(names))
    path = config(root=root)
    assert '7 sequence(s), 3 of them checked, 18 frames' in found(path)['train data'].text
    assert '7 sequence(s), 7 of them checked, 42 frames' in found(path, data='all')['train data'].text


def test_synthetic_data_are_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checks = found(str(ROOT / 'configs/tempseg_synthetic.py'))
    assert (checks['train data'].state, checks['train data'].text) == (
        'note', 'data/synthetic is rendered when it is first used')
    assert list(tmp_path.iterdir()) == []


def test_data_of_images_are_only_found(tmp_path, monkeypatch):
    monkeypatch.setenv('TEMPSEG_IMAGENET_ROOT', str(tmp_path))
    (tmp_path / 'train').mkdir()
    checks = found(str(ROOT / 'configs/pretrain/tempseg_imagenet.py'))
    assert checks['train data'].state == 'note' and 'not checked' in checks['train data'].text
    assert checks['val data'].state == 'missing' and checks['val data'].is_fault


def test_a_broken_installation_is_said(config, monkeypatch):
    monkeypatch.setitem(sys.modules, 'tempseg_mm.apis.config', None)
    check = found(config())['config']
    assert check.is_fault and 'does not load' in check.text
    monkeypatch.undo()


def test_another_amount_of_data():
    with pytest.raises(ValueError, match="'quick', 'all' or 'none', got 'some'"):
        check_config('x.py', data='some')
