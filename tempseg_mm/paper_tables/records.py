"""What is kept of a finished training or test: small JSON files that appear whole."""

import json
import re
import statistics
import subprocess
from pathlib import Path

from tempseg_mm.runtime.atomic import written_beside

_FINETUNED = re.compile(r': fine-tuned \d+ steps in ([\d.]+) s')  # what OnlineFinetuneHook says of each sequence


def read_record(path: Path) -> dict | None:
    """The content of a record; ``None`` where there is none.

    Raises:
        ValueError: for a file that is no JSON.
    """
    if not path.exists():
        return None
    try:
        return json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is no record of ours ({error}): remove it, and its row runs anew') from error


def write_record(path: Path, content: dict) -> None:
    """Write or replace a record at once; its folder is made."""
    with written_beside(path) as beside:
        beside.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')


def commit_of(root: Path) -> str:
    """Short hash of a checkout, with a ``+`` if tracked files differ from it; ``'unknown'`` outside git."""
    def git(*command: str) -> str:
        return subprocess.run(['git', *command], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    try:
        return git('rev-parse', '--short', 'HEAD') + ('+' if git('status', '--porcelain', '-uno') else '')
    except (OSError, subprocess.CalledProcessError):
        return 'unknown'


def finetune_seconds(log: Path) -> float:
    """Seconds of online fine-tuning a sequence by the log of a test; 0 where nothing was fine-tuned.

    The median: the first sequence pays for what a process loads when it fine-tunes for the first time.
    """
    seconds = [float(text) for text in _FINETUNED.findall(log.read_text(encoding='utf-8', errors='replace'))]
    return statistics.median(seconds) if seconds else 0.0
