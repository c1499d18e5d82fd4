"""Reads which names each file of a config assigns, and which of these a file reads again.

A name that is not a setting, such as ``max_iters``, is a variable. It has an effect only if its own file reads it, or a
file that inherits it reads ``_base_.max_iters``. Files are not run, except for the value of ``_base_``; mmengine's
rules for ``_base_`` and ``{{...}}`` hold.
"""

import ast
import io
import os
import os.path as osp
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from mmengine.config import Config
from mmengine.fileio import load

ENVIRONMENT = re.compile(r'\{\{[\'"]?\s*\$(\w+)\s*:\s*(\S*?)\s*[\'"]?\}\}')
BASE_NAME = re.compile(r'\{\{\s*_base_\.([\w.]+)\s*\}\}')
BASE = '_base_'


@dataclass
class ConfigFile:
    """A file of a config.

    Attributes:
        path: absolute path.
        assigned: names that get a value at the top level.
        read: names that are read anywhere in the file.
        read_of_bases: names that are read as ``_base_.name``.
        reads_all: True if ``_base_`` is used as a whole, so that any of its names may be read.
        bases: the files that this file inherits.
    """
    path: str
    assigned: set = field(default_factory=set)
    read: set = field(default_factory=set)
    read_of_bases: set = field(default_factory=set)
    reads_all: bool = False
    bases: list = field(default_factory=list)


@dataclass(frozen=True)
class UnreadName:
    """A name that no file reads.

    Attributes:
        name: name of the variable.
        path: the file that assigns it.
        inherits: True if this file has a ``_base_``. A file without one may have been written by a program (mmengine's
            own copy of a config holds every variable, and nothing reads them), or may offer names to some of its
            children.
        base: a file below it that assigns the same name and may have used it; '' if there is none.
    """
    name: str
    path: str
    inherits: bool
    base: str = ''


def unread_names(path: str) -> list[UnreadName] | None:
    """Return the names that the files of a config assign and none of them reads.

    Returns:
        ``None`` if the files do not tell: they are missing, or they import their bases (``read_base``).
    """
    try:
        return None if Config._is_lazy_import(path) else list(_unread(read_config_file(path), ()))
    except (OSError, SyntaxError, ValueError):
        return None


def read_config_file(path: str) -> ConfigFile:
    """Collect the names that a file and the files it inherits assign and read.

    Raises:
        OSError: if there is no such file.
        SyntaxError, ValueError: if it cannot be read; ``Config.fromfile`` gives the details.
    """
    path = osp.abspath(osp.expanduser(path))
    with open(path, encoding='utf-8') as file:
        text = _filled_in(file.read(), path)
    found = ConfigFile(path)
    bases = _read_python(text, found) if path.endswith('.py') else _read_data(text, found)
    found.bases = [read_config_file(Config._get_cfg_path(base, path)[0])
                   for base in ([bases] if isinstance(bases, str) else bases)]
    return found


def _filled_in(text: str, path: str) -> str:
    """Replace mmengine's variables in the text: the predefined ones of the file, and those of the environment."""
    stem, suffix = osp.splitext(osp.basename(path))
    for name, value in dict(fileDirname=osp.dirname(path), fileBasename=stem + suffix, fileBasenameNoExtension=stem,
                            fileExtname=suffix).items():
        text = re.sub(r'\{\{\s*' + name + r'\s*\}\}', lambda _, value=value: value.replace('\\', '/'), text)
    return ENVIRONMENT.sub(lambda found: os.environ.get(found[1], found[2]), text)


def _read_data(text: str, found: ConfigFile) -> list | str:
    found.read_of_bases = {name.split('.')[0] for name in BASE_NAME.findall(text)}
    text = BASE_NAME.sub('""', text)
    content = load(io.StringIO(text), file_format=osp.splitext(found.path)[1][1:]) or {}
    found.assigned = set(content) - {BASE}
    return content.get(BASE, [])


def _read_python(text: str, found: ConfigFile) -> list | str:
    tree, bases = ast.parse(BASE_NAME.sub(r'_base_.\1', text)), []
    for statement in list(tree.body):
        targets = getattr(statement, 'targets', [None])
        if isinstance(targets[0], ast.Name) and targets[0].id == BASE:
            bases = eval(compile(ast.Expression(statement.value), found.path, 'eval'))  # as mmengine does
            tree.body.remove(statement)
    found.assigned = set(_assigned(tree))
    uses = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    found.read = {use.id for use in uses}
    found.read_of_bases = set(_read_of_bases(tree))
    named = sum(1 for _ in _read_of_bases(tree))
    found.reads_all = sum(use.id == BASE for use in uses) > named
    return bases


def _assigned(node: ast.AST) -> Iterator[str]:
    """Yield names that are assigned outside functions, classes and comprehensions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
                  ast.DictComp, ast.GeneratorExp)
        if not isinstance(child, scopes):
            yield from _assigned(child)


def _read_of_bases(tree: ast.AST) -> Iterator[str]:
    """Yield the name in each ``_base_.name``, ``_base_['name']`` and ``_base_.get('name')``."""
    parents = {id(child): node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        of_base = isinstance(getattr(node, 'value', None), ast.Name) and node.value.id == BASE
        if of_base and isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            yield node.slice.value
        elif of_base and isinstance(node, ast.Attribute):
            call = parents[id(node)]
            if not isinstance(call, ast.Call) or call.func is not node:
                yield node.attr
            elif node.attr in ('get', 'pop') and call.args and isinstance(call.args[0], ast.Constant):
                yield call.args[0].value


def _unread(file: ConfigFile, heirs: tuple) -> Iterator[UnreadName]:
    for name in sorted(file.assigned - file.read, key=str):
        if not any(heir.reads_all or name in heir.read_of_bases for heir in heirs):
            base = next((below.path for below in _below(file) if name in below.assigned), '')
            yield UnreadName(str(name), file.path, bool(file.bases), base)
    for base in file.bases:
        yield from _unread(base, (*heirs, file))


def _below(file: ConfigFile) -> Iterator[ConfigFile]:
    for base in file.bases:
        yield base
        yield from _below(base)
