"""What must be listed where: public names, registered classes, paper notes, tests. Each reports every violation."""

from pathlib import Path

import catalogue_rules as rules
import pytest
from repository_rules import Module, read_package

ROOT = Path(__file__).resolve().parents[1]
MODULES = read_package(ROOT)
NOTES = 'docs/paper_notes.md'
CITING = ('tempseg_mm', 'configs', 'tools', 'docs', 'benchmarks', 'tests')
# Tests of more than one module: folders first, then files. Shorten it where one gets a module or goes.
MIRRORS_NOTHING = {
    'benchmarks', 'configs', 'fuzz', 'survival',
    'annotator/test_any_request.py', 'annotator/test_page_in_browser.py', 'annotator/test_real_sequence.py',
    'apis/inferencer/test_memory_of_a_run.py', 'apis/inferencer/test_several_runs.py',
    'apis/test_one_walk.py', 'engine/loops/test_when_terms_are_read.py', 'inference/test_steps_of_finetuning.py',
    'commands/test_command_line.py', 'commands/test_documented_commands.py', 'commands/test_folders_in_use.py',
    'commands/test_packaging.py', 'commands/test_segment_inputs.py', 'commands/test_typed_options.py',
}


def report(violations: list[str]) -> None:
    if violations:
        pytest.fail(f'{len(violations)} violation(s):\n  ' + '\n  '.join(violations), pytrace=False)


def test_packages_list_what_they_import():
    report([fault for module in MODULES.values() if module.is_package for fault in rules.unlisted_names(module)])


def test_registered_classes_are_found_by_their_package():
    report(rules.unreachable_registrations(MODULES))


def test_paper_notes_have_one_number_each():
    report(rules.faulty_notes((ROOT / NOTES).read_text(encoding='utf-8')))


def test_cited_paper_notes_exist():
    page = (ROOT / NOTES).read_text(encoding='utf-8')
    files = [path for folder in CITING for path in sorted((ROOT / folder).rglob('*')) if path.suffix in ('.py', '.md')]
    files = [path for path in [*files, *ROOT.glob('*.md')] if path != Path(__file__).resolve()]
    report([f'{path.relative_to(ROOT)} cites {number}, which {NOTES} does not define'
            for path in files for number in rules.unknown_notes(path.read_text(encoding='utf-8'), page)])


def test_test_files_have_a_module():
    report(rules.tests_without_module(ROOT / 'tests', MODULES, MIRRORS_NOTHING))
    report([f'{place} is exempt, but not there' for place in MIRRORS_NOTHING if not (ROOT / 'tests' / place).exists()])


# The rules themselves: each must catch what it is there for


def package(source: str, name: str = 'tempseg_mm.models') -> Module:
    return Module(name, source, is_package=True)


def test_the_rule_of_names_catches_both_ways():
    assert rules.unlisted_names(package("from .a import A, B\n__all__ = ['A', 'C']")) == [
        'tempseg_mm.models: B is imported, but not in __all__', 'tempseg_mm.models: C is in __all__, but not imported']
    assert rules.unlisted_names(package('from .a import A')) == ['tempseg_mm.models: A is imported, but not in __all__']
    assert rules.unlisted_names(package("from . import a\nfrom .b import _c\n__all__ = ['a']")) == []
    assert rules.unlisted_names(package('')) == []


@pytest.mark.parametrize('source', ['@MODELS.register_module()\nclass A: pass', 'MODELS.register_module(module=A)',
                                    "@MODELS.register_module(name='a')\ndef A(): pass"])
def test_the_rule_of_registrations_catches(source):
    def found(beside, room='from . import losses'):
        modules = {'tempseg_mm': package('', 'tempseg_mm'), 'tempseg_mm.models': package(room),
                   'tempseg_mm.models.losses': package(beside, 'tempseg_mm.models.losses'),
                   'tempseg_mm.models.losses.a': Module('tempseg_mm.models.losses.a', source)}
        return rules.unreachable_registrations(modules)
    assert found('from .a import A') == found('from .a import A', 'from .losses import A') == []
    assert found('') == [
        'tempseg_mm.models.losses.a: A is registered, but tempseg_mm.models.losses does not import it']
    assert found('from .a import A', 'from .heads import losses_of') == [
        'tempseg_mm.models.losses.a: A is registered, but tempseg_mm.models does not import tempseg_mm.models.losses']


def test_the_rule_of_numbers_catches():
    page = '[P1](#p1-a-b) [P2](#p2-gone)\n\n### P1 A, b\n\n### P2 C\n\n### P3 D\n\n### P3 E\n'
    assert rules.faulty_notes(page) == ['P3 is defined 2 times', 'P2 links to #p2-gone, which is not it',
                                        'P3 is not in the table', 'P3 is not in the table']
    assert rules.faulty_notes('[P1](#p1-a)\n### P1 A\n') == []


@pytest.mark.parametrize('text, unknown', [
    ('(paper note P1)', []), ('paper note P7', ['P7']), ('paper\n    note P8.', ['P8']), ('Paper note P9: x', ['P9']),
    ('paper notes P1, P5 and P6', ['P5', 'P6']), ('in eval mode (P4),', ['P4']), ('P99 of all, VP80, P6 files', []),
])
def test_the_rule_of_citations_catches(text, unknown):
    assert rules.unknown_notes(text, '### P1 A\n') == unknown


def test_the_rule_of_test_files_catches(tmp_path):
    for name in ('ops/test_warp.py', 'ops/test_wrap.py', 'fuzz/test_all.py', 'ops/test_two.py', 'test_docs.py'):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert rules.tests_without_module(tmp_path, {'tempseg_mm.ops.warp'}, {'fuzz', 'ops/test_two.py'}) == [
        'tests/ops/test_wrap.py: there is no module tempseg_mm.ops.wrap']
