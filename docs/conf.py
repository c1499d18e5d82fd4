"""Settings of the documentation site. `.venv/bin/python -m sphinx -W docs site` builds it.

The pages are the Markdown files of this folder. Everything below `docs/generated` (reference of each room, components,
commands, configs, README, changelog) is written from the code at the start of each build and is not tracked by git.
The build needs no network. With `-t online`, types of Python, NumPy and PyTorch link to their own documentation.
`-t without_source` leaves out the pages of source code, which take a third of the time.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / '_extensions')]

project = 'tempseg_mm'
author = 'the authors of tempseg_mm'
project_copyright = author
release = version = re.search(r"^__version__ = '(.+)'", (ROOT / 'tempseg_mm/__init__.py').read_text('utf-8'),
                              re.MULTILINE).group(1)

extensions = ['myst_nb', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'docstring_names', 'generated_pages',
              'repository_links']
if not tags.has('without_source'):  # noqa: F821, a name that Sphinx defines
    extensions.insert(0, 'sphinx.ext.viewcode')
if tags.has('online'):  # noqa: F821, a name that Sphinx defines
    extensions.append('sphinx.ext.intersphinx')
    intersphinx_mapping = {'python': ('https://docs.python.org/3', None),
                           'numpy': ('https://numpy.org/doc/stable', None),
                           'torch': ('https://docs.pytorch.org/docs/stable', None)}

source_suffix = {'.rst': 'restructuredtext', '.md': 'myst-nb', '.ipynb': 'myst-nb', '.markdown': 'myst-nb'}
exclude_patterns = ['_extensions', 'examples', '**/.ipynb_checkpoints']

# Pages in Markdown: anchors as code hosts make them, notebooks shown with the outputs that are stored in them.
myst_heading_anchors = 6
nb_execution_mode = 'off'

# Reference: generated_pages writes a page per room, which autodoc fills from the docstrings.
napoleon_numpy_docstring = False
napoleon_use_ivar = True
add_module_names = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries = False  # thousands of names in the margin of every page

html_theme = 'furo'
html_title = f'tempseg_mm {release}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_show_copyright = False
html_show_sphinx = False
