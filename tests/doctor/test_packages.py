import ast
import sys
import types
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tempseg_mm.doctor.packages import PACKAGES, Package, check_package, check_packages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def fake(monkeypatch):
    """A package of this name and version that can be imported."""
    def make(name, **attributes):
        module = types.ModuleType(name)
        vars(module).update(attributes)
        monkeypatch.setitem(sys.modules, name, module)
        return module
    return make


def test_floors_are_those_of_setup():
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    lists = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    assert {package.requirement for package in PACKAGES if not package.use or ';' in package.requirement} == set(
        ast.literal_eval(lists['INSTALL_REQUIRES']))
    extras = ast.literal_eval(lists['EXTRAS'])
    del extras['dev'], extras['docs']  # for those who work on the project
    assert {package.requirement for package in PACKAGES if package.use and ';' not in package.requirement} == {
        requirement for extra in extras.values() for requirement in extra}
    for package in PACKAGES:
        requirement = Requirement(package.requirement)
        assert (package.name, f'>={package.floor}' if package.floor else '') == (
            requirement.name, str(requirement.specifier))


def test_what_the_tests_run_with_is_well():
    checks = check_packages()
    assert [check.name for check in checks if check.is_fault] == []
    assert [check.name for check in checks] == ['tempseg_mm', *(package.name for package in PACKAGES)]


@pytest.mark.parametrize('version, floor, state', [
    ('2.1.0', '2.1', 'ok'), ('2.13.0+cpu', '2.1', 'ok'), ('2.0.1', '2.1', 'too old'), ('10.0', '9.5', 'ok'),
    ('1.9', '1.24', 'too old'), ('2.1.0rc1', '2.1', 'ok'), ('unknown', '2.1', 'too old'), ('0.0', '', 'ok'),
])
def test_versions(fake, version, floor, state):
    fake('faked', __version__=version)
    check = check_package(Package('faked', f'faked>={floor}' if floor else 'faked'))
    assert check.state == state
    if state == 'too old':
        assert check.text == f'{version}; {floor} or later is needed'
        assert check.remedy == f"{sys.executable} -m pip install --upgrade 'faked>={floor}'"


def test_version_of_a_module_that_has_none_is_that_of_its_distribution(fake):
    fake('faked')
    assert check_package(Package('faked', 'pillow')).text == __import__('PIL').__version__
    assert check_package(Package('faked', 'faked')).text == 'unknown version'


def test_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, 'faked', None)
    needed = check_package(Package('faked', 'faked-lite>=2', hint='needs a compiler'))
    assert (needed.state, needed.is_fault) == ('missing', True)
    assert needed.remedy == f"{sys.executable} -m pip install 'faked-lite>=2'   (needs a compiler)"
    optional = check_package(Package('gone_altogether.part', 'gone', use='flow'))
    assert (optional.state, optional.text, optional.is_fault) == ('missing', 'for flow', False)


@pytest.mark.parametrize('code, text, remedy', [
    ('raise OSError("libcudart.so.12: cannot open")', 'cannot be imported: OSError: libcudart', '--force-reinstall'),
    ('raise SystemExit(3)', 'cannot be imported: SystemExit: 3', '--force-reinstall'),
    ('from math import nothing', 'cannot be imported: ImportError', '--force-reinstall'),
    ('import not_there', 'needs not_there, which is not installed', 'install not_there'),
])
def test_broken(tmp_path, monkeypatch, code, text, remedy):
    (tmp_path / 'faked_broken.py').write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    check = check_package(Package('faked_broken', 'faked-broken'))
    assert check.state == 'broken' and text in check.text and remedy in check.remedy and check.is_fault


def test_one_broken_package_does_not_hide_the_next(monkeypatch, fake):
    monkeypatch.setitem(sys.modules, 'faked', None)
    fake('other', __version__='3.0')
    states = [check.state for check in check_packages([Package('faked', 'faked'), Package('other', 'other>=2')])]
    assert states == ['ok', 'missing', 'ok']


def test_what_a_package_prints_does_not_come_between(tmp_path, monkeypatch, capsys):
    (tmp_path / 'faked_chatty.py').write_text('print("hello")\n__version__ = "1.0"')
    monkeypatch.syspath_prepend(tmp_path)
    assert check_package(Package('faked_chatty', 'faked')).text == '1.0'
    assert capsys.readouterr().out == ''
