"""What people read is in plain words: pages, docstrings, comments and messages hold no expression of the list below."""

import io
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [path for path in (*ROOT.glob('*.md'), *(ROOT / 'docs').rglob('*.md'), ROOT / 'weights/README.md')
         if path.name != 'CHANGELOG.md']  # it records what earlier versions said
PLAIN = {  # expression -> what to write
    r'anew': 'again',
    r'dreamt': 'synthesised',
    r'(go|goes|gone|going|went) on (with|from)': 'resume or continue',
    r'from random numbers': 'from scratch, from random initialisation',
    r'to the letter': 'literally',
    r"strangers?'": 'untrusted',
    r'mend(s|ed|ing)?': 'fix or repair',
    r'anybody\'s affair|\w+\'s affair': 'name who does it',
    r'nothing but|save for|but for': 'only, except',
    r'the like': 'name the things',
    r'so many (minutes|steps|iterations|frames|seconds|pixels)': 'name the number',
    r'what is kept': 'name the thing that is kept',
}


def faults(text: str) -> list[str]:
    """The expressions of :data:`PLAIN` that a text holds, line breaks within them included."""
    flat = re.sub(r'\s+', ' ', re.sub(r'\n\s*#', ' ', text))
    return [f'{found.group()!r}: {plain}' for pattern, plain in PLAIN.items()
            for found in re.finditer(rf'\b({pattern})(?!\w)', flat, re.IGNORECASE)]


def written(path: Path) -> str:
    """What a person reads in a file: all of a page; comments and strings of Python."""
    text = path.read_text(encoding='utf-8')
    if path.suffix != '.py':
        return text
    kinds = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, 'FSTRING_MIDDLE', tokenize.STRING)}
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return '\n'.join(token.string for token in tokens if token.type in kinds)


@pytest.mark.parametrize('folder', ['pages', 'tempseg_mm', 'configs', 'tools', 'benchmarks'])
def test_words_are_plain(folder):
    files = PAGES if folder == 'pages' else sorted((ROOT / folder).rglob('*.py'))
    assert files
    found = [f'{path.relative_to(ROOT)}: {fault}' for path in files for fault in faults(written(path))]
    assert not found, '\n  '.join(['', *found])


def test_the_list_finds_what_it_names():
    assert faults('It begins anew, and the run is\n    gone on with.') == [
        "'anew': again", "'gone on with': resume or continue"]
    assert faults('A renewed recommendation: the run resumes.') == []
