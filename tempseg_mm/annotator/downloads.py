"""Downloads of files and folders. A folder is sent as a zip that is made while it is sent."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

CHUNK = 1 << 20


def attached(name: str) -> dict[str, str]:
    """Return the header that makes a browser save an answer under this name."""
    return {'Content-Disposition': f"attachment; filename*=UTF-8''{quote(name, safe='')}"}


def download(path: Path | None, headers: dict[str, str]) -> Response:
    """Make the answer that sends a file, or a folder as a zip, with these headers.

    Raises:
        HTTPException: 404 if ``path`` is ``None`` or does not exist.
    """
    if path is None or not path.exists():
        raise HTTPException(404, 'there is no such file')
    if path.is_dir():
        return StreamingResponse(zipped(path), media_type='application/zip', headers={
            **headers, **attached(f'{path.name}.zip')})
    return FileResponse(path, headers={**headers, **attached(path.name)})


def zipped(folder: Path) -> Iterator[bytes]:
    """Yield a zip of a folder in pieces, without hidden files and uncompressed. Memory does not grow with its size."""
    pieces = _Pieces()
    with zipfile.ZipFile(pieces, 'w', zipfile.ZIP_STORED) as archive:
        for path in sorted(path for path in folder.rglob('*') if path.is_file() and not path.name.startswith('.')):
            information = zipfile.ZipInfo.from_file(path, str(path.relative_to(folder.parent)), strict_timestamps=False)
            with open(path, 'rb') as file, archive.open(information, 'w') as entry:
                while piece := file.read(CHUNK):
                    entry.write(piece)
                    yield from pieces.taken()
            yield from pieces.taken()
    yield from pieces.taken()


class _Pieces:
    """A write-only file without seek. Written bytes wait until :meth:`taken` fetches them."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: written bytes are available at once."""

    def taken(self) -> Iterator[bytes]:
        waiting, self._waiting = self._waiting, []
        yield from waiting
