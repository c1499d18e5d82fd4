import json

import pytest

from tempseg_mm.sources.coco_file import read_coco

IMAGE = dict(id=7, file_name='a/00003.jpg', width=6, height=4)
ONE = dict(id=1, image_id=7, category_id=2, segmentation=[[1, 1, 3, 1, 3, 3]], bbox=[1, 1, 2, 2])
CATEGORIES = [dict(id=2, name='a dog\x1b')]


@pytest.fixture
def read(tmp_path):
    def read(content):
        (tmp_path / 'x.json').write_text(content if isinstance(content, str) else json.dumps(content))
        return read_coco(tmp_path / 'x.json')
    return read


def test_images_and_their_annotations(read):
    image, bare = read(dict(
        images=[IMAGE, dict(id='b', file_name='c\\d.png', video_id=3, frame_id=0)], videos=[dict(id=3, name='night')],
        annotations=[ONE, dict(id=2, image_id=7, iscrowd=1, attributes=dict(track_id=0))], categories=CATEGORIES))
    assert (image.file_name, image.stem, image.sequence, image.frame_id, image.size) == (
        'a/00003.jpg', '00003', 'a', None, (4, 6))
    assert (bare.stem, bare.sequence, bare.frame_id, bare.size, bare.annotations) == ('d', 'night', 0, None, ())
    dog, crowd = image.annotations
    assert (dog.id, dog.track, dog.category, dog.is_crowd) == (1, None, 'a dog\\x1b', False)
    assert (crowd.track, crowd.category, crowd.segmentation, crowd.is_crowd) == (0, '', None, True)
    for key in ('track_id', 'instance_id'):
        assert read(dict(images=[IMAGE], annotations=[ONE | {key: 9}]))[0].annotations[0].track == 9


def test_tracks_of_youtube_vis(read):
    region = ONE['segmentation']
    images = read(dict(
        videos=[dict(id=5, width=6, height=4, file_names=['v/00000.jpg', 'v/00005.jpg'])], categories=CATEGORIES,
        annotations=[dict(id=8, video_id=5, category_id=2, segmentations=[None, region]),
                     dict(id=4, video_id=5, category_id=2, segmentations=[region, region], iscrowd=0)]))
    assert [(image.stem, image.sequence, image.frame_id, image.size) for image in images] == [
        ('00000', 'v', 0, (4, 6)), ('00005', 'v', 1, (4, 6))]
    assert [[annotation.track for annotation in image.annotations] for image in images] == [[4], [8, 4]]
    with pytest.raises(ValueError, match=r'annotation 8 must have a segmentation, or null, for each of the 2 "file_n'):
        read(dict(videos=[dict(id=5, file_names=['0.jpg', '1.jpg'])],
                  annotations=[dict(id=8, video_id=5, segmentations=[region])]))


@pytest.mark.parametrize(('content', 'words'), [
    ('{"images": [', r'no JSON, or it is cut off \(Expecting'), ('[' * 100_000, 'it is no JSON, or it is cut off'),
    ([], 'no COCO JSON: COCO JSON holds "images" .* This file holds: list'),
    (dict(shapes=[], imagePath='a.png'), 'This file holds: shapes, imagePath'),
    (dict(images=[IMAGE]), 'it lists images only and has no "annotations"'),
    (dict(images=[IMAGE], annotations=[1]), '"annotations" must be a list of entries'),
    (dict(images=IMAGE, annotations=[ONE]), '"images" must be a list of entries'),
    (dict(images=[], annotations=[ONE]), 'annotation 1 belongs to image 7, which is not among'),
    (dict(images=[IMAGE, IMAGE], annotations=[ONE]), '2 of its "images" have the id 7'),
    (dict(images=[dict(id=7)], annotations=[ONE]), 'image 7 has no "file_name"'),
    (dict(videos=[dict(id=1, file_names='a')], annotations=[dict(segmentations=[])]), 's" of video 1 must be a'),
])
def test_what_is_no_coco_is_refused(read, content, words):
    with pytest.raises(ValueError, match=words):
        read(content)


def test_a_file_that_is_not_there(tmp_path):
    (tmp_path / 'masks.json').touch()
    with pytest.raises(FileNotFoundError, match='maks.json does not exist, did you mean .*masks.json?'):
        read_coco(tmp_path / 'maks.json')
