import numpy as np
import pytest
import torch
from torch import nn

from tempseg_mm.inference.given_fit import POOR, GivenFit, fit_on_given
from tempseg_mm.inference.given_object import GivenObject
from tempseg_mm.inference.online_finetuner import AdaptedGenerator, faults_of


class Says(nn.Module):
    """A generator that answers with its reference mask, moved by so many pixels; ``None``: with nothing."""

    def __init__(self, shift):
        super().__init__()
        self.shift, self.calls = shift, []

    def forward(self, frames, references):
        self.calls.append(references.sum().item())
        shown = torch.zeros_like(references) if self.shift is None else torch.roll(references, self.shift, -1)
        return 20 * shown - 10


@pytest.fixture
def given(make_sequence, give):
    def given(frame_ids=(0, 1), num_frames=10):
        return GivenObject(give(make_sequence(num_frames), frame_ids, 3), 3)
    return given


def test_the_mean_overlap_with_the_given_masks_before_and_after(make_model, given):
    found = fit_on_given(make_model().eval(), given(), Says(None), Says(7))
    assert found == GivenFit(2, 0.0, pytest.approx(7 / 21))  # of 14 columns 7 are found, and 7 beside them
    assert fit_on_given(make_model().eval(), given(), Says(7), Says(0)) == GivenFit(2, pytest.approx(7 / 21), 1.0)


def test_of_many_masks_a_few_are_looked_at_the_first_and_the_last_among_them(make_model, given, monkeypatch):
    looked, image = [], GivenObject.frame
    monkeypatch.setattr(GivenObject, 'frame', lambda self, i: looked.append(i) or image(self, i))
    before, after = Says(0), Says(0)
    assert fit_on_given(make_model().eval(), given(range(10)), before, after).num_masks == 10
    assert looked == [0, 4, 9] and len(before.calls) == len(after.calls) == 3


def test_a_mask_without_the_object_is_none_of_its_masks(make_model, given):
    object_ = given((0, 1, 2))
    object_.sequence.labels[1][:] = 0
    object_.sequence.ends = True
    assert object_.frame_ids == [0, 1, 2]
    assert fit_on_given(make_model().eval(), object_, Says(0), Says(0)) == GivenFit(2, 1.0, 1.0)


def test_where_the_network_sees_windows_it_is_shown_windows(make_model, given):
    model = make_model(window=dict(type='ObjectWindow', size=(32, 48), share=0.6)).eval()
    seen = Says(0)
    found = fit_on_given(model, given((0,)), Says(None), seen)
    assert found.before == 0 and found.after > 0.9
    assert seen.calls[0] > 2 * 12 * 14  # enlarged


def test_the_streams_of_random_numbers_stay(make_model, given):
    model = make_model().eval()
    states = torch.get_rng_state(), np.random.get_state()[1].copy()
    fit_on_given(model, given(), model.generator, model.generator)
    assert torch.equal(states[0], torch.get_rng_state()) and (states[1] == np.random.get_state()[1]).all()
    assert not model.training


@pytest.mark.parametrize('num_masks, gain', [
    (1, 'IoU on it 0.31 -> 0.96'), (2, 'IoU on them 0.31 -> 0.96'), (9, 'IoU on 3 of them 0.31 -> 0.96')])
def test_in_words(num_masks, gain):
    fit = GivenFit(num_masks, 0.312, 0.957)
    assert fit.gain == gain and fit.fault == ''
    adapted = AdaptedGenerator(nn.Identity(), [0.5] * 100, 12.04, fit)
    assert adapted.summary == (
        f'fine-tuned on {num_masks} mask{"s" if num_masks > 1 else ""}, 100 steps in 12.0 s, {gain}')


def test_what_did_not_work_is_named():
    assert GivenFit(1, 0.9, 0.12).fault.startswith(
        'fine-tuning did not work: even on the frames that it learnt from, the IoU is 0.12 (0.90 before). ')
    assert GivenFit(1, 0.9, POOR).fault == ''
    adapted = {3: AdaptedGenerator(nn.Identity(), [0.1], 1, GivenFit(1, 0.9, 0.12)), 5: AdaptedGenerator(nn.Identity()),
               7: AdaptedGenerator(nn.Identity(), [0.1], 1, GivenFit(1, 0.1, 0.9))}
    told, = faults_of(adapted)
    assert told.startswith('Object 3: fine-tuning did not work: ') and told.endswith(' learning rate.')
