import pytest
import torch

from tempseg_mm.models.architecture import require_same_architecture


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
