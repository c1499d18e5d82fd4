import numpy as np
import pytest
import torch

from tempseg_mm.datasets.transforms.image import PackImage, RandomResizedCrop


def coordinates(height, width):
    """An image that says at every pixel where it is: (row, column, 0)."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([rows, columns, np.zeros_like(rows)], axis=-1).astype(np.uint8)


def test_part_lies_inside_with_share_and_ratio_of_the_intervals():
    crop = RandomResizedCrop((8, 8), scale=(0.2, 0.5), ratio=(0.5, 2))
    parts = np.array([crop._part(200, 100) for _ in range(300)])
    top, left, height, width = parts.T
    assert (top >= 0).all() and (left >= 0).all() and (top + height <= 200).all() and (left + width <= 100).all()
    share, ratio = height * width / 20000, width / height
    assert 0.19 < share.min() < 0.23 and 0.46 < share.max() < 0.51
    assert 0.49 < ratio.min() < 0.6 and 1.4 < ratio.max() < 2.05  # 0.5 of the area at 2:1 does not fit
    assert top.max() > 100 and left.max() > 40 and top.min() < 10 and left.min() < 5


def test_result_is_the_part_in_the_size_asked_for():
    crop = RandomResizedCrop((6, 4))
    crop._part = lambda height, width: (10, 20, 12, 8)
    image = crop(dict(img=coordinates(40, 50)))['img']
    assert image.shape == (6, 4, 3)
    assert image[:, 0, 0].tolist() == [11, 13, 15, 17, 19, 21]  # means of two: 10.5, 12.5, ..., rounded up
    assert image[0, :, 1].tolist() == [21, 23, 25, 27]


def test_all_of_a_square_is_what_is_left_without_freedom():
    image = coordinates(16, 16)
    assert (RandomResizedCrop((16, 16), scale=(1, 1), ratio=(1, 1))(dict(img=image))['img'] == image).all()


def test_largest_centred_square_where_nothing_fits():
    assert RandomResizedCrop((8, 8), scale=(1, 1), ratio=(1, 1))._part(10, 21) == (0, 5, 10, 10)


@pytest.mark.parametrize('options', [dict(scale=(0, 1)), dict(scale=(0.5, 0.2)), dict(scale=(0.5, 1.5)),
                                     dict(ratio=(0, 1)), dict(ratio=(2, 1))])
def test_impossible_intervals_are_refused(options):
    with pytest.raises(ValueError, match=r'scale must be an interval in \(0, 1\] and ratio an interval of pos'):
        RandomResizedCrop((8, 8), **options)


def test_packed_channels_come_first():
    packed = PackImage()(dict(img=coordinates(2, 3)[:, ::-1], label=7))
    assert packed['inputs'].dtype == torch.uint8
    assert packed['inputs'].tolist() == [[[0, 0, 0], [1, 1, 1]], [[2, 1, 0], [2, 1, 0]], [[0, 0, 0], [0, 0, 0]]]
    assert packed['data_samples'] == 7
