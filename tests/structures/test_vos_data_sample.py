import pytest
import torch

from tempseg_mm.structures.vos_data_sample import VOSDataSample


def sample():
    made = VOSDataSample(metainfo=dict(sequence='bear', frame_ids=[3, 4]))
    made.gt_masks = torch.ones(2, 1, 4, 6, dtype=torch.uint8)
    made.reference_masks = torch.zeros(2, 1, 4, 6, dtype=torch.uint8)
    made.flow = torch.zeros(1, 2, 4, 6)
    return made


def test_fields_are_kept_as_they_are():
    made = sample()
    assert made.gt_masks.sum() == 48 and made.reference_masks.sum() == 0 and made.flow.shape == (1, 2, 4, 6)
    assert (made.sequence, made.frame_ids) == ('bear', [3, 4])


def test_travels_to_another_type_as_a_whole():
    moved = sample().to(torch.float64)
    assert moved.gt_masks.dtype is moved.flow.dtype is torch.float64
    assert moved.sequence == 'bear'


@pytest.mark.parametrize('field, shape, message', [
    ('gt_masks', (2, 4, 6), r'gt_masks must be \(T, 1, H, W\), got \(2, 4, 6\)'),
    ('reference_masks', (2, 3, 4, 6), r'reference_masks must be \(T, 1, H, W\), got \(2, 3, 4, 6\)'),
    ('first_reference', (1, 4, 6), r'first_reference must be \(T, 1, H, W\), got \(1, 4, 6\)'),
    ('flow', (1, 4, 6, 2), r'flow must be \(T, 2, H, W\), got \(1, 4, 6, 2\)'),
])
def test_another_shape_is_refused(field, shape, message):
    with pytest.raises(ValueError, match=message):
        setattr(sample(), field, torch.zeros(shape))


def test_another_type_is_refused():
    with pytest.raises((TypeError, AttributeError)):
        sample().gt_masks = [[1]]


def test_the_first_reference_is_that_of_frame_0_unless_it_is_set():
    made = sample()
    assert torch.equal(made.first_reference, made.reference_masks[:1]) and 'first_reference' not in made
    made.first_reference = torch.ones(1, 1, 4, 6, dtype=torch.uint8)
    assert made.to(torch.float64).first_reference.sum() == 24 and made.reference_masks.sum() == 0


def test_missing_flow_shows():
    bare = VOSDataSample()
    assert 'flow' not in bare
    assert 'flow' in sample()


def test_every_field_is_pinned(monkeypatch):
    monkeypatch.setattr(torch.Tensor, 'pin_memory', lambda self: self + 1)  # a copy; only a machine with a GPU can pin
    made = sample()
    made.set_metainfo(dict(sequence='bear'))
    before = made.gt_masks.clone()
    pinned = made.pin_memory()
    assert pinned.sequence == 'bear' and isinstance(pinned, VOSDataSample) and pinned.keys() == made.keys()
    assert all(torch.equal(pinned.get(name), made.get(name) + 1) for name in made.keys())
    assert torch.equal(made.gt_masks, before)
