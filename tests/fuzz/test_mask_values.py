"""The same pixels are the same objects in any encoding, over sequences of masks; anything else is read or refused."""

import itertools

import numpy as np
import pytest
from fuzz.damage import budget
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image

from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import MaskValueError
from tempseg_mm.visualization.palette import color_palette

SIZE = 48, 64
DAVIS = color_palette()
NUMBER = itertools.count()


def picture(ids, mode):
    image = Image.fromarray(ids)
    if mode == 'P':
        image.putpalette(DAVIS.tobytes())
    return image if mode in 'PL' else Image.fromarray(DAVIS[ids])


def with_alpha(ids, colors):
    return np.dstack([colors, np.where(ids > 0, 255, 0).astype(np.uint8)])


# Name -> (ids, folder) -> a mask; every one of them says the same.
SEVERAL = {
    'array': lambda ids, folder: ids,
    'int64': lambda ids, folder: ids.astype(np.int64),
    'float': lambda ids, folder: ids.astype(np.float32),
    'channel': lambda ids, folder: ids[..., None],
    'list': lambda ids, folder: ids.tolist(),
    'gray PNG': lambda ids, folder: saved(picture(ids, 'L'), folder / 'a.png'),
    'palette PNG': lambda ids, folder: saved(picture(ids, 'P'), folder / 'a.png'),
    'RGB array': lambda ids, folder: DAVIS[ids],
    'RGB PNG': lambda ids, folder: saved(picture(ids, 'RGB'), folder / 'a.png'),
    'RGB BMP': lambda ids, folder: saved(picture(ids, 'RGB'), folder / 'a.bmp'),
    'palette TIFF': lambda ids, folder: saved(picture(ids, 'P'), folder / 'a.tif'),
    'palette GIF': lambda ids, folder: saved(picture(ids, 'P'), folder / 'a.gif'),
    'opaque RGBA': lambda ids, folder: saved(picture(ids, 'RGB').convert('RGBA'), folder / 'a.png'),
    'opaque LA': lambda ids, folder: saved(picture(ids, 'L').convert('LA'), folder / 'a.png'),
    'RGBA': lambda ids, folder: saved(Image.fromarray(with_alpha(ids, DAVIS[ids])), folder / 'a.png'),
    'white RGBA': lambda ids, folder: with_alpha(ids, np.where(ids[..., None] > 0, DAVIS[ids], 255).astype(np.uint8)),
    'LA': lambda ids, folder: with_alpha(ids, ids[..., None]),
    '16 bits': lambda ids, folder: saved(Image.fromarray(ids.astype(np.uint16)), folder / 'a.png'),
    'npy': lambda ids, folder: saved_array(ids, folder),
}
ONE = {
    '1 bit': lambda ids, folder: saved(Image.fromarray(ids > 0), folder / 'a.png'),
    'truth': lambda ids, folder: ids > 0,
    '0 and 255': lambda ids, folder: saved(Image.fromarray((ids > 0) * np.uint8(255)), folder / 'a.png'),
    'white on black': lambda ids, folder: np.repeat((ids > 0)[..., None] * np.uint8(255), 3, axis=2),
    '0 and 65535': lambda ids, folder: saved(Image.fromarray((ids > 0) * np.uint16(65535)), folder / 'a.png'),
    'probabilities': lambda ids, folder: np.where(ids > 0, 0.9, 0.2),
    'JPEG': lambda ids, folder: saved(Image.fromarray((ids > 0) * np.uint8(255)), folder / 'a.jpg', quality=95),
    'white below alpha': lambda ids, folder: with_alpha(ids, np.full((*ids.shape, 3), 255, np.uint8)),
}


def saved_array(ids, folder):
    path = folder / f'{next(NUMBER)}.npy'
    np.save(path, ids)
    return path


def saved(image, path, **options):
    path = path.with_stem(f'{next(NUMBER)}')
    image.save(path, **options)
    return path


@st.composite
def drawn(draw, most=6):
    """(H, W) uint8: up to ``most`` rectangles of the ids 1, 2, ..., apart from the border, perhaps over each other."""
    ids = np.zeros(SIZE, np.uint8)
    for _ in range(draw(st.integers(1, most))):
        top, left = draw(st.integers(4, 30)), draw(st.integers(4, 40))
        ids[top:top + draw(st.integers(6, 14)), left:left + draw(st.integers(6, 20))] = draw(st.integers(1, most))
    return ids


