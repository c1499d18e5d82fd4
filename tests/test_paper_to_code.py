"""docs/paper_to_code.md: every name, file, setting, test and paper note exists, and no equation is left out."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from mmengine.config import Config

from tempseg_mm.settings.components import component_at

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / 'docs/paper_to_code.md').read_text(encoding='utf-8')
NOTES = (ROOT / 'docs/paper_notes.md').read_text(encoding='utf-8')
NAMED = re.findall(r'\[`([^`]+)`\]\(\.\./((?:tempseg_mm|tests)/[^)]+\.py)\)', PAGE)
LINKED = re.findall(r'\[`([^`]+)`\]\(\.\./configs/([^)]+)\)', PAGE)
TOP = 'model|train_|test_|optim_wrapper|param_scheduler|default_hooks|checkpoint|flow'
SETTING = re.compile(rf'^((?:{TOP})[\w.]*)=(.+)$')
PLAIN = [('tempseg_davis.py', text) for link, text in re.findall(r'(\[?)`([^`]+)`', PAGE)
         if not link and SETTING.match(text)]
SETTINGS = sorted({*PLAIN, *((path, text) for text, path in LINKED)})
EQUATIONS = [*(f'eq. {number}' for number in range(1, 11)), 'Algorithm 1', 'Algorithm 2']
SECTIONS = ['Section 1', 'Section 2', 'Section 2.1', 'Section 3', 'Section 4', 'Section 5', 'Section 6', 'Section 6.1',
            'Section 6.2', 'Section 6.3', 'Table 1', 'Table 2', 'Section 7', 'Appendix A', 'Appendix B']


@cache
def names_in(path: str) -> set[str]:
    """Functions, classes and ``Class.method`` that a file defines."""
    found = set()
    for node in ast.parse((ROOT / path).read_text(encoding='utf-8')).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f'{node.name}.{part.name}' for part in node.body if isinstance(part, ast.FunctionDef)}
    return found


@cache
def config(path: str) -> Config:
    return Config.fromfile(ROOT / 'configs' / path)


def value_at(cfg: Config, key: str):
    """The value of a setting; of one that the config leaves out, the default of the part that would take it."""
    part, place = cfg.to_dict(), ()
    *way, last = key.split('.')
    for step in way:
        if isinstance(part, list):
            step = next(i for i, item in enumerate(part) if item['type'] == step)
        part, place = part[step], (*place, step)
    if last in part:
        return part[last]
    builder = component_at(place, part['type'])
    return next(inspect.signature(kind).parameters[last].default for kind in builder.__mro__
                if last in inspect.signature(kind).parameters)


@pytest.mark.parametrize('name, path', sorted(set(NAMED)))
def test_code_and_tests_are_where_the_page_says(name, path):
    assert name in names_in(path)


@pytest.mark.parametrize('path, text', SETTINGS)
def test_settings_have_the_values_of_the_page(path, text, monkeypatch):
    monkeypatch.delenv('TEMPSEG_BASE', raising=False)
    key, value = SETTING.match(text).groups()
    found = value_at(config(path), key)
    assert str(tuple(found) if isinstance(found, list) else found) == value


def test_every_kind_of_row_was_found():
    assert len(NAMED) > 100 and len(LINKED) > 10 and len(PLAIN) > 40
    assert all(SETTING.match(text) for text, _ in LINKED)


def test_every_equation_has_code_and_a_test():
    table = PAGE.split('## Equations and algorithms')[1].split('\n## ')[0]
    rows = {row.split('|')[1].strip(): row for row in table.splitlines() if row.startswith('| ')}
    assert sorted(set(rows) - {'equation'}) == sorted(EQUATIONS)
    for name in EQUATIONS:
        assert '(../tempseg_mm/' in rows[name] and '(../tests/' in rows[name], name


def test_every_part_of_the_paper_has_a_heading():
    headings = re.findall(r'^##+ (.+)$', PAGE, re.MULTILINE)
    assert [name for name in SECTIONS if not any(re.match(rf'{name}\b(?!\.\d)', heading) for heading in headings)] == []


def test_every_paper_note_is_named_and_real():
    known = set(re.findall(r'^### (P\d+) ', NOTES, re.MULTILINE))
    assert set(re.findall(r'\bP\d+\b', PAGE)) == known
    anchors = {f'{number} {title}'.lower().replace(' ', '-').replace(',', '').replace('.', '')
               for number, title in re.findall(r'^### (P\d+) (.+)$', NOTES, re.MULTILINE)}
    assert set(re.findall(r'paper_notes\.md#([\w-]+)', PAGE)) <= anchors


@pytest.mark.parametrize('key, value', [('model.width', 1.0), ('model.generator.backbone.dropout', 0.5),
                                        ('train_dataloader.dataset.pipeline.ClipRandomAffine.flip', 0.5)])
def test_the_rule_of_settings_finds_values_and_defaults(key, value):
    assert value_at(config('tempseg_davis.py'), key) == value


@pytest.mark.parametrize('key', ['model.widht', 'model.losses.l2.delta', 'train_dataloader.dataset.pipeline.No.x'])
def test_the_rule_of_settings_catches(key):
    with pytest.raises((KeyError, StopIteration)):
        value_at(config('tempseg_davis.py'), key)
