import numpy as np
import pytest

from tempseg_mm.visualization.palette import color_palette, object_colors


@pytest.mark.parametrize('index, color', [
    (0, (0, 0, 0)), (1, (128, 0, 0)), (2, (0, 128, 0)), (3, (128, 128, 0)), (4, (0, 0, 128)), (7, (128, 128, 128)),
    (8, (64, 0, 0)), (20, (0, 64, 128)), (21, (128, 64, 128)), (64, (32, 0, 0)), (255, (224, 224, 192)),
])
def test_the_published_colours(index, color):
    assert tuple(color_palette()[index].tolist()) == color


def test_every_id_has_its_own_colour():
    assert len({tuple(color) for color in color_palette().tolist()}) == 256


def test_objects_have_bright_colours_of_their_own():
    colors = object_colors()
    assert colors.shape == (256, 3) and colors[1].tolist() == [255, 64, 64]
    assert len({tuple(color) for color in colors.tolist()}) == 256
    assert (colors[1:].max(1) >= 140).all()
    first = colors[1:13].astype(int)
    distances = np.abs(first[:, None] - first[None]).sum(-1)
    assert distances[~np.eye(12, dtype=bool)].min() > 70
    with pytest.raises(ValueError, match='read-only'):
        colors[1] = 0
