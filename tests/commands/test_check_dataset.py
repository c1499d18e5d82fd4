"""tempseg-check-dataset: what it says of itself, what it is given, what it prints and how it ends."""

import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command, capsys):
    """Runs the tool with these arguments; returns its exit status and all that it printed."""
    def run(*arguments):
        try:
            command('check_dataset', *arguments)
            status = 0
        except SystemExit as end:
            status = end.code
        said = capsys.readouterr()
        return status, said.out + said.err
    return run


@pytest.fixture
def broken(synthetic_root, tmp_path):
    """The tiny data set with a broken frame."""
    root = tmp_path / 'broken'
    shutil.copytree(synthetic_root, root)
    (root / 'JPEGImages/32p/test_000/00002.jpg').write_bytes(b'broken')
    return root


def test_help(call):
    status, text = call('--help')
    assert status == 0 and 'nothing is changed' in text and 'examples:' in text
    configs = re.findall(r'configs/\w+\.py', text)
    assert configs and all((ROOT / name).is_file() for name in configs)


def test_type_and_root(call, synthetic_root):
    arguments = ('--type', 'VOSDataset', '--root', synthetic_root, '--resolution', '32p')
    status, text = call(*arguments, '--workers', 2)
    assert status == 0 and '4 sequences to check' in text and '0 error(s), 0 warning(s)' in text
    assert re.search(r'^all 4 +24 +24 +24 +0 +0$', text, re.MULTILINE)
    assert '2 sequences to check' in call(*arguments, '--split', 'test')[1]


def test_errors_make_the_status(call, broken):
    status, text = call('--type', 'VOSDataset', '--root', broken, '--resolution', '32p')
    assert status == 1 and '1 error(s), 0 warning(s)' in text
    assert re.search(r'^error    test_000: image .*00002\.jpg cannot be decoded', text, re.MULTILINE)


def test_config(call, tiny_config, broken, tmp_path):
    path = tmp_path / 'tiny.py'
    tiny_config().dump(path)
    status, text = call(path)
    assert status == 0 and text.count('2 sequences to check') == 2
    root = f'test_dataloader.dataset.data_root={broken}'
    assert call(path, '--part', 'train', '--cfg-options', root)[0] == 0
    status, text = call(path, '--part', 'test', '--cfg-options', root)
    assert status == 1 and text.count('2 sequences to check') == 1


@pytest.mark.parametrize('arguments', [
    (), ('a.py', '--type', 'VOSDataset', '--root', 'x'), ('--type', 'VOSDataset'), ('--root', 'x'),
    ('a.py', '--root', 'x')])
def test_a_config_or_a_type_and_a_root(call, arguments):
    status, text = call(*arguments)
    assert status == 2 and 'expected a config, or both --type and --root' in text
