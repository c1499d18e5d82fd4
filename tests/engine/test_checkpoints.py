import io

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from tempseg_mm.engine.checkpoints import make_plain, rebuild, require_same_architecture


def test_message_hub_survives_a_file_of_plain_types():
    buffer = HistoryBuffer([3.5, 2.5], [1, 2], max_length=10)
    hub = dict(log_scalars={'train/loss': buffer}, runtime_info=dict(iter=np.int64(7), best=np.float32(0.5), name='x'),
               resumed_keys={'train/loss': True})
    original = dict(hub['log_scalars'])
    make_plain(hub)
    assert original['train/loss'] is buffer  # the running log is not touched
    assert hub['runtime_info'] == dict(iter=7, best=0.5, name='x')
    assert type(hub['runtime_info']['iter']) is int and type(hub['runtime_info']['best']) is float

    file = io.BytesIO()
    torch.save(hub, file)
    file.seek(0)
    read = torch.load(file, weights_only=True)
    rebuild(read)
    again = read['log_scalars']['train/loss']
    assert isinstance(again, HistoryBuffer)
    assert again.data[0].tolist() == [3.5, 2.5] and again.data[1].tolist() == [1, 2] and again.max_length == 10
    again.update(1.0)
    assert again.current() == 1.0


def test_equal_architectures_pass():
    require_same_architecture({'a': torch.zeros(2)}, {'a': torch.ones(2)})


@pytest.mark.parametrize('saved, fault', [
    ({}, r'missing a \(2, 3\)'),
    ({'a': torch.zeros(2, 3), 'b': torch.zeros(4)}, r'unknown b \(4,\)'),
    ({'a': torch.zeros(3, 2)}, r'a is \(3, 2\), the model has \(2, 3\)'),
])
def test_another_architecture_is_described(saved, fault):
    with pytest.raises(ValueError, match=f'another architecture.*{fault}.*Use the config'):
        require_same_architecture(saved, {'a': torch.zeros(2, 3)})


def test_long_lists_are_cut():
    with pytest.raises(ValueError, match=r'k4 \(1,\) \.\.\. and 3 more') as error:
        require_same_architecture({}, {f'k{i}': torch.zeros(1) for i in range(8)})
    assert 'k5' not in str(error.value)
