import numpy as np
import pytest
import torch

from tempseg_mm.inference.rough_mask import object_finder


@pytest.mark.parametrize('window', [None, dict(type='ObjectWindow', size=(32, 48), share=0.6)])
def test_the_answer_is_that_of_one_pass_with_the_rough_mask_as_reference(make_model, make_sequence, window):
    model = make_model(window=window).eval()
    sequence = make_sequence(1, size=(64, 96))
    image, rough = sequence.frames[0], sequence.masks[0]
    found = object_finder(model)(image, rough)
    assert found.shape == rough.shape and found.dtype == np.uint8 and set(np.unique(found)) <= {0, 1}
    if window is None:
        frames = torch.from_numpy(image).permute(2, 0, 1)[None]
        with torch.no_grad():
            expected = model.predict(frames, torch.from_numpy(rough)[None, None].float())[0, 0] > 0.5
        np.testing.assert_array_equal(found, expected.numpy())


def test_another_generator_answers(make_model, make_sequence):
    model, sequence = make_model().eval(), make_sequence(1)

    class All(torch.nn.Module):
        def forward(self, frames, references):
            return 1000 * (references - 0.5)
    found = object_finder(model, All())(sequence.frames[0], sequence.masks[0])
    np.testing.assert_array_equal(found, sequence.masks[0])
