import numpy as np
import torch

from tempseg_mm.inference.object_finetuning import GivenObject, adapt_to_object
from tempseg_mm.inference.online_finetuner import OnlineFinetuner

ADAM = dict(type='Adam', lr=0.01)


def given(sequence, object_id=1, frames=(0, 1), others=0):
    labels = {i: np.where(sequence.masks[i] > 0, object_id, 0).astype(np.uint8) for i in frames}
    for mask in labels.values():
        mask[:4] = others
    return GivenObject('square', object_id, dict(enumerate(sequence.frames)), labels)


def weights(generator):
    return torch.cat([value.flatten().float() for value in generator.state_dict().values()])


def test_the_model_keeps_its_generator_and_the_copy_is_adapted(make_model, make_sequence):
    model = make_model()
    before = weights(model.generator)
    steps = []
    adapted = adapt_to_object(model, OnlineFinetuner(steps=2, optimizer=ADAM), given(make_sequence()),
                              on_step=steps.append)
    assert torch.equal(weights(model.generator), before)
    assert not torch.equal(weights(adapted.generator), before)
    assert len(adapted.losses) == 2 and adapted.seconds > 0 and steps == [1, 2]
    assert not any(module.training for module in adapted.generator.modules())


def test_it_is_what_a_test_would_fine_tune_and_other_objects_change_nothing(make_model, make_sequence):
    model, sequence = make_model(), make_sequence()
    finetuner = OnlineFinetuner(steps=2, optimizer=ADAM, augment=[dict(type='ClipRandomAffine')])
    finetuner.adapt(model, sequence, seed=3)
    expected = weights(model.generator)
    finetuner.restore(model)
    for object_id, others in ((1, 0), (7, 0), (7, 2)):
        adapted = adapt_to_object(model, finetuner, given(sequence, object_id, others=others), seed=3)
        assert torch.equal(weights(adapted.generator), expected)


def test_it_learns_from_the_frames_since_the_object_came():
    labels = {frame: np.zeros((2, 2), np.uint8) for frame in (3, 9, 30)}
    labels[9][0, 0] = 5
    labels[3][1, 1] = 2
    images = {frame: np.zeros((2, 2, 3), np.uint8) for frame in labels}
    assert GivenObject('x', 5, images, labels).frame_ids == [9, 30]
    assert GivenObject('x', 2, images, labels).frame_ids == [3, 9, 30]
    assert GivenObject('x', 5, images, labels).mask(9).tolist() == [[1, 0], [0, 0]]
