import pytest

from tempseg_mm.datasets.name_list import read_lines, sequence_names

DAVIS_LINES = '/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png\n' * 2


@pytest.fixture
def write(tmp_path):
    def to_list(content):
        path = tmp_path / 'val.txt'
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path
    return to_list


@pytest.mark.parametrize('content, names', [
    ('boat\nbear\nboat\n', ['boat', 'bear']), ('\n  bear \r\n\r\n', ['bear']), (DAVIS_LINES, ['bear']),
    ('my dog\nmy\n', ['my dog', 'my']), ('a, b\n', ['a, b']), ('2016\n007\n', ['2016', '007']),
    (DAVIS_LINES.replace('bear', 'my dog'), ['my dog']), ('480p/my dog/00000.jpg\n', ['my dog']),
    ('/J/bear/1.jpg\t/A/bear/1.png 1\n', ['bear']),
    ('my dog/\n', ['my dog']), ('bear/\n', ['bear']), ('', []), (b'\xef\xbb\xbfbear\n', ['bear'])])
def test_names(write, content, names):
    assert sequence_names(write(content)) == names


@pytest.mark.parametrize('line', ['..', '.', '/', '../bear', '/..', '../../JPEGImages/x/../a.jpg', 'a\\..\\b', 'a\0b'])
def test_a_list_cannot_lead_elsewhere(write, line):
    with pytest.raises(ValueError, match=r'in the list .*val\.txt: sequence .* cannot be used'):
        sequence_names(write(f'bear\n{line}\n'))


def test_no_text(write, tmp_path):
    with pytest.raises(ValueError, match=r'val\.txt is no UTF-8 text \(invalid start byte at byte 2\).*save it again'):
        read_lines(write(b'a\n\xff\xfe'))
    with pytest.raises(FileNotFoundError):
        read_lines(tmp_path / 'gone.txt')
