"""What tempseg-precompute-flow prints and what it leaves."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command, capsys):
    def run(*arguments):
        command('precompute_flow', *arguments)
        return capsys.readouterr().out
    return run


def test_help(call, capsys):
    with pytest.raises(SystemExit) as end:
        call('--help')
    text = capsys.readouterr().out
    assert end.value.code == 0 and 'examples:' in text and 'a run that was stopped continues' in text
    configs = re.findall(r'configs/\w+\.py', text)
    assert configs and all((ROOT / name).is_file() for name in configs)


def test_fills_a_cache(call, tiny_config, tmp_path):
    path = tmp_path / 'tiny.py'
    tiny_config().dump(path)
    arguments = (path, '--part', 'test', '--cache-dir', tmp_path / 'flow', '--workers', 0, '--dtype', 'float16',
                 '--cfg-options', 'model.data_preprocessor.flow.preset=fast')
    text = call(*arguments)
    assert '10 frame pairs, 10 of them new' in text
    assert "flow = {'type': 'CachedFlow', 'provider': {'type': 'DISFlow', 'preset': 'fast'}" in text
    assert len(list((tmp_path / 'flow').rglob('*.npy'))) == 10
    assert '10 frame pairs, 0 of them new' in call(*arguments)
