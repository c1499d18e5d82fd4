import io
import zipfile

import pytest
from starlette.exceptions import HTTPException

from tempseg_mm.annotator import downloads


def test_a_folder_becomes_a_zip_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(downloads, 'CHUNK', 1000)
    folder = tmp_path / 'cutout'
    (folder / 'deep').mkdir(parents=True)
    files = {'00000.png': b'a' * 2500, '00001.png': b'', 'deep/ä.png': b'c'}
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / '.half-written.png').write_bytes(b'x')
    pieces = list(downloads.zipped(folder))
    assert max(map(len, pieces)) <= 1000
    with zipfile.ZipFile(io.BytesIO(b''.join(pieces))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {
            f'cutout/{name}': content for name, content in files.items()}


def test_names_reach_the_browser(tmp_path):
    assert downloads.attached('schön "1".png') == {
        'Content-Disposition': "attachment; filename*=UTF-8''sch%C3%B6n%20%221%22.png"}
    with pytest.raises(HTTPException, match='no such file'):
        downloads.download(tmp_path / 'nothing', {})
