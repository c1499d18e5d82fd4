"""Rules of the repository that matter enough to be tests. Each reports every violation at once."""

import ast
import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest
import repository_rules as rules
from mmengine.config import Config
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
MODULES = rules.read_package(ROOT)
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)
PAGES = [*sorted(ROOT.glob('*.md')), ROOT / 'weights/README.md', *sorted((ROOT / 'docs').rglob('*.md')),
         *sorted((ROOT / 'docs').rglob('*.ipynb'))]
LONGEST_FILE = 300
MOST_ARGUMENTS = 9  # of a constructor
UNTESTED: set[str] = set()  # modules without a test file of their own; to be kept empty


def report(violations: list[str]) -> None:
    if violations:
        pytest.fail(f'{len(violations)} violation(s):\n  ' + '\n  '.join(violations), pytrace=False)


def all_python_files() -> list[Path]:
    folders = ('tempseg_mm', 'tests', 'tools', 'benchmarks', 'configs')
    return [ROOT / 'setup.py', *(path for folder in folders for path in sorted((ROOT / folder).rglob('*.py')))]


# Architecture


def test_imports_go_down_only():
    report([fault for module in MODULES.values() for fault in rules.layer_violations(module)])


def test_contributing_shows_the_storeys():
    text = (ROOT / 'CONTRIBUTING.md').read_text(encoding='utf-8')
    assert ' → '.join(f'`{", ".join(rooms)}`' for rooms in rules.STOREYS) in text


def test_concepts_names_every_room():
    text = (ROOT / 'docs/concepts.md').read_text(encoding='utf-8')
    rows = re.findall(r'^\| (`tempseg_mm/.*?) \|', text, flags=re.MULTILINE)
    named = [name.split('/')[1].removesuffix('.py') for row in rows for name in re.findall(r'`(.*?)`', row)]
    assert sorted(named) == sorted(room for rooms in rules.STOREYS for room in rooms)


def test_no_import_circles():
    report(rules.import_circles(rules.import_graph(MODULES)))


def test_every_folder_of_modules_is_a_package():
    folders = {path.parent for path in (ROOT / 'tempseg_mm').rglob('*.py')}
    report([f'{folder.relative_to(ROOT)} has no __init__.py: find_packages would leave it out'
            for folder in sorted(folders) if not (folder / '__init__.py').exists()])


def test_tests_mirror_the_package():
    expected = {name: ROOT.joinpath('tests', *name.split('.')[1:-1], f'test_{name.split(".")[-1]}.py')
                for name, module in MODULES.items() if not module.is_package and name not in UNTESTED}
    report([f'{name}: {path.relative_to(ROOT)} is missing' for name, path in expected.items() if not path.exists()])


# Style


def test_library_code_holds_nothing_forbidden():
    report([fault for module in MODULES.values() for fault in rules.forbidden_constructs(module)])


def test_no_hook_looks_up_another():
    report([fault for module in MODULES.values() for fault in rules.hook_lookups(module)])


def test_files_are_short():
    lengths = {path: len(path.read_text(encoding='utf-8').splitlines()) for path in all_python_files()}
    report([f'{path.relative_to(ROOT)}: {length} lines' for path, length in lengths.items() if length > LONGEST_FILE])


def test_no_code_asks_for_one_kind_of_device():
    lines = [(path, number, line) for path in all_python_files()
             for number, line in enumerate(path.read_text(encoding='utf-8').splitlines(), 1)]
    report([f'{path.relative_to(ROOT)}:{number} moves tensors by their method cuda: use .to(device)'
            for path, number, line in lines if re.search(r'[\w\])]\.cuda\(', line)])


def test_constructors_take_few_arguments():
    report([fault for module in MODULES.values() for fault in rules.long_constructors(module, MOST_ARGUMENTS)])


def test_everything_public_has_a_docstring():
    report([name for module in MODULES.values() for name in rules.missing_docstrings(module) if not is_override(name)])


def is_override(name: str) -> bool:
    """Whether ``module:Class.method`` takes the place of a method of a base class, and so inherits its description."""
    module, _, path = name.partition(':')
    owner, _, method = path.partition('.')
    return bool(method) and any(
        hasattr(base, method) for base in getattr(importlib.import_module(module), owner).__mro__[1:])


