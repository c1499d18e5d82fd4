"""The documentation site builds without a warning, and what a reader looks up is in it."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BESIDE = ('tempseg_mm', 'configs', 'weights', 'tools', 'tests', 'benchmarks', 'README.md', 'CONTRIBUTING.md',
          'CHANGELOG.md', 'CITATION.cff', 'LICENSE')
pytestmark = pytest.mark.slow


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    """Folder of the built site. The build writes below docs, so it has a copy of that."""
    root = tmp_path_factory.mktemp('project')
    shutil.copytree(ROOT / 'docs', root / 'docs', ignore=shutil.ignore_patterns('generated', '__pycache__'))
    for name in BESIDE:
        (root / name).symlink_to(ROOT / name)
    line = [sys.executable, '-m', 'sphinx', '-W', '--keep-going', '-q', '-t', 'without_source', 'docs', 'site']
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))
    assert done.returncode == 0, done.stderr
    return root / 'site'


def text_of(page: Path) -> str:
    """Return the words of a page without its tags."""
    return re.sub(r'\s+', ' ', re.sub('<[^>]+>', '', page.read_text(encoding='utf-8')))


def test_every_page_of_the_folder_is_built_and_in_the_navigation(site):
    pages = {path.relative_to(ROOT / 'docs').with_suffix('.html').as_posix()
             for kind in ('*.md', '*.ipynb') for path in (ROOT / 'docs').rglob(kind)
             if 'generated' not in path.parts and '.ipynb_checkpoints' not in path.parts}
    start = (site / 'index.html').read_text(encoding='utf-8')
    links = set(re.findall(r'class="reference internal" href="([^"#]+)"', start))
    assert [page for page in sorted(pages - {'index.html'}) if not (site / page).exists() or page not in links] == []


def test_a_class_is_found_with_its_signature_and_description(site):
    page = text_of(site / 'generated/api/apis.html')
    assert re.search(r'class VOSInferencer ?\( config: str ?\| ?(os\.)?PathLike', page)
    assert '__call__' in page and 'Segment a sequence' in page
    assert 'Raises' in page and 'Parameters' in page


def test_names_in_docstrings_and_signatures_are_links(site):
    page = (site / 'generated/api/inference.html').read_text(encoding='utf-8')
    assert 'href="structures.html#tempseg_mm.structures.segmented_frame.SegmentedFrame"' in page


def test_components_are_found_by_the_name_in_a_config(site):
    page = (site / 'generated/components.html').read_text(encoding='utf-8')
    for name, anchor in [('UpsampleDecoder', 'models.html#tempseg_mm.models.decoders.UpsampleDecoder'),
                         ('DISFlow', 'flow.html#tempseg_mm.flow.untrained.DISFlow'), ('CRFHook', 'engine.html#')]:
        assert re.search(rf'href="api/{re.escape(anchor)}[^>]*><code[^>]*><span class="pre">{name}<', page), name


def test_commands_and_configs_have_a_page(site):
    commands = text_of(site / 'generated/commands.html')
    assert 'usage: tempseg-train' in commands and '--cfg-options' in commands
    assert 'id="configstempseg_davispy"' in (site / 'generated/configs.html').read_text(encoding='utf-8')


def test_links_to_files_of_the_repository_work(site):
    page = (site / 'getting_started.html').read_text(encoding='utf-8')
    assert 'href="generated/readme.html#two-commands"' in page
    dead = [f'{path.relative_to(site)}: {link}' for path in site.rglob('*.html')
            for link in re.findall(r'href="([^"#]+)[#"]', path.read_text(encoding='utf-8'))
            if not re.match(r'[a-z]+:', link) and not (path.parent / link.partition('?')[0]).exists()]
    assert dead == []


def test_search_works_without_a_server(site):
    index = (site / 'searchindex.js').read_text(encoding='utf-8')
    names = json.loads(re.fullmatch(r'Search\.setIndex\((.*)\);?', index.strip(), re.DOTALL).group(1))['docnames']
    assert {'results', 'generated/api/ops', 'generated/components', 'notebooks/first_steps'} <= set(names)
