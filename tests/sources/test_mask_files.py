import numpy as np
import pytest
from PIL import Image

from tempseg_mm.sources.image_io import UnreadableImageError
from tempseg_mm.sources.mask_files import decode_mask, read_label_mask, read_label_masks, read_labels, read_mask

IDS = np.array([[0, 1, 2], [2, 0, 1]], np.uint8)
DAVIS_COLORS = [0, 0, 0, 128, 0, 0, 0, 128, 0]
RED, BLUE, PINK = (255, 0, 0), (0, 0, 255), (255, 0, 200)


def save(path, pixels, palette=None, **options):
    image = Image.fromarray(pixels)
    if palette is not None:
        image.putpalette(palette)
    image.save(path, **options)
    return path


def test_decoding_leaves_values_alone_and_tells_alpha_apart(tmp_path):
    stored = decode_mask(save(tmp_path / 'a.png', IDS, DAVIS_COLORS))
    np.testing.assert_array_equal(stored.pixels, IDS)
    assert (stored.alpha, stored.kind, stored.source) == (None, 'palette', f'mask {tmp_path}/a.png')
    assert decode_mask(tmp_path / 'a.png', as_levels=True).pixels.max() == 128
    stored = decode_mask(save(tmp_path / 'b.png', np.dstack([IDS] * 3 + [IDS * 9])))
    assert stored.pixels.shape == (2, 3, 3) and stored.kind == ''
    np.testing.assert_array_equal(stored.alpha, IDS * 9)
    assert decode_mask(save(tmp_path / 'c.jpg', np.zeros((8, 8), np.uint8))).kind == 'lossy'


def test_all_readers_see_black_where_a_cmyk_file_is_black(tmp_path):
    mask = np.zeros((16, 32, 3), np.uint8)
    mask[:, 16:] = 255
    Image.fromarray(mask).convert('CMYK').save(tmp_path / 'a.tif')
    for read in (read_mask, read_labels, read_label_mask):
        np.testing.assert_array_equal(read(str(tmp_path / 'a.tif')), mask[..., 0] > 0)


def as_file_and_array(tmp_path, pixels):
    return save(tmp_path / 'a.png', pixels), pixels


@pytest.mark.parametrize('pixels, labels', [
    (IDS, IDS),
    (IDS * 100, IDS * 100),
    (IDS.astype(np.uint16), IDS),
    (IDS == 1, IDS == 1),
    ((IDS == 1) * np.uint8(255), IDS == 1),
    ((IDS == 1) * np.uint16(65535), IDS == 1),
    (np.full((2, 3), 255, np.uint8), np.ones((2, 3))),
    (np.zeros((2, 3), np.uint8), np.zeros((2, 3))),
    (np.dstack([IDS] * 3), IDS),  # gray in three channels
    (np.dstack([(IDS == 1) * np.uint8(255)] * 3), IDS == 1),
    (np.dstack([IDS, np.full_like(IDS, 255)]), IDS),  # opaque
], ids=str)
def test_one_channel(tmp_path, pixels, labels):
    for mask in as_file_and_array(tmp_path, pixels):
        found = read_label_mask(mask)
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, labels)


@pytest.mark.parametrize('transparency', [None, 0])
def test_palettes_hold_ids_whatever_their_colours(tmp_path, transparency):
    options = {} if transparency is None else dict(transparency=transparency)
    path = save(tmp_path / 'a.png', IDS, [9, 9, 9, 0, 0, 0, 255, 255, 255], **options)
    np.testing.assert_array_equal(read_label_mask(path), IDS)
    many = np.arange(200, dtype=np.uint8).reshape(10, 20)
    np.testing.assert_array_equal(read_label_mask(save(tmp_path / 'b.png', many, list(range(256)) * 3)), many)