# Configs


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_config_loads_and_says_how_to_run_it(path):
    Config.fromfile(path)
    text = path.read_text(encoding='utf-8')
    header = ast.get_docstring(ast.parse(text)) or ''.join(re.findall(r'\A(?:#.*\n)+', text))
    command = rf'tempseg-(train|test|segment) .*{re.escape(str(path.relative_to(ROOT)))}'
    if not re.search(command, header):
        pytest.fail(f'the header must give the command that runs it, matching {command!r}', pytrace=False)


def test_there_are_configs():
    assert CONFIGS, 'configs/ holds nothing outside _base_'


# Pages, packaging, checks


@pytest.mark.parametrize('path', PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_in_pages_exist(path):
    report(rules.dead_references(path, ROOT))


def test_anchors_named_in_code_exist():
    files = [path for path in all_python_files() if path != Path(__file__)]
    report([fault for path in files for fault in rules.dead_anchors_in_code(path, ROOT)])


def test_readme_sets_up_with_two_commands():
    text = (ROOT / 'README.md').read_text(encoding='utf-8')
    run, test = rules.readme_command(text, 'run'), rules.readme_command(text, 'test')
    for command in (run, test):
        assert command.startswith('python3 -m venv .venv && .venv/bin/pip install -r requirements')
    assert 'configs/tempseg_synthetic.py' in run
    assert test.endswith('.venv/bin/python -m pytest')


def test_ci_runs_the_command_of_the_readme():
    script = ROOT / '.ci' / 'run'
    assert os.access(script, os.X_OK), 'chmod +x .ci/run'
    awk = re.search(r"awk '(.+?)' README\.md", script.read_text(encoding='utf-8')).group(1)
    taken = subprocess.run(['awk', awk, 'README.md'], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert taken.strip() == rules.readme_command((ROOT / 'README.md').read_text(encoding='utf-8'), 'test')


def requirements(name: str) -> dict[str, Requirement]:
    lines = (ROOT / name).read_text(encoding='utf-8').splitlines()
    found = [Requirement(line.split('#')[0]) for line in lines if re.match(r'\w', line)]
    return {requirement.name: requirement for requirement in found}


@pytest.mark.parametrize('pinned', ['requirements.txt', 'requirements-dev.txt'])
def test_pins_cover_the_floors(pinned):
    tree = ast.parse((ROOT / 'setup.py').read_text(encoding='utf-8'))
    lists = {node.targets[0].id: node.value for node in tree.body if isinstance(node, ast.Assign)}
    floors = ast.literal_eval(lists['INSTALL_REQUIRES']) if pinned == 'requirements.txt' else (
        ast.literal_eval(lists['EXTRAS'])['dev'])
    pins = requirements(pinned)
    for floor in map(Requirement, floors):
        assert floor.name in pins, f'{floor.name} of setup.py is not pinned in {pinned}'
        pin = str(pins[floor.name].specifier)
        assert pin.startswith('=='), f'{pinned}: {floor.name} must be pinned with =='
        assert floor.specifier.contains(pin[2:])


def test_changelog_opens_with_the_version_of_the_package():
    namespace = {}
    exec((ROOT / 'tempseg_mm' / '__init__.py').read_text(encoding='utf-8'), namespace)
    newest = re.search(r'^## (\S+)', (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8'), re.MULTILINE).group(1)
    assert newest == namespace['__version__']


# The rules themselves: each must catch what it is there for


def module(source: str, name: str = 'tempseg_mm.models.x', is_package: bool = False) -> rules.Module:
    return rules.Module(name, source, is_package)


@pytest.mark.parametrize('source, fault', [
    ('import tempseg_mm', 'package root'),
    ('from .. import registry', 'package root'),
    ('from ..engine.loops import Loop', 'not on a lower storey'),
    ('def f():\n    from tempseg_mm.apis import Inferencer', 'not on a lower storey'),
    ('from tempseg_mm.misc.things import thing', 'no storey'),
])
def test_layer_rule_catches(source, fault):
    assert fault in rules.layer_violations(module(source))[0]


def test_layer_rule_allows_lower_rooms_alone():
    assert rules.layer_violations(module('import torch\nfrom ..ops.warp import a\nfrom .y import b')) == []
    assert rules.layer_violations(module('from ..flow.dis import a', 'tempseg_mm.datasets.x')) == []
    assert rules.layer_violations(module('from ..datasets.x import a', 'tempseg_mm.flow.untrained')) != []
    assert rules.layer_violations(module('from ...ops.warp import a', 'tempseg_mm.models.losses', True)) == []


def test_circle_rule_follows_submodules_and_ignores_type_checking():
    package = {
        'tempseg_mm.ops': module('from .a import f', 'tempseg_mm.ops', True),
        'tempseg_mm.ops.a': module('def f():\n    from . import b', 'tempseg_mm.ops.a'),
        'tempseg_mm.ops.b': module('from tempseg_mm.ops.a import f', 'tempseg_mm.ops.b'),
        'tempseg_mm.ops.c': module('if TYPE_CHECKING:\n    from .d import D', 'tempseg_mm.ops.c'),
        'tempseg_mm.ops.d': module('from .c import C', 'tempseg_mm.ops.d'),
    }
    assert rules.import_circles(rules.import_graph(package)) == ['circle: tempseg_mm.ops.a, tempseg_mm.ops.b']


@pytest.mark.parametrize('source', [
    'assert x', 'try:\n    f()\nexcept:\n    pass', 'from a import *', 'print(1)', 'exit(1)', 'sys.exit()',
    'import unittest.mock', 'from unittest import mock', 'import os, unittest',
    'raise SystemExit(2)', 'def f(a=[]): pass', 'def f(*, a={}): pass', 'def f(a=dict()): pass',
])
def test_forbidden_rule_catches(source):
    assert len(rules.forbidden_constructs(module(source))) == 1


@pytest.mark.parametrize('arguments, count', [
    ('self, a, b, *, c', 3), ('self, a, /, b, c=0', 3), ('self, a, b', None), ('self, a, b, *args, **kwargs', None),
    ('self, a, b, *, init_cfg=None', None),
])
def test_constructor_rule_counts(arguments, count):
    source = f'class A:\n    def __init__({arguments}): pass\n    def b(self, c, d, e, f): pass'
    expected = [] if count is None else [f'tempseg_mm.models.x:A takes {count} arguments']
    assert rules.long_constructors(module(source), 2) == expected


@pytest.mark.parametrize('source', ['x = [h for h in runner.hooks]', 'def f(self):\n    self.runner._hooks.pop()'])
def test_hook_rule_catches(source):
    assert len(rules.hook_lookups(module(source, 'tempseg_mm.engine.hooks.x'))) == 1
    assert rules.hook_lookups(module(source, 'tempseg_mm.engine.loops.x')) == []  # which calls them


def test_docstring_rule_lists_what_is_public():
    source = ('class A:\n    def b(self): pass\n    def _c(self): pass\n    def before_train(self): pass\n'
              '    @property\n    def d(self): pass\ndef e(): pass\ndef _f(): pass\n')
    name = 'tempseg_mm.models.x'
    assert rules.missing_docstrings(module(source)) == [name, f'{name}:A', f'{name}:A.b', f'{name}:e']


@pytest.mark.parametrize('text, message', [
    ('nothing', 'exactly one line'),
    ('<!-- run -->\n```bash\na\n```\n<!-- run -->\n```bash\na\n```\n', 'exactly one line'),
    ('<!-- run -->\n```bash\na\nb\n```\n', 'found 2 lines'),
    ('<!-- run -->\n\nwords\n```bash\na\n```\n', 'found 0 lines'),
])
def test_readme_rule_catches(text, message):
    with pytest.raises(ValueError, match=message):
        rules.readme_command(text, 'run')


def test_reference_rule_catches_dead_links_anchors_and_paths(tmp_path):
    (tmp_path / 'docs').mkdir()
    (tmp_path / 'docs' / 'here.md').write_text('# A part\n```bash\n# Gone\n```\n')
    page = tmp_path / 'page.md'
    page.write_text('[a](docs/here.md#a-part) [b](gone.md) [c](https://x.y/z#a) `docs/<name>.md` run tools/train.py.'
                    '[d](docs/here.md#gone) [e](#here)\n\n## Here')
    assert rules.dead_references(page, tmp_path) == [
        'page.md: link to gone.md', 'page.md: link to docs/here.md#gone', 'page.md: tools/train.py.']
    code = tmp_path / 'code.py'
    code.write_text("raise ValueError('see docs/here.md#a-part, docs/here.md#b-part, gone.md#a')")
    assert rules.dead_anchors_in_code(code, tmp_path) == ['code.py: docs/here.md#b-part', 'code.py: gone.md#a']


def test_anchors_are_those_of_a_code_host():
    text = ('# One, two: `three_3`\n## J & F\n## [Link](x.md#y) to-it!\n## J & F\n```\n# none\n```\n<a id="own"></a>\n'
            '#### J & F ##\n')
    assert rules.anchors(text) == {'one-two-three_3', 'j--f', 'link-to-it', 'j--f-1', 'j--f-2', 'own'}
