import os

import pytest

from tempseg_mm.sources.image_files import ImageFilesSource
from tempseg_mm.sources.image_io import UnreadableImageError, image_size, opened_image
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.sources.unreadable import ROLES, image_fault, nature_of, nearest_file, read_as

NATURES = {
    b'': 'empty (0 bytes)', b'hello\nworld': 'a text file', 'schön'.encode(): 'a text file',
    b'\n<!DOCTYPE html><html>': 'a web page (HTML)', b'<svg xmlns=': 'a drawing (SVG)', b'%PDF-1.4': 'a PDF',
    b'PK\x03\x04xx': 'a ZIP archive', b'\x93NUMPY\x01': 'an array of numpy', b'\0' * 99: 'filled with zeros',
    b'version https://git-lfs.github.com/spec/v1\n': 'a Git LFS pointer', b'\0\0\0\x18ftypheic': 'a picture in HEIC',
    b'\0\0\0\x18ftypmp42': 'a video (MP4 or MOV)', b'\x1aE\xdf\xa3': 'a video (MKV or WebM)',
}


@pytest.fixture(params=NATURES, ids=lambda content: repr(content)[:20])
def odd(tmp_path, request):
    path = tmp_path / 'odd.png'
    path.write_bytes(request.param)
    return path, NATURES[request.param]


@pytest.mark.parametrize('read, noun', [(image_size, 'image'), (MaskReader().read, 'mask'),
                                        (lambda path: ImageFilesSource([path]), 'frame')])
def test_what_a_file_is_instead(odd, read, noun):
    path, nature = odd
    assert nature_of(path).startswith(nature)
    with pytest.raises(UnreadableImageError) as error:
        read(str(path))
    assert str(error.value).startswith(f'{noun} {path} cannot be decoded: it is {nature}')
    assert 'leave its sequence out' not in str(error.value)


def test_the_same_under_the_name_of_a_video(odd):
    path, nature = odd
    path = path.rename(path.with_suffix('.mp4'))
    with pytest.raises(OSError, match='cannot be opened as a video') as error:
        open_source(path)
    assert nature in str(error.value) or nature.startswith('a video') and 'untrunc' in str(error.value)
    assert nature.startswith('a video') or 'lacks its index' not in str(error.value)


def test_pictures_have_no_fault_of_their_own(tmp_path):
    (tmp_path / 'a').write_bytes(b'\x89PNG\r\n\x1a\n')
    (tmp_path / 'b').write_bytes(b'\xff\xd8\xff\xe0')
    assert nature_of(tmp_path / 'a') == nature_of(tmp_path / 'b') == ''


def test_a_folder(tmp_path):
    with pytest.raises(UnreadableImageError, match='mask .* cannot be decoded: it is a folder: name a file in it$'):
        MaskReader().read(tmp_path)


@pytest.mark.skipif(os.getuid() == 0, reason='root may read everything')
def test_permissions(tmp_path):
    (tmp_path / 'a.png').touch(mode=0)
    assert nature_of(tmp_path / 'a.png').startswith('not readable for this user')


@pytest.mark.parametrize('typed, meant', [('dog_frist.png', 'dog_first.png'), ('DOG_FIRST.PNG', 'dog_first.png'),
                                          ('dog_first.jpg', 'dog_first.png'), ('cat.png', None)])
def test_names_that_were_mistyped(tmp_path, typed, meant):
    (tmp_path / 'dog_first.png').touch()
    near = nearest_file(tmp_path / typed)
    assert near == (f', did you mean {tmp_path}/{meant}?' if meant else '')
    with pytest.raises(FileNotFoundError, match=f'mask .*{typed} does not exist(, did you mean|; check the path)'):
        MaskReader().read(tmp_path / typed)
    with pytest.raises(FileNotFoundError, match='there is no video file or folder of frames'):
        open_source(tmp_path / typed)
    assert nearest_file(tmp_path / 'none' / typed) == f' (the folder {tmp_path}/none does not exist, either)'


@pytest.mark.parametrize('role', ROLES)
def test_each_fault_speaks_of_what_the_file_is(tmp_path, role):
    noun, missing, broken = ROLES[role]
    gone = image_fault(tmp_path / 'a.png', 'x', role)
    assert str(gone) == f'{noun} {tmp_path}/a.png does not exist; {missing}'
    (tmp_path / 'a.png').write_bytes(b'\x89PNG')
    with pytest.raises(UnreadableImageError) as error, read_as(role), opened_image(str(tmp_path / 'a.png')):
        pass
    assert str(error.value).startswith(f'{noun} ') and str(error.value).endswith(broken)
    assert ('its sequence' in str(error.value)) == ('data set' in role)


def test_other_errors_pass(tmp_path):
    with pytest.raises(FileNotFoundError, match='^mine$'), read_as('mask'):
        raise FileNotFoundError('mine')