def test_soft_edges(tmp_path):
    ramp = np.arange(0, 256, 5, dtype=np.uint8).reshape(4, 13)  # 0 to 255 in 52 steps
    for mask in as_file_and_array(tmp_path, ramp):
        np.testing.assert_array_equal(read_label_mask(mask), ramp >= 128)
    wide = np.linspace(0, 60000, 52).astype(np.uint16).reshape(4, 13)
    for mask in as_file_and_array(tmp_path, wide):
        np.testing.assert_array_equal(read_label_mask(mask), wide >= 30000)
    np.testing.assert_array_equal(read_label_mask(np.dstack([ramp] * 3)), ramp >= 128)
    few = (ramp // 13).astype(np.uint8)  # 20 values
    np.testing.assert_array_equal(read_label_mask(few), few)


def test_a_jpeg_never_holds_ids(tmp_path):
    mask = np.zeros((32, 48), np.uint8)
    mask[5:21, 11:30] = 255
    for pixels in (mask, np.dstack([mask] * 3)):
        path = save(tmp_path / 'a.jpg', pixels, quality=90)
        assert 2 < len(np.unique(np.asarray(Image.open(path))))
        np.testing.assert_array_equal(read_label_mask(path), mask > 0)


def test_a_cut_out(tmp_path):
    alpha = np.array([[0, 127, 128], [255, 1, 200]], np.uint8)
    for pixels in (np.dstack([np.full((2, 3, 3), 77, np.uint8), alpha]), np.dstack([IDS, alpha])):
        for mask in as_file_and_array(tmp_path, pixels):
            np.testing.assert_array_equal(read_label_mask(mask), alpha >= 128)


def test_colours_of_davis_are_its_ids(tmp_path):
    palette = np.array([(0, 0, 0), (128, 0, 0), (0, 128, 0)], np.uint8)
    for mask in as_file_and_array(tmp_path, palette[IDS]):
        np.testing.assert_array_equal(read_label_mask(mask), IDS)
    np.testing.assert_array_equal(read_label_mask(palette[(IDS == 2) * 2]), (IDS == 2) * 2)


def test_other_colours_are_numbered_in_their_order():
    colors = np.array([(0, 0, 0), PINK, BLUE], np.uint8)
    np.testing.assert_array_equal(read_label_mask(colors[IDS]), np.array([0, 2, 1])[IDS])
    opaque = np.dstack([colors[IDS], np.full_like(IDS, 255)])
    np.testing.assert_array_equal(read_label_mask(opaque), np.array([0, 2, 1])[IDS])


def test_a_colour_is_the_same_object_in_all_masks():
    first, second = (np.array([(0, 0, 0), *colors], np.uint8) for colors in ((RED, PINK), (BLUE, RED)))
    found = read_label_masks([first[IDS], IDS, second[IDS]])  # in order: blue 1, red 2, pink 3
    for labels, expected in zip(found, (np.array([0, 2, 3])[IDS], IDS, np.array([0, 1, 2])[IDS]), strict=True):
        np.testing.assert_array_equal(labels, expected)


def test_probabilities_and_whole_floats():
    np.testing.assert_array_equal(read_label_mask(np.array([[0, 0.49, 0.5, 1.0]])), [[0, 0, 1, 1]])
    np.testing.assert_array_equal(read_label_mask(IDS.astype(np.float64)), IDS)


@pytest.mark.parametrize('pixels, words', [
    (np.array([[0.5, 1.5]]), 'fractions and numbers above 1'),
    (np.array([[-0.5, 1.0]]), 'negative or non-finite'),
    (np.array([[np.nan, 1.0]]), 'negative or non-finite'),
    (np.array([[0, 300]]), 'object ids from 0 to 300; they must be 0 to 255'),
    (np.array([[-1, 3]]), 'object ids from -1 to 3'),
    (np.array([['a']]), 'must hold truth values or numbers'),
    (np.zeros((2, 3, 5), np.uint8), r'got the shape \(2, 3, 5\); several masks go into a list'),
    (np.zeros((0, 3), np.uint8), r'got the shape \(0, 3\)'),
    (np.zeros((2, 3, 3)), 'colours and alpha must be uint8, 0 to 255, got float64'),
    ([[1]], 'a mask is a file or an array of numpy, got list'),
])
def test_what_says_nothing(pixels, words):
    with pytest.raises(ValueError, match=words):
        read_label_mask(pixels)


def test_too_many_colours(tmp_path):
    colors = np.zeros((1, 22, 3), np.uint8)
    colors[0, :, 2] = np.arange(22)  # black and 21 blues
    with pytest.raises(ValueError, match='a.png holds 21 colours besides black.*draw it without soft edges'):
        read_label_mask(save(tmp_path / 'a.png', colors))
    assert read_label_mask(colors[:, :21]).max() == 20
    with pytest.raises(ValueError, match='all masks together holds? 21 colours'):
        read_label_masks([colors[:, :21], colors[:, 10:]])


def test_missing_and_unreadable(tmp_path):
    with pytest.raises(FileNotFoundError, match='none.png does not exist'):
        read_label_mask(tmp_path / 'none.png')
    with pytest.raises(OSError, match=f'mask {tmp_path} cannot be decoded'):
        read_label_mask(str(tmp_path))
    path = save(tmp_path / 'cut.png', np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableImageError, match='cut.png cannot be decoded'):
        read_label_mask(path)


# As data sets have it


@pytest.mark.parametrize('mode', ['L', 'P'])
def test_ids_survive(tmp_path, mode):
    path = save(tmp_path / 'a.png', IDS, DAVIS_COLORS if mode == 'P' else None)
    np.testing.assert_array_equal(read_mask(path), IDS != 0)
    np.testing.assert_array_equal(read_mask(path, 2), IDS == 2)
    assert read_mask(path).dtype == np.uint8


@pytest.mark.parametrize('value', [1, 255])
def test_single_channel(tmp_path, value):
    np.testing.assert_array_equal(read_mask(save(tmp_path / 'a.png', (IDS == 1).astype(np.uint8) * value)), IDS == 1)


@pytest.mark.parametrize('channels', [2, 3, 4])
def test_colour_and_alpha(tmp_path, channels):
    """As bear/00077.png of DAVIS 2016, which has alpha: opaque black is background."""
    pixels = np.zeros((2, 3, channels), np.uint8)
    pixels[..., 0] = np.where(IDS == 1, 255, 0)
    if channels in (2, 4):
        pixels[..., -1] = 255
    path = save(tmp_path / 'a.png', pixels)
    np.testing.assert_array_equal(read_mask(path), IDS == 1)


def test_any_colour_channel_counts(tmp_path):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, 1, 2] = 7  # blue
    pixels[0, 2, 3] = 255  # alpha alone
    np.testing.assert_array_equal(read_mask(save(tmp_path / 'a.png', pixels)), [[0, 1, 0]])


