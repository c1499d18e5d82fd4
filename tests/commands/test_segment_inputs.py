"""Names, files and later masks as a person has them, through the real command: right, told, or refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SIZE = (32, 48)
TINY = ('--config', ROOT / 'configs/segment_video_scratch.py', '--device', 'cpu', '--steps', 0, '--size', 32,
        '--masks-only', '--cfg-options', 'model.width=0.0625')


def square(i=0, value=255):
    mask = np.zeros(SIZE, np.uint8)
    mask[10:22, 6 + 2 * i:18 + 2 * i] = value
    return mask


def frame(i):
    return (40 + 160 * (square(i, 1)[..., None] * np.array([1, 0.5, 0.2]))).astype(np.uint8)


@pytest.fixture
def run(command, tmp_path, monkeypatch, capsys):
    """Runs the command in ``tmp_path``; gives frames with a given mask, notices, and masks by name."""
    def run(*arguments):
        monkeypatch.chdir(tmp_path)
        try:
            command('segment', *arguments, '--out', 'out', '--overwrite', *TINY)
        except SystemExit:
            said = capsys.readouterr().err
            assert 'Traceback' not in said and not Path('out/result.json').exists()
            raise ValueError(said.splitlines()[-1]) from None
        result = json.loads(Path('out/result.json').read_text())
        said = capsys.readouterr().out
        assert all(f'note: {notice}\n' in said for notice in result['notices'])
        # Without weights nothing is found.
        notices = '\n'.join(notice for notice in result['notices'][1:] if 'probably lost' not in notice)
        masks = {path.stem: np.asarray(Image.open(path)) for path in sorted(Path('out/masks').iterdir())}
        return result['settings']['given_frames'], notices, masks
    return run


@pytest.fixture
def save(tmp_path):
    def save(name, pixels, **options):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(path, **options)
        return name
    return save


@pytest.fixture
def folder(save):
    """A folder of eight frames whose names follow a pattern."""
    def folder(pattern='{:05d}.png', first=0, **options):
        for i in range(8):
            save(f'shot/{pattern.format(first + i)}', frame(i), **options)
        return 'shot'
    return folder


@pytest.mark.parametrize('mask, given, said', [
    ('00005.png@5', 4, 'was taken for 00005 because of its name'), ('00005.png', 4, 'of its name; @0 takes it for'),
    ('m.png@5', 5, 'called 00006, because frames are counted from 0 .*@00005 takes'), ('00001.png', 0, '^$'),
    ('m.png@00005', 4, 'the frame called 00005'), ('00005_mask.png', 4, 'because of its name'), ('m.png', 0, '^$')])
def test_frames_from_one(run, save, folder, mask, given, said):
    save(mask.split('@')[0], square(given))
    frames, notices, masks = run(folder(first=1), '--mask', mask)
    assert frames == [given] and re.search(said, notices)
    np.testing.assert_array_equal(masks[f'{given + 1:05d}'] > 0, square(given) > 0)


@pytest.mark.parametrize('suffix, options', [('tif', {}), ('webp', dict(lossless=True)), ('png', {}), ('gif', {})])
def test_stacks_and_animations(run, save, tmp_path, suffix, options):
    first, *others = (Image.fromarray(frame(i)) for i in range(8))
    first.save(tmp_path / f'a.{suffix}', save_all=True, append_images=others, **options)
    frames, notices, masks = run(f'a.{suffix}', '--mask', f'{save("m.png", square())}@7')
    assert frames == [7] and len(masks) == 8


@pytest.mark.parametrize('turned', ['shot', 'mask', 'both'])
def test_exif(run, save, folder, turned):
    exif = Image.Exif()
    exif[0x0112] = 6
    noted = dict(exif=exif)
    mask = save('m.png', square() if turned != 'shot' else np.rot90(square(), -1).copy(),
                **{} if turned == 'shot' else noted)
    shot = folder('{:05d}.jpg', **{} if turned == 'mask' else noted)
    if turned == 'mask':
        with pytest.raises(ValueError, match='is 48x32 .*, the frames are 32x48; it is turned by 90 degrees'):
            run(shot, '--mask', mask)
        return
    _, notices, masks = run(shot, '--mask', mask)
    np.testing.assert_array_equal(masks['00000'] > 0, np.rot90(square() > 0, -1))
    assert '00000.jpg was turned upright' in notices and 'same for 7 more files' in notices


@pytest.mark.parametrize('extra', ['00003_mask.png', 'gt_00003.png', 'given.png'])
def test_masks_among_frames(run, save, folder, extra):
    mask, at = f'shot/{extra}', '@3' if 'given' in extra else ''
    frames, notices, masks = run(folder('{:05d}.jpg'), '--mask', save(mask, square(3)) + at)
    assert frames == [3] and list(masks) == [f'{i:05d}' for i in range(8)]
    assert f'{mask} is given as a mask, so it is no frame' in notices


@pytest.mark.parametrize('ends', [False, True])
def test_a_later_mask_of_a_newcomer(run, save, folder, ends):
    newcomer = np.zeros(SIZE, np.uint8)
    newcomer[2:8, 30:44] = 2
    _, notices, masks = run(folder(), '--mask', save('a.png', square(0, 1)), '--mask', save('b.png', newcomer) + '@3',
                            *['--ends'] * ends)
    assert 'the mask given for frame 3 does not show object 1, which ' + ('ends' if ends else 'is still') in notices
    assert (masks['00003'][newcomer > 0] == 2).all()


def test_twelve_bits(run, save, folder, tmp_path):
    for i in range(8):
        save(f'deep/{i:05d}.png', frame(i)[..., 0].astype(np.uint16) * 16)
    assert 'stored with 16 bits and use 12 of them' in run('deep', '--mask', save('m.png', square()))[1]


@pytest.mark.parametrize('gt, said', [
    (range(1, 9), '^$'), (range(8), 'were matched to the 8 frames by their order'), (range(2, 5), 'masks for 3 of 8'),
    (range(20, 25), None)])
def test_ground_truth(run, save, folder, gt, said):
    for i in gt:
        save(f'gt/{i:05d}.png', square())
    arguments = folder(first=1), '--mask', save('m.png', square()), '--gt', 'gt'
    if said is not None:
        assert re.search(said, run(*arguments)[1])
        return
    with pytest.raises(ValueError, match='none of the 5 masks in gt .* has the name of a frame'):
        run(*arguments)


@pytest.mark.parametrize('content, nature', [(b'', 'empty'), (b'hello', 'a text file'), (b'<html>', 'a web page'),
                                             (b'%PDF-1.4', 'a PDF')])
@pytest.mark.parametrize('place', ['m.png', 'shot/00003.png', 'shot.mp4'])
def test_files_that_are_something_else(run, save, folder, tmp_path, content, nature, place):
    save('m.png', square())
    video = 'shot.mp4' if place == 'shot.mp4' else folder()
    (tmp_path / place).write_bytes(content)
    with pytest.raises(ValueError, match=f'{place} cannot be .*: it is {nature}'):
        run(video, '--mask', 'm.png')


@pytest.mark.parametrize('video, mask, said', [
    ('shot', 'mm.png', r'mask mm.png does not exist, did you mean m.png\?$'), ('shot', 'shot', 'it is a folder'),
    ('shto', 'm.png', "no video file or folder of frames 'shto', did you mean shot"),
    ('shot', 'none/m.png', 'the folder none does not exist, either')])
def test_mistyped_names(run, save, folder, video, mask, said):
    save('m.png', square())
    folder()
    with pytest.raises(ValueError, match=said):
        run(video, '--mask', mask)
