"""Rules of what must be listed where, as functions: sources in, a list of violations out. Called by test_catalogue.py.

Like ``repository_rules``, everything is read from syntax trees and text; nothing of the package is imported.
"""

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from repository_rules import PACKAGE, Module

CITATION = re.compile(r'\bpaper\s+notes?\s+(P\d+(?:(?:,|\s+and|\s+to)\s+P\d+)*)|\((P\d+)(?:,\s+P\d+)*\)', re.IGNORECASE)
NOTE = re.compile(r'^### (P\d+) (.+)$', re.MULTILINE)
NOTE_LINK = re.compile(r'\[(P\d+)\]\(#([^)]+)\)')


def unlisted_names(package: Module) -> list[str]:
    """What an ``__init__.py`` imports and does not list in ``__all__``, and what it lists without importing it."""
    imported = {name for name in _imported(package) if not name.startswith('_')}
    listed = set(_listed(package))
    return [f'{package.name}: {name} is imported, but not in __all__' for name in sorted(imported - listed)] + \
           [f'{package.name}: {name} is in __all__, but not imported' for name in sorted(listed - imported)]


def _imported(module: Module) -> Iterator[str]:
    for node in module.tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)


def _listed(module: Module) -> Iterable[str]:
    for node in module.tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '__all__':
            return ast.literal_eval(node.value)
    return ()


def unreachable_registrations(modules: dict[str, Module]) -> list[str]:
    """Registered classes that the ``__init__.py`` beside them does not import, or whose package no room imports: a
    config that names one would not find it."""
    found = []
    for name, module in modules.items():
        package = name.rpartition('.')[0]
        for registered in _registered(module):
            if registered not in _imported(modules[package]):
                found.append(f'{name}: {registered} is registered, but {package} does not import it')
            elif package.count('.') > 1 and not _imports_package(modules[package.rpartition('.')[0]], package):
                found.append(f'{name}: {registered} is registered, but {package.rpartition(".")[0]} does not import '
                             f'{package}')
    return found


def _registered(module: Module) -> Iterator[str]:
    """Names of what a module registers, by decorator or by a call with ``module=``."""
    for node in ast.walk(module.tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            if any(_is_registration(mark) for mark in node.decorator_list):
                yield node.name
        elif isinstance(node, ast.Call) and _is_registration(node):
            yield from (ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == 'module')


def _is_registration(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func).endswith('.register_module')


def _imports_package(room: Module, package: str) -> bool:
    part = package.rpartition('.')[2]
    return any(isinstance(node, ast.ImportFrom) and node.level == 1
               and (part in (node.module or '').split('.')[:1] or not node.module and part in _imported(room))
               for node in room.tree.body)


def faulty_notes(page: str) -> list[str]:
    """Numbers of the paper notes that are given twice, or that the table at the head of the page does not link."""
    notes = NOTE.findall(page)
    counts = Counter(number for number, _ in notes)
    found = [f'{number} is defined {count} times' for number, count in counts.items() if count > 1]
    anchors = {f'{number} {title}'.lower().replace(' ', '-').translate({ord(c): None for c in ',.'}): number
               for number, title in notes}
    links = NOTE_LINK.findall(page)
    found += [f'{number} links to #{anchor}, which is not it' for number, anchor in links
              if anchors.get(anchor) != number]
    return found + [f'{number} is not in the table' for number in anchors.values() if number not in dict(links)]


def unknown_notes(text: str, page: str) -> list[str]:
    """Paper notes that a text cites and the page does not define."""
    known = {number for number, _ in NOTE.findall(page)}
    cited = {number.upper() for match in CITATION.finditer(text) for number in re.findall(r'P\d+', match[0], re.I)}
    return sorted(cited - known)


def tests_without_module(tests: Path, modules: Collection[str], exempt: Collection[str]) -> list[str]:
    """Test files in the folder of a room that belong to no module.

    Args:
        tests: the folder of tests.
        modules: dotted names of all modules.
        exempt: folders and files below ``tests`` that mirror nothing. Files of ``tests`` itself mirror nothing either.
    """
    found = []
    for path in sorted(tests.rglob('test_*.py')):
        place = path.relative_to(tests)
        if len(place.parts) == 1 or not {str(place), place.parts[0]}.isdisjoint(exempt):
            continue
        module = '.'.join((PACKAGE, *place.parts[:-1], place.stem.removeprefix('test_')))
        if module not in modules:
            found.append(f'tests/{place}: there is no module {module}')
    return found
