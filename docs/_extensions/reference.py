"""Turns a module of the package into reStructuredText, from its syntax tree: nothing is imported, so it is fast.

What Sphinx's autodoc does by importing. A page shows each public class, function and constant with its signature as
the source has it and its docstring, whose Google sections napoleon converts.
"""

import ast
import inspect
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from sphinx.ext.napoleon import GoogleDocstring

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LONGEST_VALUE = 80  # characters of a constant that are shown


class Package:
    """Holds the syntax trees of all modules, and the classes by name, to find what a class inherits.

    Args:
        root: folder of the package.
        config: settings of Sphinx, for napoleon.
    """

    def __init__(self, root: Path, config) -> None:
        self.config, self.modules, self.lines, self.packages = config, {}, {}, set()
        for path in sorted(root.rglob('*.py')):
            name = '.'.join(path.relative_to(root.parent).with_suffix('').parts).removesuffix('.__init__')
            text = path.read_text('utf-8')
            self.packages |= {name} if path.stem == '__init__' else set()
            self.modules[name], self.lines[name] = ast.parse(text), text.splitlines()
        self.imports = {name: _imports(tree, name, name in self.packages) for name, tree in self.modules.items()}
        self.names = {}
        self.classes = {node.name: node for tree in self.modules.values() for node in tree.body
                        if isinstance(node, ast.ClassDef)}

    def room(self, room: str) -> list[str]:
        """Return the modules of a room that have something to show."""
        prefix = f'tempseg_mm.{room}'
        return [name for name, tree in self.modules.items() if name == prefix or name.startswith(f'{prefix}.')
                if ast.get_docstring(tree) or public(tree.body)]

    def module(self, name: str) -> str:
        """Return the directives of a module."""
        tree = self.modules[name]
        self.names = {short: self._defining(full) for short, full in self.imports[name].items()}
        text = f'.. py:module:: {name}\n\n' + self._doc(ast.get_docstring(tree), 'module', name)
        for node in tree.body:
            if node in public(tree.body):
                text += self._class(node) if isinstance(node, ast.ClassDef) else self._function(node, 'function')
            else:
                text += self._constant(node, self.lines[name])
        return text

    def _defining(self, full: str) -> str:
        """Return the name where an object is defined, for one that a package exports."""
        module, _, name = full.rpartition('.')
        further = self.imports.get(module, {}).get(name)
        return self._defining(further) if further else full

    def _doc(self, docstring: str | None, what: str, name: str) -> str:
        lines = list(without_substitutions(inspect.cleandoc(docstring or '').splitlines()))
        return '\n'.join(GoogleDocstring(lines, self.config, None, what, name).lines()).rstrip() + '\n\n'

    def _class(self, node: ast.ClassDef) -> str:
        bases = ', '.join(f':py:class:`{ast.unparse(base)}`' for base in node.bases
                          if not isinstance(base, ast.Subscript))
        text = self._doc(ast.get_docstring(node), 'class', node.name)
        if bases:
            text = f'Bases: {bases}\n\n{text}'
        for method in node.body:
            if isinstance(method, FUNCTIONS) and not _decorated(method, 'overload') and (
                    not method.name.startswith('_') or method.name == '__call__' and ast.get_docstring(method)):
                text += self._function(method, 'method', node)
        return _directive('class', f'{node.name}{self._constructor(node)}', text)

    def _constructor(self, node: ast.ClassDef) -> str:
        for owner in self._lineage(node):
            for method in owner.body:
                if isinstance(method, FUNCTIONS) and method.name == '__init__':
                    return self._signature(method, bound=True)
            if _decorated(owner, 'dataclass') or any(ast.unparse(base) == 'NamedTuple' for base in owner.bases):
                fields = [statement for statement in owner.body if isinstance(statement, ast.AnnAssign)
                          and not ast.unparse(statement.annotation).startswith('ClassVar')]
                return '(' + ', '.join(self._field(field) for field in fields) + ')'
        return ''

    def _function(self, node: ast.FunctionDef, kind: str, owner: ast.ClassDef | None = None) -> str:
        docstring = ast.get_docstring(node)
        for base in self._lineage(owner)[1:] if owner and not docstring else ():
            inherited = [method for method in base.body if isinstance(method, FUNCTIONS) and method.name == node.name]
            docstring = docstring or (inherited and ast.get_docstring(inherited[0]))
        bound = bool(owner) and not _decorated(node, 'staticmethod')
        options, name = '', node.name + self._signature(node, bound=bound)
        if owner and (_decorated(node, 'property') or _decorated(node, 'cached_property')):
            kind, name = 'property', node.name
            if node.returns:
                options = f':type: {self._annotation(node.returns)}\n'
        elif any(isinstance(mark, ast.Attribute) and mark.attr == 'setter' for mark in node.decorator_list):
            return ''
        for mark in ('staticmethod', 'classmethod', 'abstractmethod') if owner else ():
            if _decorated(node, mark) and kind == 'method':
                options += f':{mark}:\n'
        options += ':async:\n' if isinstance(node, ast.AsyncFunctionDef) else ''
        return _directive(kind, name, self._doc(docstring, kind, node.name), options)

    def _lineage(self, node: ast.ClassDef) -> list[ast.ClassDef]:
        """The class and those of the package that it inherits from, nearest first."""
        found = [node]
        for owner in found:
            names = [ast.unparse(base).split('[')[0].split('.')[-1] for base in owner.bases]
            found += [self.classes[name] for name in names if name in self.classes and self.classes[name] not in found]
        return found

    def _annotation(self, node: ast.expr) -> str:
        return ast.unparse(_FullNames(self.names).visit(node))

    def _field(self, field: ast.AnnAssign) -> str:
        default = '' if field.value is None else f' = {ast.unparse(field.value)}'
        factory = re.fullmatch(r' = field\(default_factory=(\w+)\)', default)
        kind = self._annotation(field.annotation)
        return f'{field.target.id}: {kind}' + (f' = {factory.group(1)}()' if factory else default)

    def _signature(self, node: ast.FunctionDef, *, bound: bool) -> str:
        given = ast.parse(f'def f({ast.unparse(node.args)}): pass').body[0].args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        for argument in every:
            if argument is not None and argument.annotation is not None:
                argument.annotation = ast.parse(self._annotation(argument.annotation), mode='eval').body
        if bound:
            (given.posonlyargs or given.args).pop(0)
        returns = f' -> {self._annotation(node.returns)}' if node.returns and node.name != '__init__' else ''
        return f'({ast.unparse(given)}){returns}'

    def _constant(self, node: ast.stmt, lines: list[str]) -> str:
        target = node.target if isinstance(node, ast.AnnAssign) else getattr(node, 'targets', [None])[0]
        if not isinstance(target, ast.Name) or target.id.startswith('_') or not getattr(node, 'value', None):
            return ''
        value = ' '.join(ast.unparse(node.value).split())
        if len(value) > LONGEST_VALUE:
            value = f'{value[:LONGEST_VALUE]}...'
        comment = re.search(r'  # (.+)$', lines[node.lineno - 1])
        return _directive('data', target.id, as_plain(comment.group(1)) + '\n\n' if comment else '\n',
                          f':value: {value}\n')


