"""The house rules as functions: Python source in, a list of violations out. Called by test_repository.py.

Everything is read from the syntax tree, so nothing is imported and a violation has a line number.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = 'tempseg_mm'

# Rooms from the ground up. A room may import those of the storeys below it; rooms of one storey stay apart.
STOREYS = (
    ('registry',),
    ('runtime',),
    ('structures', 'ops'),
    ('flow', 'visualization'),
    ('sources',),
    ('datasets',),
    ('evaluation', 'models'),
    ('inference',),
    ('engine',),
    ('settings',),
    ('apis',),
    ('paper_tables', 'doctor', 'annotator'),
    ('commands',),
)
LEVEL = {room: level for level, rooms in enumerate(STOREYS) for room in rooms}

MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
EXITS = {'exit', 'quit', 'sys.exit', 'os._exit'}


@dataclass(frozen=True)
class Module:
    """A module of the package: dotted name, source, and whether it is an ``__init__.py``."""
    name: str
    source: str
    is_package: bool = False

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.source, filename=self.name)

    @property
    def room(self) -> str:
        return self.name.split('.')[1] if '.' in self.name else ''


def read_package(root: Path) -> dict[str, Module]:
    """Every module below ``root/tempseg_mm``, by dotted name."""
    modules = {}
    for path in sorted((root / PACKAGE).rglob('*.py')):
        parts = path.relative_to(root).with_suffix('').parts
        is_package = parts[-1] == '__init__'
        name = '.'.join(parts[:-1] if is_package else parts)
        modules[name] = Module(name, path.read_text(encoding='utf-8'), is_package)
    return modules


def _is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).split('.')[-1] == 'TYPE_CHECKING'


def _nodes(node: ast.AST, type_checking: bool) -> Iterator[ast.AST]:
    """Like ast.walk; without the bodies of ``if TYPE_CHECKING`` unless asked for."""
    yield node
    children = node.orelse if _is_type_checking(node) and not type_checking else ast.iter_child_nodes(node)
    for child in children:
        yield from _nodes(child, type_checking)


def imports(module: Module, *, type_checking: bool = True) -> list[tuple[int, str, tuple[str, ...]]]:
    """(line, absolute module, imported names) of every import of our own package, also those inside functions."""
    found = []
    for node in _nodes(module.tree, type_checking):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ''
            if node.level:
                up = node.level - module.is_package
                stem = module.name.split('.')[:-up] if up else module.name.split('.')
                base = '.'.join(stem + ([node.module] if node.module else []))
            found.append((node.lineno, base, tuple(alias.name for alias in node.names)))
    return [entry for entry in found if entry[1].split('.')[0] == PACKAGE]


def layer_violations(module: Module) -> list[str]:
    """Imports of the package root, of a storey above, or of another room of the same storey."""
    found = []
    for line, target, names in imports(module):
        where = f'{module.name}:{line}'
        if target == PACKAGE:
            found.append(f'{where} imports the package root; import the defining module')
            continue
        room = target.split('.')[1]
        if room not in LEVEL:
            found.append(f'{where} imports {target}: room {room!r} has no storey in STOREYS')
        elif module.room and room != module.room:
            if LEVEL.get(module.room, -1) <= LEVEL[room]:
                found.append(f'{where} imports {target} ({", ".join(names) or "whole"}): not on a lower storey')
    if module.room and module.room not in LEVEL:
        found.append(f'{module.name}: room {module.room!r} has no storey in STOREYS')
    return found


def import_graph(modules: dict[str, Module]) -> dict[str, set[str]]:
    """Which module of ours imports which, TYPE_CHECKING left out; ``from package import x`` points to x if a module."""
    graph = {name: set() for name in modules}
    for name, module in modules.items():
        for _, target, names in imports(module, type_checking=False):
            submodules = {f'{target}.{imported}' for imported in names} & modules.keys()
            graph[name] |= submodules
            if target in modules and (not names or len(submodules) < len(names)):
                graph[name].add(target)
    return graph


def import_circles(graph: dict[str, set[str]]) -> list[str]:
    """Groups of modules that import each other, directly or by a way round."""
    reach = {name: _reachable(graph, name) for name in graph}
    circles = {frozenset(other for other in reach[name] if name in reach[other]) for name in graph} - {frozenset()}
    return [f'circle: {", ".join(sorted(circle))}' for circle in sorted(circles, key=sorted)]


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen, todo = set(), [start]
    while todo:
        for following in graph[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    return seen


def forbidden_constructs(module: Module) -> list[str]:
    """What library code must not hold: assert, bare except, star import, unittest, mutable defaults; outside a command
    print and exit."""
    found = []
    for node in ast.walk(module.tree):
        found += [f'{module.name}:{getattr(node, "lineno", "?")} {fault}' for fault in _faults(node)]
    return [fault for fault in found if module.room != 'commands' or not re.search(r' (print|sys\.exit\(\)):', fault)]


def _faults(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Assert):
        yield 'assert: raise an exception that names the fault'
    elif isinstance(node, ast.ExceptHandler) and node.type is None:
        yield 'bare except'
    elif isinstance(node, ast.ImportFrom) and any(alias.name == '*' for alias in node.names):
        yield 'star import'
    elif 'unittest' in _top_level_imports(node):
        yield 'unittest: for tests; do in code what a patch would do'
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func)
        if called == 'print':
            yield 'print: use the logger'
        elif called in EXITS:
            yield f'{called}(): raise an exception'
    elif isinstance(node, ast.Raise) and node.exc is not None and ast.unparse(node.exc).startswith('SystemExit'):
        yield 'raise SystemExit: raise an exception that says what is wrong'
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            called = ast.unparse(default.func) if isinstance(default, ast.Call) else ''
            if isinstance(default, MUTABLE) or called in ('list', 'dict', 'set'):
                yield f'mutable default {ast.unparse(default)}'


def long_constructors(module: Module, most: int) -> list[str]:
    """Classes whose ``__init__`` takes more than ``most`` arguments.

    Not counted are self, ``*args``, ``**kwargs``, the ``init_cfg`` of mmengine's modules, and the fields of
    dataclasses, which are records.
    """
    found = []
    for node in ast.walk(module.tree):
        for method in node.body if isinstance(node, ast.ClassDef) else ():
            if isinstance(method, ast.FunctionDef) and method.name == '__init__':
                signature = method.args
                names = [argument.arg for argument in
                         (*signature.posonlyargs, *signature.args, *signature.kwonlyargs)][1:]
                count = len([name for name in names if name != 'init_cfg'])
                if count > most:
                    found.append(f'{module.name}:{node.name} takes {count} arguments')
    return found


def _top_level_imports(node: ast.AST) -> set[str]:
    """The packages that an import statement names, without their sub-modules."""
    if isinstance(node, ast.Import):
        return {alias.name.split('.')[0] for alias in node.names}
    return {(node.module or '').split('.')[0]} if isinstance(node, ast.ImportFrom) and not node.level else set()


def hook_lookups(module: Module) -> list[str]:
    """Where a hook asks the Runner for its hooks: it would depend on a sibling that a config may leave out."""
    if not module.name.startswith(f'{PACKAGE}.engine.hooks.'):
        return []
    return [f'{module.name}:{node.lineno} {ast.unparse(node)}: a hook must not look up another'
            for node in ast.walk(module.tree) if isinstance(node, ast.Attribute) and node.attr in ('hooks', '_hooks')]


def missing_docstrings(module: Module) -> list[str]:
    """Public modules, classes, functions and methods without one; candidates only: a method may be an override.

    Returns ``module``, ``module:function`` or ``module:Class.method``. Free of the duty: ``__init__.py``, private
    names, properties, and the stages of hooks (``before_*``, ``after_*``), which the loop describes.
    """
    tree, found = module.tree, []
    if not module.is_package and ast.get_docstring(tree) is None:
        found.append(module.name)
    for node in _public(tree.body):
        if ast.get_docstring(node) is None:
            found.append(f'{module.name}:{node.name}')
        if isinstance(node, ast.ClassDef):
            found += [f'{module.name}:{node.name}.{method.name}' for method in _public(node.body)
                      if ast.get_docstring(method) is None and not _is_exempt(method)]
    return found


def _public(body: list[ast.stmt]) -> list:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node for node in body if isinstance(node, kinds) and not node.name.startswith('_')]


def _is_exempt(method: ast.AST) -> bool:
    marks = [ast.unparse(mark) for mark in method.decorator_list]
    is_property = any(re.fullmatch(r'(\w+\.)*(property|cached_property|setter|overload)', mark) for mark in marks)
    return is_property or method.name.startswith(('before_', 'after_'))


def readme_command(text: str, name: str) -> str:
    """The one line in the fenced bash block after a line ``<!-- name -->``.

    Raises:
        ValueError: unless there is exactly one such mark, followed at once by a block of one line.
    """
    marks = re.findall(rf'^<!-- {name} -->$', text, re.MULTILINE)
    if len(marks) != 1:
        raise ValueError(f'README.md must hold exactly one line <!-- {name} -->, found {len(marks)}')
    block = re.search(rf'^<!-- {name} -->\n```bash\n(.*?)^```$', text, re.MULTILINE | re.DOTALL)
    lines = block.group(1).strip().splitlines() if block else []
    if len(lines) != 1:
        raise ValueError(f'<!-- {name} --> must be followed by a ```bash block of one line, found {len(lines)} lines')
    return lines[0]


def anchors(text: str) -> set[str]:
    """Return the anchors of a Markdown page: those that a code host gives its headings, and ``<a id="...">``.

    A heading's anchor is its text in lower case without punctuation, spaces as hyphens. The second heading of the same
    text ends in ``-1``, the third in ``-2``.
    """
    text = re.sub(r'^(```|~~~).*?^\1', '', text, flags=re.DOTALL | re.MULTILINE)
    found = set(re.findall(r'<a (?:id|name)="([^"]+)"', text))
    seen: dict[str, int] = {}
    for heading in re.findall(r'^#{1,6} +(.+?) *#*$', text, re.MULTILINE):
        words = re.sub(r'!?\[(.*?)\]\(.*?\)', r'\1', heading).strip().lower()
        slug = re.sub(r'[^\w\- ]', '', words).replace(' ', '-')
        seen[slug] = seen.get(slug, -1) + 1
        found.add(f'{slug}-{seen[slug]}' if seen[slug] else slug)
    return found


def dead_references(path: Path, root: Path) -> list[str]:
    """Return the links and the named paths of a Markdown file or notebook that lead nowhere.

    A link to a Markdown page is followed to its anchor. A path with a place to fill in, ``configs/<name>.py``, is
    checked up to the folder.
    """
    text = path.read_text(encoding='utf-8')
    found = []
    for link in re.findall(r'\]\(([^)\s]+)\)', text):
        target, _, anchor = link.partition('#')
        page = path.parent / target if target else path
        if '://' not in link and (not page.exists() or _lacks(page, anchor)):
            found.append(f'{path.name}: link to {link if page.exists() else target}')
    named = set(re.findall(r'(?<![\w./-])(?:configs|tools|tempseg_mm|tests|docs|benchmarks)/[\w./-]*', text))
    return found + [f'{path.name}: {name}' for name in sorted(named) if not (root / name.rstrip('.')).exists()]


def dead_anchors_in_code(path: Path, root: Path) -> list[str]:
    """Return what a Python file names as ``docs/<page>.md#<anchor>``, or of another page, and is not there."""
    named = re.findall(r'((?:[\w-]+/)*[\w-]+\.md)#([\w-]+)', path.read_text(encoding='utf-8'))
    return [f'{path.name}: {page}#{anchor}' for page, anchor in named
            if not (root / page).exists() or _lacks(root / page, anchor)]


def _lacks(page: Path, anchor: str) -> bool:
    return bool(anchor) and page.suffix == '.md' and anchor not in anchors(page.read_text(encoding='utf-8'))
