"""The files of a config: which names each gives a value, and which of these a file reads again.

A name that is no setting, such as ``max_iters``, is a variable: it counts only where a file reads it, its own or, as
``_base_.max_iters``, one that inherits it. Nothing is run; mmengine's rules for ``_base_`` and ``{{...}}`` hold.
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
        path: absolute.
        assigned: names that get a value at the top level.
        read: names that are read anywhere in it.
        read_of_bases: names read as ``_base_.name``.
        reads_all: ``_base_`` is used as a whole, so any of its names may be.
        bases: the files it inherits.
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
        name: of the variable.
        path: the file that gives it a value.
        inherits: whether this file has a ``_base_``. One without may be written by a program, as mmengine's own copy
            of a config is, where every variable stands and nothing is read any more; or offer names to some children.
        base: the file below it that gives the same name a value, which may have been used there; else ''.
    """
    name: str
    path: str
    inherits: bool
    base: str = ''


def unread_names(path: str) -> list[UnreadName] | None:
    """Names that the files of a config give a value and none of them reads.

    Args:
        path: the config file.

    Returns:
        ``None`` where the files do not tell: they are gone, or import their bases (``read_base``).
    """
    try:
        return None if Config._is_lazy_import(path) else list(_unread(read_config_file(path), ()))
    except (OSError, SyntaxError, ValueError):
        return None


def read_config_file(path: str) -> ConfigFile:
    """What a file and those it inherits assign and read.

    Raises:
        OSError: if there is no such file.
        SyntaxError, ValueError: if it cannot be read; ``Config.fromfile`` says more.
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
    """The text with the variables of mmengine replaced: those of the file, and of the environment."""
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
    """Names that statements outside of functions, classes and comprehensions give a value."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id
        scopes = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.ListComp, ast.SetComp,
                  ast.DictComp, ast.GeneratorExp)
        if not isinstance(child, scopes):
            yield from _assigned(child)


def _read_of_bases(tree: ast.AST) -> Iterator[str]:
    """Each ``_base_.name``, ``_base_['name']`` and ``_base_.get('name')``."""
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
