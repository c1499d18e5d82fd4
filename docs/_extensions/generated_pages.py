"""Writes the pages of ``docs/generated`` from the code at the start of a build.

The pages are one of the reference for each room, the registered components, the ``--help`` of the commands, the
configs, and the Markdown files outside ``docs``. Nothing in them is kept by hand.
"""

import importlib
import inspect
import os
import pkgutil
import re

from repository_links import DOCS, PAGES, ROOT, site_links

PACKAGE = ROOT / 'tempseg_mm'
GENERATED = DOCS / 'generated'


def rooms() -> dict[str, str]:
    """Return name -> description in reStructuredText of each room, in the order of the table in docs/concepts.md."""
    text = (DOCS / 'concepts.md').read_text('utf-8')
    found = {}
    for names, description in re.findall(r'^\| (`tempseg_mm/.*?) \| (.*) \|$', text, re.MULTILINE):
        for name in re.findall(r'`tempseg_mm/(\w+)', names):
            found[name] = as_rst(description)
    return found


def as_rst(markdown: str) -> str:
    """Return one line of Markdown as reStructuredText; links keep their words only."""
    return re.sub(r'`(.+?)`', r'``\1``', re.sub(r'\[(.+?)\]\(.+?\)', r'\1', markdown))


def first_line(docstring: str | None) -> str:
    """Return the first paragraph of a docstring in one line."""
    line = ' '.join(inspect.cleandoc(docstring or '').split('\n\n')[0].split())
    return f'{line[:-2]}.' if line.endswith('::') else line


def table(header: list[str], rows: list[list[str]], widths: str = '30 70') -> str:
    """Return a table in reStructuredText."""
    lines = ['.. list-table::', '   :header-rows: 1', f'   :widths: {widths}', '   :class: overview', '']
    for row in [header, *rows]:
        lines += [f'   {"* -" if i == 0 else "  -"} {cell}'.rstrip() for i, cell in enumerate(row)]
    return '\n'.join(lines) + '\n'


def heading(text: str, line: str = '=') -> str:
    """Return a heading in reStructuredText."""
    return f'{text}\n{line * len(text)}\n\n'


def room_page(room: str, description: str) -> str:
    """Return the reference of one room: a table of all that is public in it, then each module in full."""
    rows, sections = [], ''
    for name in modules_of(f'tempseg_mm.{room}'):
        module, short = importlib.import_module(name), name.removeprefix('tempseg_mm.')
        members = [(key, found) for key, found in vars(module).items() if not key.startswith('_')
                   and (inspect.isclass(found) or inspect.isfunction(found)) and found.__module__ == name]
        if not members and not module.__doc__:
            continue
        rows.append([f':py:mod:`{short} <{name}>`', first_line(module.__doc__)])
        rows += [[f':py:{"class" if inspect.isclass(found) else "func"}:`~{name}.{key}`', first_line(found.__doc__)]
                 for key, found in members]
        options = ('   :members:\n   :ignore-module-all:\n   :special-members: __call__\n'
                   '   :member-order: bysource\n') if members else ''
        sections += heading(short, '-') + f'.. automodule:: {name}\n{options}\n'
    return heading(room) + description[:1].upper() + description[1:] + '.\n\n' + table(
        ['Name', 'What it is'], rows) + '\n' + sections


def modules_of(room: str) -> list[str]:
    """Return the names of a room and of all modules in it."""
    path = getattr(importlib.import_module(room), '__path__', [])
    return [room, *(found.name for found in pkgutil.walk_packages(path, f'{room}.'))]


def components_page() -> str:
    """Return a table for each registry: the name that stands in ``type=``, the class, its first line."""
    registry = importlib.import_module('tempseg_mm.registry')
    text = heading('Components') + (
        'Each table lists one registry of :py:mod:`tempseg_mm.registry`. The first column is the name that stands in '
        '``type=`` of a config; it links to the description. Components of mmengine and PyTorch that configs may name '
        'as well, such as ``Adam``, are described in their own documentation.\n\n')
    for name, kind in vars(registry).items():
        if not isinstance(kind, registry.SuggestingRegistry):
            continue
        kind.import_from_location()
        rows = [[component_link(key, found), first_line(found.__doc__)]
                for key, found in sorted(kind.module_dict.items()) if found.__module__.startswith('tempseg_mm')]
        if rows:
            text += heading(name, '-') + table(['Name in a config', 'What it is'], rows) + '\n'
    return text


def component_link(key: str, found: type) -> str:
    """Return the name of a component as a link to its description."""
    role = 'class' if inspect.isclass(found) else 'func'
    return f':py:{role}:`{key} <{found.__module__}.{found.__qualname__}>`'


def commands_page() -> str:
    """Return the ``--help`` of every command."""
    text = heading('Commands') + ('This is what ``--help`` of each command prints. `Getting started '
                                  '<../getting_started.html>`_ shows how they are used together.\n\n')
    for path in sorted((PACKAGE / 'commands').glob('*.py')):
        if 'def main(' in path.read_text('utf-8'):
            parser = importlib.import_module(f'tempseg_mm.commands.{path.stem}').make_parser()
            parser.prog = f'tempseg-{path.stem.replace("_", "-")}'
            help_text = re.sub('^', '   ', parser.format_help(), flags=re.MULTILINE)
            text += heading(parser.prog, '-') + f'.. code-block:: text\n\n{help_text}\n\n'
    return text


def configs_page() -> str:
    """Return the text of every config, in Markdown, since links of pages lead to its headings."""
    text = '# Configs\n\nA config inherits from others by `_base_`. `_base_` folders hold the parts.\n\n'
    for path in sorted((ROOT / 'configs').rglob('*.py'), key=lambda path: ('_base_' in path.parts, path)):
        text += f'## `{path.relative_to(ROOT).as_posix()}`\n\n```python\n{path.read_text("utf-8")}```\n\n'
    return text


def write_pages(app) -> None:
    """Write what has changed, and remove what is no longer generated."""
    os.environ['COLUMNS'] = '90'  # width of the help texts
    pages = {f'api/{room}.rst': room_page(room, description) for room, description in rooms().items()}
    pages |= {'components.rst': components_page(), 'commands.rst': commands_page(), 'configs.markdown': configs_page()}
    for name, page in PAGES.items():
        path = ROOT / name
        pages[f'{page.removeprefix("generated/")}.markdown'] = site_links(
            path.read_text('utf-8'), path.parent, (DOCS / page).parent)
    for name, text in pages.items():
        path = GENERATED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text('utf-8') != text:
            path.write_text(text, 'utf-8')
    for path in GENERATED.rglob('*.*'):
        if path.relative_to(GENERATED).as_posix() not in pages:
            path.unlink()


def _list_rooms(app, docname: str, content: list[str]) -> None:
    """Fill the table of rooms in docs/api/index.md, which is empty in a checkout."""
    if docname == 'api/index':
        rows = '\n'.join(f'| {{doc}}`{room} </generated/api/{room}>` | {text.replace("``", "`")} |'
                         for room, text in rooms().items())
        toc = '\n'.join(f'/generated/api/{room}' for room in rooms())
        content[0] = content[0].replace('<!-- rooms -->', f'| room | what is in it |\n|---|---|\n{rows}\n\n'
                                                          f'```{{toctree}}\n:hidden:\n:titlesonly:\n\n{toc}\n```')


def setup(app) -> dict:
    """Register the extension with Sphinx."""
    app.connect('builder-inited', write_pages, priority=100)
    app.connect('source-read', _list_rooms)
    return dict(parallel_read_safe=True)
