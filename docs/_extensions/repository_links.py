"""Links of the pages work on the site as they do in a checkout.

A page links to other files of the repository by relative paths, such as ``../configs/tempseg_davis.py`` or
``../README.md#two-commands``. Files that the site shows as pages of their own are linked there; MyST offers all others
as downloads.
"""

import os
import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
# Files outside docs/ that have a page on the site.
PAGES = {'README.md': 'generated/readme', 'CONTRIBUTING.md': 'generated/contributing',
         'CHANGELOG.md': 'generated/changelog', 'weights/README.md': 'generated/weights'}
LINK = re.compile(r'(?<=\]\()([^)\s#:]+)(#[^)\s]*)?(?=\))')


def site_links(text: str, origin: Path, page: Path) -> str:
    """Return the Markdown text with each link to a file rewritten for the site.

    Args:
        text: Markdown, or the JSON of a notebook.
        origin: folder of the repository that the links are relative to.
        page: folder of the site's sources that holds the page.
    """
    def rewritten(match: re.Match) -> str:
        path, anchor = match.group(1), match.group(2) or ''
        target = Path(os.path.normpath(origin / path))
        if not target.is_file():
            return match.group()
        name = target.relative_to(ROOT).as_posix() if target.is_relative_to(ROOT) else ''
        if name in PAGES:
            target = DOCS / f'{PAGES[name]}.markdown'
        elif name.startswith('configs/'):
            anchor, target = f'#{slug(name)}', DOCS / 'generated/configs.markdown'
        return Path(os.path.relpath(target, page)).as_posix() + anchor
    return LINK.sub(rewritten, text)


def slug(heading: str) -> str:
    """Return the anchor that a code host gives a heading."""
    return re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')


def _read(app, docname: str, content: list[str]) -> None:
    path = Path(app.env.doc2path(docname))
    if path.suffix in ('.md', '.ipynb'):
        content[0] = site_links(content[0], path.parent, path.parent)


def setup(app) -> dict:
    """Register the extension with Sphinx."""
    app.connect('source-read', _read)
    return dict(parallel_read_safe=True)
