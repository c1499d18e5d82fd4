import os

import pytest

from tempseg_mm.datasets.davis import DAVISDataset
from tempseg_mm.registry import DATASETS

REAL = os.environ.get('TEMPSEG_DAVIS_ROOT', '')


def test_missing_root_says_where_to_get_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'davischallenge.org/davis2016/.*JPEGImages: .*TEMPSEG_DAVIS_ROOT.*'
                                                r'configs/tempseg_synthetic.py'):
        DATASETS.build(dict(type='DAVISDataset', data_root=str(tmp_path / 'DAVIS'), split='train'))


def test_metainfo(tmp_path):
    assert DAVISDataset.METAINFO['dataset_name'] == 'DAVIS 2016'


@pytest.mark.davis
@pytest.mark.skipif(not os.path.isdir(REAL), reason='needs the real DAVIS 2016 where TEMPSEG_DAVIS_ROOT says')
def test_real_rgba_annotation():
    bear = DAVISDataset(REAL, 'train', sequences=['bear'], test_mode=True)[0]['sequence']
    assert bear.shape == (480, 854) and bear.file_name(77) == '00077'
    areas = [bear.mask(i).mean() for i in (76, 77, 78)]
    assert areas[0] == pytest.approx(areas[1], rel=0.05) and areas[2] == pytest.approx(areas[1], rel=0.05)
