import pytest
import torch
from torch import nn

from tempseg_mm.models.compute import Compute


def is_channels_last(module):
    return module.weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize('channels_last, expected', [
    ('never', (False, False, False)), ('auto', (False, True, False)), ('always', (True, True, True))])
def test_where_kernels_have_the_layout(channels_last, expected):
    compute = Compute(channels_last=channels_last)
    found = (compute.laid_out(nn.Conv2d(2, 4, 3)), compute.laid_out(nn.Conv2d(2, 4, 3), prediction=True),
             compute.laid_out(nn.Conv2d(2, 4, 3, device='meta'), prediction=True))  # a device that is no CPU
    assert tuple(map(is_channels_last, found)) == expected


@pytest.mark.parametrize('word', ['yes', True, ''])
def test_an_unknown_layout(word):
    with pytest.raises(ValueError, match=r'compute.channels_last must be one of auto, never, always, got'):
        Compute(channels_last=word)


def test_an_unknown_setting(make_model):
    with pytest.raises(ValueError, match='model.compute has no ampp; its settings are amp, channels_last, graph'):
        make_model(compute=dict(ampp=True))
    assert Compute.of(None) == Compute() == Compute.of({}) and Compute.of(dict(amp=True)).amp


def test_the_layout_survives_copies_and_changes_no_answer(make_model):
    torch.manual_seed(0)
    plain = make_model().eval()
    torch.manual_seed(0)
    model = make_model(compute=dict(channels_last='always')).eval()
    kernels = [parameter for parameter in model.generator.parameters() if parameter.ndim == 4]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    frames, masks = torch.rand(1, 3, 32, 48) * 255, torch.rand(1, 1, 32, 48)
    torch.testing.assert_close(model.predict(frames, masks), plain.predict(frames, masks), rtol=1e-3, atol=1e-4)


def test_steps_run_in_bfloat16_and_predictions_do_not(make_model, clip_batch):
    model, seen = make_model(compute=dict(amp=True)), []
    model.generator.decoder.to_logits.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    batch = clip_batch
    prediction = model(batch)
    terms = model.generator_losses(prediction, batch)
    assert seen == [torch.bfloat16] and {term.dtype for term in terms.values()} == {torch.float32}
    sum(terms.values()).backward()
    assert {parameter.grad.dtype for parameter in model.generator.parameters()} == {torch.float32}
    assert model.eval().predict(torch.rand(1, 3, 32, 48), torch.rand(1, 1, 32, 48)).dtype == torch.float32
    assert seen == [torch.bfloat16, torch.float32]
