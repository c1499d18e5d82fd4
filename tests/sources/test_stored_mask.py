import numpy as np
import pytest
from PIL import Image
from sources.masks_drawn import SIZE, disc, save

from tempseg_mm.sources.image_io import UnreadableImageError
from tempseg_mm.sources.stored_mask import MaskValueError, StoredMask, decode_mask, stored_mask

IDS = np.array([[0, 1, 2], [2, 0, 1]], np.uint8)
PALETTE = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]


def test_decoding_leaves_values_alone_and_tells_alpha_and_palette_apart(tmp_path):
    stored = decode_mask(save(tmp_path / 'a.png', IDS, PALETTE))
    np.testing.assert_array_equal(stored.pixels, IDS)
    np.testing.assert_array_equal(stored.palette[:3], PALETTE)
    np.testing.assert_array_equal(stored.levels, np.array(PALETTE)[IDS])
    assert stored.alpha is None and not stored.is_cut_out and stored.source == f'mask {tmp_path}/a.png'
    stored = decode_mask(save(tmp_path / 'b.png', np.dstack([IDS] * 3 + [IDS * 9])))
    assert stored.pixels.shape == (2, 3, 3) and not stored.lossy and stored.is_cut_out
    np.testing.assert_array_equal(stored.alpha, IDS * 9)
    assert decode_mask(save(tmp_path / 'c.jpg', np.zeros((8, 8), np.uint8))).lossy
    assert decode_mask(save(tmp_path / 'd.png', IDS > 0)).levels.tolist() == [[0, 255, 255], [255, 0, 255]]


@pytest.mark.parametrize('mode, dtype', [('I;16', np.uint16), ('I', np.int32), ('F', np.float32), ('1', bool)])
def test_types_of_one_channel(tmp_path, mode, dtype):
    image = Image.fromarray((IDS > 0) if mode == '1' else IDS.astype(np.uint16 if mode == 'I;16' else dtype))
    image.save(tmp_path / 'a.tif')
    stored = decode_mask(tmp_path / 'a.tif')
    assert stored.pixels.dtype == dtype and stored.pixels.shape == (2, 3)


def test_transparency_of_palettes_and_of_a_colour(tmp_path):
    for transparency in (2, bytes([255, 255, 0])):
        stored = decode_mask(save(tmp_path / 'a.png', IDS, PALETTE, transparency=transparency))
        np.testing.assert_array_equal(stored.alpha, np.where(IDS == 2, 0, 255))
    stored = decode_mask(save(tmp_path / 'b.png', np.dstack([IDS] * 3), transparency=(2, 2, 2)))
    np.testing.assert_array_equal(stored.alpha, np.where(IDS == 2, 0, 255))


def test_other_colour_models_become_rgb(tmp_path):
    half = np.zeros((16, 32, 3), np.uint8)
    half[:, 16:] = 255
    Image.fromarray(half).convert('CMYK').save(tmp_path / 'a.tif')
    np.testing.assert_array_equal(decode_mask(tmp_path / 'a.tif').pixels, half)


@pytest.mark.parametrize('given', [
    IDS, IDS.tolist(), IDS[..., None], np.repeat(IDS, 3, axis=1)[None], Image.fromarray(IDS), IDS.astype(np.int64)],
    ids=lambda given: type(given).__name__)
def test_what_is_given_in_memory(given):
    assert stored_mask(given).pixels.reshape(2, -1).tolist() in (IDS.tolist(), np.repeat(IDS, 3, axis=1).tolist())


def test_arrays_in_files(tmp_path):
    np.save(tmp_path / 'a.npy', np.asfortranarray(IDS))
    np.testing.assert_array_equal(decode_mask(tmp_path / 'a.npy').pixels, IDS)
    (tmp_path / 'b.npy').write_bytes((tmp_path / 'a.npy').read_bytes()[:-2])
    with pytest.raises(UnreadableImageError, match='b.npy cannot be read .*cut off or no array'):
        decode_mask(tmp_path / 'b.npy')
    np.savez(tmp_path / 'c.npz', IDS)
    with pytest.raises(MaskValueError, match='c.npz is an archive of arrays'):
        decode_mask(tmp_path / 'c.npz')
    with pytest.raises(FileNotFoundError, match='none.npy does not exist'):
        decode_mask(tmp_path / 'none.npy')


@pytest.mark.parametrize('kind', ['GIF', 'PNG', 'TIFF', 'WEBP'])
def test_several_pictures_are_refused(tmp_path, kind):
    first, second = (Image.fromarray(np.dstack([disc(radius=radius)] * 3)) for radius in (9, 20))
    first.save(tmp_path / 'a', format=kind, save_all=True, append_images=[second])
    with pytest.raises((MaskValueError, UnreadableImageError), match='holds 2 pictures'):
        decode_mask(tmp_path / 'a')
    first.save(tmp_path / 'b', format=kind)
    assert decode_mask(tmp_path / 'b').pixels.shape[:2] == SIZE


@pytest.mark.parametrize('given, words', [
    (np.zeros((2, 3, 5), np.uint8), r'got the shape \(2, 3, 5\); put several masks into a list'),
    (np.zeros((0, 3)), r'got the shape \(0, 3\)'),
    (np.zeros((2, 3, 3)) + 0.5, 'colours and alpha must be uint8, 0 to 255, got float64'),
    (np.zeros((2, 3, 4), bool), 'colours and alpha must be uint8'),
    ([1, 2], 'a mask must be a file or an array of numpy, got list'),
    (None, 'a mask must be a file or an array of numpy, got NoneType'),
], ids=str)
def test_what_is_no_mask(given, words):
    with pytest.raises(MaskValueError, match=words):
        stored_mask(given)


def test_files_that_are_not_there_or_broken(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.png does not exist'):
        decode_mask(tmp_path / 'none.png')
    path = save(tmp_path / 'cut.png', np.random.default_rng(0).integers(0, 255, (40, 60), np.uint8))
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(UnreadableImageError, match='cut.png cannot be decoded'):
        decode_mask(path)


@pytest.mark.parametrize('pixels, alpha, expected', [
    (np.array([[0, 127, 128]], np.uint8), None, [[0, 0, 1]]),
    (np.array([[[0, 0, 9], [128, 0, 0], [0, 200, 0]]], np.uint8), None, [[0, 1, 1]]),
    (np.array([[255, 255, 0]], np.uint8), np.array([[0, 200, 255]], np.uint8), [[0, 1, 1]]),  # a cut-out
    (np.array([[255, 255, 0]], np.uint8), np.array([[255, 255, 255]], np.uint8), [[1, 1, 0]]),
    (np.array([[True, False]]), None, [[1, 0]]),
])
def test_a_threshold_asks_for_nothing_else(pixels, alpha, expected):
    np.testing.assert_array_equal(StoredMask(pixels, alpha).above(127), expected)
