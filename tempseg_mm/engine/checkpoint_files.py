"""Writes a training run's checkpoint files atomically and finds the newest complete one, for hooks and commands."""

import errno
import re
import shutil
import zipfile
from pathlib import Path

from mmengine.fileio import LocalBackend, register_backend

from tempseg_mm.runtime.atomic import no_space, written_beside
from tempseg_mm.runtime.weight_files import read_checkpoint

POINTER = 'last_checkpoint'  # mmengine's name for the file that holds the path of the newest checkpoint
NUMBERED = re.compile(r'(?:iter|epoch)_(\d+)\.pth')
ATOMIC = dict(backend='tempseg_mm_atomic')


@register_backend(ATOMIC['backend'])
class AtomicBackend(LocalBackend):
    """mmengine's local file backend with atomic writes, for the ``backend_args`` of ``Runner.save_checkpoint``.

    The bytes are forced to the disk first. An old checkpoint is removed after a new one is written, and a power cut
    must not leave the old one removed and the new one empty.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write a file.

        Raises:
            OSError: if the file does not fit on the disk; before anything is written, if that can be known.
        """
        path = Path(filepath)
        path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(path.parent).free < len(obj):
            raise no_space(path, len(obj))
        with written_beside(path, durable=True) as beside:
            beside.write_bytes(obj)


def is_complete(path: Path) -> bool:
    """Return True if a file is a complete checkpoint: ``torch.save`` writes the table of contents at the end."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith('/data.pkl') for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def newest_complete(folder: str | Path) -> Path | None:
    """Find the newest complete checkpoint of the training run in ``folder``.

    This is the checkpoint that ``last_checkpoint`` names. If a later iteration was written after ``last_checkpoint``,
    or if the named file is damaged or missing, the checkpoint written last is taken instead.

    Returns:
        Its path; ``None`` if there is none.
    """
    folder = Path(folder)
    numbers = {path: int(NUMBERED.fullmatch(path.name)[1]) for path in folder.glob('*_*.pth')
               if NUMBERED.fullmatch(path.name)}
    named = _named_by(folder / POINTER)
    if named is not None:
        known, since = numbers.get(named, 0), _written(folder / POINTER)
        later = {path for path, number in numbers.items() if number > known and _written(path) > since}
        return max(filter(is_complete, later), key=numbers.get, default=named)
    return max(filter(is_complete, numbers), key=lambda path: (_written(path), numbers[path]), default=None)


def point_to(path: Path | None, pointer: Path) -> None:
    """Write the path of a checkpoint to ``last_checkpoint``, or remove that file if ``path`` is ``None``."""
    if path is None:
        pointer.unlink(missing_ok=True)
    else:
        with written_beside(pointer, durable=True) as beside:
            beside.write_text(str(path), encoding='utf-8')


def best_of(folder: Path, prefix: str) -> tuple[float, Path] | None:
    """Find the best of a run's best checkpoints, and remove the others, which a run may leave when it dies.

    The scores are read from the files, because the checkpoint resumed from may be older than the best one.

    Returns:
        Its score and path; ``None`` if there is none.
    """
    found = [path for path in folder.glob(f'{prefix}*.pth') if is_complete(path)]
    scores = sorted((float(read_checkpoint(str(path))['message_hub']['runtime_info']['best_score']), path)
                    for path in found)
    for _, path in scores[:-1]:
        path.unlink()
    return scores[-1] if scores else None


def _named_by(pointer: Path) -> Path | None:
    """Return the complete checkpoint that the pointer names: beside the pointer if the folder moved, or at its path."""
    text = pointer.read_text(encoding='utf-8', errors='replace').strip('\0 \n') if pointer.is_file() else ''
    if not Path(text).name or '\0' in text:
        return None
    return next((path for path in (pointer.with_name(Path(text).name), Path(text)) if is_complete(path)), None)


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        if error.errno != errno.ENOENT:
            raise
        return 0
