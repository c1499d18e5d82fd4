import cv2
import numpy as np
import pytest

from tempseg_mm.datasets.image_folder import ImageFolderDataset
from tempseg_mm.registry import DATASETS
from tempseg_mm.sources.image_io import UnreadableImageError


@pytest.fixture
def root(tmp_path):
    """Two classes in folders whose names are not made in order; three images, the first one red."""
    for name, files in (('tench', ['b.png']), ('ant', ['2.png', '1.PNG', 'notes.txt'])):
        (tmp_path / name).mkdir()
        for file in files:
            cv2.imwrite(str(tmp_path / name / 'image.png'), np.full((8, 12, 3), (0, 0, 255), np.uint8))
            (tmp_path / name / 'image.png').rename(tmp_path / name / file)
    (tmp_path / 'readme.txt').write_text('not a class')
    return tmp_path


def test_labels_count_the_sorted_folders(root):
    data = ImageFolderDataset(str(root))
    assert data.classes == ['ant', 'tench']
    assert [(data[i]['path'].removeprefix(f'{root}/'), data[i]['label']) for i in range(len(data))] == [
        ('ant/1.PNG', 0), ('ant/2.png', 0), ('tench/b.png', 1)]


def test_images_are_rgb_and_of_the_size_asked_for(root):
    image = ImageFolderDataset(str(root), size=4)[0]['img']
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8
    assert image[0, 0].tolist() == [255, 0, 0]


def test_pipeline_of_mmcv_and_ours(root):
    data = DATASETS.build(dict(type='ImageFolderDataset', data_root=str(root), num_classes=2, pipeline=[
        dict(type='RandomResizedCrop', size=(6, 6)), dict(type='RandomFlip', prob=0.5),
        dict(type='CenterCrop', crop_size=4), dict(type='PackImage')]))
    item = data[2]
    assert item['inputs'].shape == (3, 4, 4) and item['data_samples'] == 1
    assert (item['inputs'][0] == 255).all() and (item['inputs'][1:] == 0).all()


def test_broken_image_is_named_and_nothing_takes_its_place(root):
    (root / 'tench' / 'b.png').write_bytes(b'broken')
    data = ImageFolderDataset(str(root))
    with pytest.raises(UnreadableImageError, match='tench/b.png cannot be decoded'):
        data[2]


def test_class_without_images(root):
    (root / 'empty').mkdir()
    with pytest.raises(ValueError, match="class 'empty' has no images: .* holds no .jpg, .jpeg, .png files"):
        ImageFolderDataset(str(root))


def test_another_number_of_classes(root):
    with pytest.raises(ValueError, match='has 2 folders, one for each class, but num_classes is 3'):
        ImageFolderDataset(str(root), num_classes=3)


def test_missing_root(tmp_path):
    with pytest.raises(FileNotFoundError, match='gone.*one folder of images for each class'):
        ImageFolderDataset(str(tmp_path / 'gone'))
