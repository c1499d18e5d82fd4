import re

import pytest

from tempseg_mm.sources.coco_file import CocoAnnotation, CocoImage
from tempseg_mm.sources.coco_objects import CocoObjects


def images(*given):
    """Images with annotations (id, track, category) each."""
    return [CocoImage('a', '', None, None, tuple(CocoAnnotation(*one, None) for one in own)) for own in given]


def ids(objects, given):
    return [[objects.id_of(one) for one in image.annotations] for image in given]


@pytest.mark.parametrize(('given', 'expected', 'names', 'by'), [
    (images([(4, 7, 'dog'), (2, 3, 'cat')], [(9, 7, 'dog')]), [[7, 3], [7]], {3: 'cat', 7: 'dog'}, 'told apart by tr'),
    (images([(4, 0, 'dog'), (2, 300, '')]), [[1, 2]], {1: 'dog', 2: ''}, r'by track_id \(0 is 1, 300 is 2\)'),
    (images([(4, 2, 'object 2'), (1, None, 'object')]), [[2, 1]], {1: '', 2: ''}, 'without a track_id is an ob'),
    (images([(4, None, 'dog'), (2, None, 'dog')]), [[2, 1]], {1: 'dog', 2: 'dog'}, 'annotation, in the order of ids'),
    (images([(4, None, 'dog'), (2, None, 'cat')], [(7, None, 'dog')]), [[2, 1], [2]], {1: 'cat', 2: 'dog'},
     'one for each category, as no image has two objects of a category'),
    (images([(4, None, 'dog'), (2, None, 'dog')], [(7, None, 'dog')]), [[2, 1], [3]], {1: 'dog', 2: 'dog', 3: 'dog'},
     'in the order of ids; a "track_id" makes annotations of several images one object'),
    (images([(4, None, '')], [(7, None, '')]), [[1], [2]], {1: '', 2: ''}, 'one for each annotation'),
])
def test_which_object_an_annotation_is(given, expected, names, by):
    objects = CocoObjects(given)
    assert ids(objects, given) == expected and objects.names == names
    assert re.search(by, objects.by)


def test_more_objects_than_masks_can_hold():
    assert CocoObjects(images([(i, None, '') for i in range(255)])).names.keys() == set(range(1, 256))
    with pytest.raises(ValueError, match='256 objects in the frames, but 255 is the most'):
        CocoObjects(images([(i, None, '') for i in range(256)]))
