import os
from pathlib import Path

import pytest

from tempseg_mm.runtime.atomic import written_beside
from tempseg_mm.runtime.safe_path import inside, path_text, plain_name, printable

HOSTILE = ['', '.', '..', '../x', '/etc/passwd', 'a/b', 'a/', '..\\x', 'a\\b', 'a\0b', 'a\nb', '\x7f', 'caf\udce9']


@pytest.mark.parametrize('name', [
    'bear', 'bmx-1', '.hidden', '...', 'a b', 'Straße', '小猫', '-rf', '00001.png', 'x' * 200])
def test_plain_names_are_left_alone(name):
    assert plain_name(name) == name


@pytest.mark.parametrize('name', [*HOSTILE, None, 3])
def test_names_that_are_not_plain(name):
    with pytest.raises(ValueError, match='sequence name .* cannot be used: it .*rename'):
        plain_name(name, what='sequence name')


def test_inside(tmp_path):
    assert inside(tmp_path, 'masks', 'bear', '00001.png') == tmp_path / 'masks/bear/00001.png'
    assert inside('out', 'a.png') == Path('out/a.png')  # nothing has to be there


@pytest.mark.parametrize('name', HOSTILE)
def test_nothing_leaves_the_folder(tmp_path, name):
    with pytest.raises(ValueError, match='name of output'):
        inside(tmp_path, 'masks', name, '00001.png')


def test_a_link_that_leads_out_is_refused(tmp_path):
    out, elsewhere = tmp_path / 'out', tmp_path / 'elsewhere'
    (out / 'masks').mkdir(parents=True)
    elsewhere.mkdir()
    (out / 'masks/bear').symlink_to(elsewhere)
    with pytest.raises(ValueError, match=r'masks/bear leads out of .*out, to .*elsewhere, through a link'):
        inside(out, 'masks', 'bear', '00001.png')
    (out / 'masks/boat').symlink_to('../../elsewhere')
    with pytest.raises(ValueError, match='leads out'):
        inside(out, 'masks', 'boat', '00001.png')


def test_a_folder_of_the_same_beginning_is_another(tmp_path):
    for name in ('out', 'out2'):
        (tmp_path / name).mkdir()
    (tmp_path / 'out/masks').symlink_to(tmp_path / 'out2')
    with pytest.raises(ValueError, match='leads out'):
        inside(tmp_path / 'out', 'masks', 'a.png')


def test_links_that_stay_inside_and_the_folder_itself_may_be_links(tmp_path):
    (tmp_path / 'real/masks').mkdir(parents=True)
    (tmp_path / 'out').symlink_to(tmp_path / 'real')
    (tmp_path / 'real/newest').symlink_to('masks')
    assert inside(tmp_path / 'out', 'newest', 'a.png') == tmp_path / 'out/newest/a.png'


def test_a_link_in_place_of_the_file_is_replaced_not_followed(tmp_path):
    victim = tmp_path / 'victim'
    victim.write_text('precious')
    (tmp_path / 'out').mkdir()
    (tmp_path / 'out/a.txt').symlink_to(victim)
    with written_beside(inside(tmp_path / 'out', 'a.txt')) as beside:
        beside.write_text('new')
    assert victim.read_text() == 'precious' and not os.path.islink(tmp_path / 'out/a.txt')


@pytest.mark.parametrize('text, written', [
    ('Straße 小猫\u202f1', 'Straße 小猫\u202f1'), ('\x1b[2Jbear\0', r'\x1b[2Jbear\x00'), ('caf\udce9', r'caf\udce9')])
def test_what_is_printed_is_text(text, written):
    assert printable(text) == written


def test_path_for_a_library_in_c():
    assert path_text(Path('kleine Straße/小猫.mp4')) == 'kleine Straße/小猫.mp4'
    with pytest.raises(ValueError, match='"caf.udce9.mp4" contains bytes that are not valid text.*rename'):
        path_text(Path(os.fsdecode(b'caf\xe9.mp4')))