@budget(80)
@given(sequence=st.lists(st.tuples(drawn(), st.sampled_from(sorted(SEVERAL))), min_size=1, max_size=4),
       learn=st.booleans())
def test_several_objects(tmp_path, sequence, learn):
    masks = [SEVERAL[kind](ids, tmp_path) for ids, kind in sequence]
    reader, truth = MaskReader(masks=masks if learn else ()), MaskReader()
    for mask, (ids, _) in zip(masks, sequence, strict=True):
        found = reader.read(mask)
        np.testing.assert_array_equal(found.ids, ids)
        np.testing.assert_array_equal(truth.companion().read(mask).ids, found.ids)
        assert found.void is None


@budget(80)
@given(sequence=st.lists(st.tuples(drawn(most=1), st.sampled_from(sorted({**ONE, **SEVERAL}))), min_size=1,
                         max_size=4), learn=st.booleans())
def test_one_object(tmp_path, sequence, learn):
    masks = [{**ONE, **SEVERAL}[kind](ids, tmp_path) for ids, kind in sequence]
    reader = MaskReader(masks=masks if learn else ())
    for mask, (ids, kind) in zip(masks, sequence, strict=True):
        found = reader.read(mask).ids
        if kind == 'JPEG':
            assert (found == ids).mean() > 0.98
        else:
            np.testing.assert_array_equal(found, ids)


@budget(60)
@given(sequence=st.lists(drawn(), min_size=1, max_size=4), colors=st.lists(
    st.sampled_from([(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (255, 255, 255), (90, 40, 200)]),
    min_size=6, max_size=6, unique=True), ground=st.sampled_from([(0, 0, 0), (20, 60, 90)]),
    way=st.sampled_from(['RGB', 'RGBA', 'quantized']))
def test_colours_of_any_kind_are_the_same_objects_throughout(tmp_path, sequence, colors, ground, way):
    """Their ids are given as they come, so what is compared is which pixels belong together."""
    palette, reader, known = np.array([ground, *colors], np.uint8), MaskReader(), {0: 0}
    for ids in sequence:
        image = Image.fromarray(palette[ids])
        mask = dict(RGB=image, RGBA=image.convert('RGBA'), quantized=image.quantize(16))[way]
        found = reader.read(saved(mask, tmp_path / 'a.png')).ids
        for i in np.unique(ids):
            same = np.unique(found[ids == i])
            assert len(same) == 1 and known.setdefault(int(i), int(same[0])) == same[0]
    assert len(set(known.values())) == len(known)


@budget(200)
@given(pixels=st.one_of(
    arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=12)),
    arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.integers(1, 4))),
    arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3)),
           elements=st.sampled_from([0, 128, 255])),
    arrays(np.float32, (9, 9), elements=st.floats(-1, 300, width=32)), arrays(np.int32, (9, 9)), arrays(bool, (5, 6))))
def test_whatever_it_is_it_is_read_or_refused(pixels):
    for reader in (MaskReader(), MaskReader(masks=[pixels])):
        try:
            found = reader.read(pixels)
        except MaskValueError as error:
            assert len(str(error)) > 40
        else:
            assert found.ids.dtype == np.uint8 and found.ids.shape == pixels.shape[:2]
            assert found.void is None or not found.ids[found.void].any()


def test_the_encodings_differ(tmp_path):
    ids = np.zeros(SIZE, np.uint8)
    ids[10:20, 10:30], ids[25:40, 20:50] = 1, 2
    modes = {Image.open(mask).mode for mask in (encode(ids, tmp_path) for encode in {**ONE, **SEVERAL}.values())
             if not isinstance(mask, (np.ndarray, list)) and mask.suffix != '.npy'}
    assert modes == {'1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'I;16'}
    with pytest.raises(MaskValueError, match='without a number'):  # what has one object cannot go with two
        reader = MaskReader()
        reader.read(ids)
        reader.read(ids > 0)
