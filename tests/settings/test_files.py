from pathlib import Path

import pytest

from tempseg_mm.settings.files import read_config_file, unread_names

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.fixture
def write(tmp_path):
    def files(**texts):
        for name, text in texts.items():
            (tmp_path / f'{name}.py').write_text(text)
        return str(tmp_path / f'{name}.py')
    return files


def unread(path):
    return {(found.name, Path(found.path).stem) for found in unread_names(path)}


@pytest.mark.parametrize('text, names', [
    ('a = 1\nb = dict(c=a)\n', 'b'),
    ('a = 1\na = a + 1\n', ''),
    ('a, (b, *c) = 1, (2, 3)\n[d] = [b]\n', 'a c d'),
    ('a: int = 1\nfor b in (1, 2):\n    c = b\n', 'a c'),
    ('a = [b for b in range(3)]\nc = lambda d: d\n', 'a c'),
    ('a = 3\ndef f(b):\n    c = a\n    return c\n', ''),
    ('if True:\n    a = 1\n', 'a'),
    ('a = []\na.append(1)\n', ''),
])
def test_names_of_one_file(write, text, names):
    assert unread(write(one=text)) == {(name, 'one') for name in names.split()}


@pytest.mark.parametrize('line, names', [
    ('x = _base_.a', 'b'), ("x = _base_['a']", 'b'), ("x = _base_.get('a')", 'b'), ('x = {{_base_.a.b}}', 'b'),
    ('x = {**_base_}', ''), ('x = _base_.items()', ''), ('x = a', 'a b'), ('x = [_base_.a, _base_.b.c]', '')])
def test_names_that_a_child_reads(write, line, names):
    path = write(base='a = 1\nb = 2\n', child=f"_base_ = './base.py'\n{line}\n")
    assert unread(path) == {('x', 'child'), *((name, 'base') for name in names.split())}


def test_any_file_above_may_read(write):
    top = "_base_ = ['mid.py', './other.py']\nx = _base_.a\n"
    path = write(base='a = 1\nb = 2\n', mid="_base_ = './base.py'\na = 3\n", other='b = 4\n', top=top)
    assert unread(path) == {('x', 'top'), ('b', 'base'), ('b', 'other')}


def test_a_name_that_a_base_has_used_already(write):
    path = write(base='a = 1\nb = dict(c=a)\n', child="_base_ = './base.py'\na = 2\n")
    found, = (one for one in unread_names(path) if one.name == 'a')
    assert (Path(found.path).stem, Path(found.base).stem, found.inherits) == ('child', 'base', True)
    assert [(one.base, one.inherits) for one in unread_names(path) if one.name == 'b'] == [('', False)]


def test_variables_in_braces(write, monkeypatch):
    child = "_base_ = './{{$TEMPSEG_TEST_BASE:base}}_{{ fileBasenameNoExtension }}.py'\n"
    path = write(base_child='a = 1\n', other_child='b = 1\n', child=child)
    assert unread(path) == {('a', 'base_child')}
    monkeypatch.setenv('TEMPSEG_TEST_BASE', 'other')
    assert unread(path) == {('b', 'other_child')}


def test_data_files(write, tmp_path):
    write(base='a = 1\nb = 2\n')
    (tmp_path / 'c.yaml').write_text('_base_: ./base.py\nmodel:\n  x: {{_base_.a}}\nc: 3\n')
    assert unread(str(tmp_path / 'c.yaml')) == {('model', 'c'), ('c', 'c'), ('b', 'base')}
    (tmp_path / 'd.json').write_text('{"_base_": ["./base.py"], "d": {{ _base_.b }}}')
    assert unread(str(tmp_path / 'd.json')) == {('d', 'd'), ('a', 'base')}


def test_files_that_tell_nothing(write, tmp_path):
    assert unread_names(str(tmp_path / 'gone.py')) is None
    lazy = 'from mmengine.config import read_base\nwith read_base():\n    from .base import *\na = 1\n'
    assert unread_names(write(base='b = 1\n', lazy=lazy)) is None
    assert unread_names(write(child="_base_ = './gone.py'\n")) is None


def test_the_chain_of_a_config_of_the_project():
    file = read_config_file(str(CONFIGS / 'tempseg_davis_scratch.py'))
    assert [Path(base.path).stem for base in file.bases] == ['tempseg_davis_mobilenet']
    assert len(file.bases[0].bases[0].bases) == 5
    assert {'object_window', 'clip_window', 'clip_flow', 'colours', 'deform'} <= file.read_of_bases
    assert {'clip_window', 'object_window'} <= file.assigned & file.read
