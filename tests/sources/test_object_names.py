import numpy as np
import pytest

from tempseg_mm.sources.object_names import WHITE, ObjectNames
from tempseg_mm.visualization.palette import color_palette

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_ids_follow_the_order_of_appearance_and_stay():
    names = ObjectNames()
    assert names.ids_of([WHITE]) == [1]
    assert names.ids_of([RED, WHITE]) == [2, 1]
    assert names.ids_of([BLUE, GREEN]) == [3, 4]
    assert names.ids_of([GREEN, RED]) == [4, 2]
    assert names.known == {1, 2, 3, 4}


def test_colours_do_not_take_numbers():
    names = ObjectNames()
    names.add_numbers([1, 3])
    assert names.ids_of([RED, BLUE]) == [2, 4]


def test_colours_of_davis_are_its_indices():
    palette = [tuple(color) for color in color_palette().tolist()]
    names = ObjectNames()
    assert names.ids_of([palette[7], palette[2]]) == [7, 2] and names.sentences() == []
    assert names.ids_of([palette[2], RED]) == [2, 1]
    assert ObjectNames().ids_of([palette[2], RED]) == [1, 2]


def test_colours_of_a_palette_that_masks_came_with():
    names = ObjectNames()
    names.add_numbers([1, 2])
    names.add_palette({1: BLUE, 2: RED})
    assert names.ids_of([RED, BLUE]) == [2, 1]
    assert names.ids_of([GREEN]) == [3]
    assert names.sentences() == ['Colours of the masks: green (0, 255, 0) is object 3.']
    np.testing.assert_array_equal(names.saved_palette()[:4], [(0, 0, 0), BLUE, RED, GREEN])


def test_compressed_colours_are_those_they_were():
    names = ObjectNames()
    names.ids_of([RED, BLUE])
    assert names.ids_of([(250, 9, 3)], exact=False) == [1]
    assert names.ids_of([(240, 9, 3)]) == [3]


@pytest.mark.parametrize('numbers, colors, found', [
    ([], [], 1), ([3], [], 3), ([1, 2], [], None), ([], [RED], 1), ([], [RED, WHITE], 2), ([], [RED, BLUE], None),
    ([1, 2], [WHITE], 3)])
def test_the_object_that_has_neither_number_nor_colour(numbers, colors, found):
    names = ObjectNames()
    names.add_numbers(numbers)
    names.ids_of(colors)
    assert names.id_of_the_object() == found
    assert numbers or names.id_of_the_object(is_white=True) == (found if WHITE in colors else len(colors) + 1)


def test_what_is_told():
    names = ObjectNames()
    names.ids_of([WHITE])
    assert names.sentences() == []
    names.ids_of([RED, (9, 8, 7)])
    assert names.sentences() == ['Colours of the masks: white (255, 255, 255) is object 1, red (255, 0, 0) is object '
                                 '2, the colour (9, 8, 7) is object 3.']


def test_more_objects_than_ids():
    names = ObjectNames()
    names.ids_of([(i, 255, 0) for i in range(255)])
    with pytest.raises(ValueError, match='more than 255 objects'):
        names.ids_of([RED])
