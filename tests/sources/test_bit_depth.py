import cv2
import numpy as np
import pytest

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.bit_depth import BitDepth
from tempseg_mm.sources.image_files import ImageFilesSource
from tempseg_mm.sources.image_io import bits_used, read_image

GRAY = np.arange(60, dtype=np.uint16).reshape(6, 10) * 4


@pytest.mark.parametrize('largest, bits', [(0, 8), (255, 8), (256, 10), (1023, 10), (1024, 12), (4095, 12), (9999, 14),
                                           (16384, 16), (65535, 16)])
def test_bits_that_are_used(largest, bits):
    assert bits_used([np.zeros((2, 2), np.uint16), np.full((2, 2), largest, np.uint16)]) == bits


@pytest.mark.parametrize('suffix', ['.png', '.tif'])
@pytest.mark.parametrize('bits', [8, 10, 12, 14, 16])
@pytest.mark.parametrize('colours', [False, True])
def test_frames_look_alike_whatever_their_bits(tmp_path, suffix, bits, colours):
    wide = (GRAY.astype(np.int64) * ((1 << bits) - 1) // 255).astype(np.uint16)
    for i in range(3):  # the first is dark: what is white is the same in all
        cv2.imwrite(str(tmp_path / f'{i}{suffix}'), np.dstack([wide] * 3) // (3 - i) if colours else wide // (3 - i))
    source = ImageFilesSource(sorted(tmp_path.iterdir()))
    for i, frame in enumerate(source.frames()):
        np.testing.assert_allclose(frame.image, np.dstack([GRAY // (3 - i)] * 3), atol=2)
    assert len(source.notices) == (bits < 16)


def test_later_values_above_are_told():
    notices = Notices()
    depth = BitDepth('shot', notices)
    depth.settle([GRAY])
    assert depth.rgb8(GRAY * 4, 'frame 7').max() == 255
    assert 'frame 7 holds values above 255, which became white' in list(notices)[-1]
    assert depth.rgb8(np.uint8(GRAY), 'frame 8').max() == GRAY.max()


@pytest.mark.parametrize('bits', [8, 12, 16])
@pytest.mark.parametrize('colours', [False, True])
def test_data_sets_read_them_likewise(tmp_path, bits, colours):
    wide = (GRAY.astype(np.int64) * ((1 << bits) - 1) // 255).astype(np.uint16)
    wide = np.dstack([wide, wide // 2, wide // 4]) if colours else wide
    for i in range(3):
        cv2.imwrite(str(tmp_path / f'{i}.png'), wide // (3 - i))
    for i in range(3):
        expected = np.dstack([GRAY // 4, GRAY // 2, GRAY] if colours else [GRAY] * 3) / (3 - i)
        np.testing.assert_allclose(read_image(str(tmp_path / f'{i}.png')), expected, atol=2)