def public(body: list[ast.stmt]) -> list:
    """Return the public classes and functions of a module."""
    return [node for node in body if isinstance(node, (ast.ClassDef, *FUNCTIONS)) and not node.name.startswith('_')
            and not _decorated(node, 'overload')]


def without_substitutions(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines of a docstring with ``|`` escaped, outside literals: here it is the size of a set or a norm."""
    literal = None  # indentation of the paragraph that a literal block belongs to
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if literal is not None and line.strip() and indent <= literal:
            literal = None
        if literal is None:
            parts = re.split('(``.+?``)', line)
            line = ''.join(part if i % 2 else part.replace('|', r'\|') for i, part in enumerate(parts))
            literal = indent if line.endswith('::') else None
        yield line


def as_plain(text: str) -> str:
    """Return plain text with `code` in backticks as reStructuredText."""
    parts = re.split(r'`([^`]+)`', text)
    return ''.join(f'``{part}``' if i % 2 else re.sub(r'([\\`*|_])', r'\\\1', part) for i, part in enumerate(parts))


def source_of(app, module: str) -> tuple[str, dict] | None:
    """Return the source of a module and the lines of its definitions, for ``sphinx.ext.viewcode``."""
    path = Path(app.confdir).parent.joinpath(*module.split('.'))
    path = path / '__init__.py' if path.is_dir() else path.with_suffix('.py')
    text = path.read_text('utf-8')
    return text, {name: (kind, first, last) for name, kind, first, last in _definitions(ast.parse(text).body)}


def _definitions(body: list[ast.stmt], prefix: str = '') -> Iterator[tuple[str, str, int, int]]:
    for node in body:
        if isinstance(node, (ast.ClassDef, *FUNCTIONS)):
            is_class = isinstance(node, ast.ClassDef)
            first = min([node.lineno, *(mark.lineno for mark in node.decorator_list)])
            yield prefix + node.name, 'class' if is_class else 'def', first, node.end_lineno
            if is_class:
                yield from _definitions(node.body, f'{prefix}{node.name}.')


def _directive(kind: str, name: str, content: str, options: str = '') -> str:
    inside = re.sub(r'^(?=.)', '   ', f'{options}\n{content}', flags=re.MULTILINE)
    return f'.. py:{kind}:: {" ".join(name.split())}\n{inside.rstrip()}\n\n'


def _decorated(node: ast.AST, mark: str) -> bool:
    marks = [ast.unparse(found.func if isinstance(found, ast.Call) else found) for found in node.decorator_list]
    return any(found.split('.')[-1] == mark for found in marks)


def _imports(tree: ast.Module, module: str, is_package: bool) -> dict[str, str]:
    """Return short name -> full name of what a module imports from the package."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            stem = module.split('.')[:len(module.split('.')) + is_package - node.level] if node.level else []
            base = '.'.join([*stem, *([node.module] if node.module else [])])
            if base.startswith('tempseg_mm'):
                found |= {alias.asname or alias.name: f'{base}.{alias.name}' for alias in node.names}
    return found


class _FullNames(ast.NodeTransformer):
    """Takes quotes from annotations, and gives names that a module imports in full, so that they lead to one place."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Constant(self, node):
        return self.visit(ast.parse(node.value, mode='eval').body) if isinstance(node.value, str) else node

    def visit_Subscript(self, node):
        return node if ast.unparse(node.value).endswith('Literal') else self.generic_visit(node)

    def visit_Name(self, node):
        return ast.parse(self.names.get(node.id, node.id), mode='eval').body
