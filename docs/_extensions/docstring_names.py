"""Docstrings name classes and functions briefly, as in ``:class:`Segmenter```; the site finds what is meant.

A name is linked where exactly one object of the package ends with it.
"""

from sphinx.util.nodes import make_refnode


def _by_ending(app, env) -> None:
    """Index the objects of the package by the last part of their names, once all pages are read."""
    env.tempseg_names = {}
    for name, entry in env.get_domain('py').objects.items():
        if not entry.aliased:
            env.tempseg_names.setdefault(name.rpartition('.')[2], []).append((name, entry))


def _resolve(app, env, node, contnode):
    if node.get('refdomain') != 'py':
        return None
    target = node['reftarget'].lstrip('.')
    found = [(name, entry) for name, entry in env.tempseg_names.get(target.rpartition('.')[2], ())
             if name == target or name.endswith(f'.{target}')]
    if len(found) > 1:  # a class and a module of that name, say
        kinds = env.get_domain('py').objtypes_for_role(node['reftype']) or ()
        found = [(name, entry) for name, entry in found if entry.objtype in kinds]
    if len(found) != 1:
        return None
    (name, entry), = found
    return make_refnode(app.builder, node['refdoc'], entry.docname, entry.node_id, [contnode], name)


def setup(app) -> dict:
    """Register the extension with Sphinx."""
    app.connect('env-updated', _by_ending)
    app.connect('missing-reference', _resolve)
    return dict(parallel_read_safe=True)
