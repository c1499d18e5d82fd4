"""What tempseg-eval-flow prints and draws."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command, capsys):
    def run(*arguments):
        command('eval_flow', *arguments)
        return capsys.readouterr().out
    return run


def test_help(call, capsys):
    with pytest.raises(SystemExit) as end:
        call('--help')
    text = capsys.readouterr().out
    assert end.value.code == 0 and 'examples:' in text and 'warped targets' in text
    configs = re.findall(r'configs/\w+\.py', text)
    assert configs and all((ROOT / name).is_file() for name in configs)


@pytest.fixture
def config_file(tiny_config, tmp_path):
    path = tmp_path / 'tiny.py'
    tiny_config().dump(path)
    return path


def test_provider_of_the_config(call, config_file):
    text = call(config_file, '--every', 3)
    assert '4 pairs of the test data' in text
    assert re.search(r'^\| DISFlow \| +\d\.\d{3} \|', text, re.MULTILINE)


def test_several_providers_and_pictures(call, config_file, tmp_path):
    base = ROOT / 'configs/_base_/flow'
    text = call(config_file, '--flow', base / 'dis.py', base / 'zero.py', '--part', 'train', '--out', tmp_path / 'out',
                '--cfg-options', 'train_dataloader.dataset.sequences=train_001,')
    assert '5 pairs of the train data' in text and '| dis ' in text and '| zero ' in text
    assert [path.name for path in (tmp_path / 'out').iterdir()] == ['train_001.png']