def test_object_id_of_colours_is_refused(tmp_path):
    path = save(tmp_path / 'a.png', np.zeros((2, 3, 3), np.uint8))
    with pytest.raises(ValueError, match=r'a.png has the channels RGB and so no object ids; object 2 cannot'):
        read_mask(path, 2)


def test_one_bit_annotation(tmp_path):
    Image.fromarray(IDS == 1).save(tmp_path / 'a.png')
    np.testing.assert_array_equal(read_mask(str(tmp_path / 'a.png')), IDS == 1)


@pytest.mark.parametrize('suffix', ['png', 'bmp'])
def test_threshold_of_soft_edges(tmp_path, suffix):
    levels = np.array([[0, 127, 128], [255, 1, 200]], np.uint8)
    path = save(tmp_path / f'a.{suffix}', np.dstack([levels] * 3))
    np.testing.assert_array_equal(read_mask(path, threshold=127), [[0, 0, 1], [1, 0, 1]])
    np.testing.assert_array_equal(read_mask(path), [[0, 1, 1], [1, 1, 1]])


def test_threshold_of_any_channel_without_alpha(tmp_path):
    pixels = np.zeros((1, 3, 4), np.uint8)
    pixels[0, 1, 2], pixels[0, 2, 3] = 128, 255
    np.testing.assert_array_equal(read_mask(save(tmp_path / 'a.png', pixels), threshold=127), [[0, 1, 0]])


def test_threshold_reads_what_a_palette_and_a_bit_stand_for(tmp_path):
    np.testing.assert_array_equal(read_mask(save(tmp_path / 'p.png', IDS, DAVIS_COLORS), threshold=127), IDS != 0)
    Image.fromarray(IDS == 1).save(tmp_path / 'b.png')
    np.testing.assert_array_equal(read_mask(str(tmp_path / 'b.png'), threshold=127), IDS == 1)


def test_id_and_threshold_exclude_each_other(tmp_path):
    with pytest.raises(ValueError, match=r'a.png: objects are told apart by object_id \(2\) or by threshold \(127\)'):
        read_mask(save(tmp_path / 'a.png', IDS), 2, threshold=127)


# As scoring has it


@pytest.mark.parametrize('mode, pixel, label', [
    ('L', 255, 255), ('P', 3, 3), ('1', 1, 1), ('RGB', (128, 0, 0), 1), ('LA', (7, 255), 7),
    ('RGBA', (0, 0, 0, 255), 0)])
def test_labels_of_every_kind_of_file(tmp_path, mode, pixel, label):
    image = Image.new(mode, (3, 2))
    if mode == 'P':
        image.putpalette(list(range(256)) * 3)
    image.putpixel((2, 1), pixel)
    image.save(tmp_path / 'mask.png')
    labels = read_labels(str(tmp_path / 'mask.png'))
    assert labels.dtype == np.uint8 and labels.shape == (2, 3)
    assert labels.tolist() == [[0, 0, 0], [0, 0, label]]


def test_files_without_labels(tmp_path):
    with pytest.raises(FileNotFoundError, match='does not exist'):
        read_labels(str(tmp_path / 'gone.png'))
    path = save(tmp_path / 'cut.png', np.zeros((400, 600), np.uint8))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UnreadableImageError, match='cut.png cannot be decoded'):
        read_labels(str(tmp_path / 'cut.png'))
    Image.fromarray(np.zeros((2, 3), np.uint16)).save(tmp_path / 'deep.png')
    with pytest.raises(ValueError, match='deep.png holds .*; object ids have 8 bits'):
        read_labels(str(tmp_path / 'deep.png'))
