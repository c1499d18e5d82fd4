from pathlib import Path

import pytest
from mmengine.config import Config

from tempseg_mm.doctor.config_types import unknown_type
from tempseg_mm.settings.components import find_types, registry_of

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path for path in (ROOT / 'configs').rglob('*.py') if '_base_' not in path.parts)


def test_a_place_that_says_nothing():
    assert registry_of(('geometry',)) is None
    assert unknown_type(('geometry',), 'ClipRandomAffine') == ''
    assert unknown_type(('geometry',), 'ClipRandomAfine').startswith(
        "'ClipRandomAfine' is no registered component; did you mean ClipRandomAffine")


@pytest.mark.parametrize('place, name, fault', [
    (('model', 'losses', 'l1'), 'L1Los', "'L1Los' is no registered model; did you mean L1Loss"),
    (('custom_hooks', 0), 'L1Loss', "'L1Loss' is no registered hook, but a model; "),
    (('model', 'x'), 'zzzzqqqq', "'zzzzqqqq' is no registered model; no known name is similar"),
    (('train_dataloader', 'collate_fn'), 'pseudo_colate', 'did you mean pseudo_collate'),
    (('model',), 'tempseg_mm.TempSegGAM', 'did you mean TempSegGAN'),
])
def test_unknown_types(place, name, fault):
    assert unknown_type(place, name).startswith(fault) or fault in unknown_type(place, name)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_the_configs_of_the_project_name_nothing_unknown(path):
    found = list(find_types(Config.fromfile(path).to_dict()))
    assert len(found) > 10
    assert [fault for place, name in found if (fault := unknown_type(place, name))] == []
