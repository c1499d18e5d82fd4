import numpy as np

import tempseg_mm
from tempseg_mm.runtime.versions import versions


def test_versions():
    found = versions()
    assert found['tempseg_mm'] == tempseg_mm.__version__ and found['numpy'] == np.__version__
    assert found.keys() == {'tempseg_mm', 'python', 'torch', 'mmengine', 'opencv', 'numpy'}
    assert all(isinstance(version, str) for version in found.values())
