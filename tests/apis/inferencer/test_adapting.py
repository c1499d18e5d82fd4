import numpy as np
import pytest
import torch

from tempseg_mm.apis.inferencer.adapting import adapt_to_all
from tempseg_mm.apis.inferencer.inputs import Inputs
from tempseg_mm.apis.inferencer.loading import Segmenter
from tempseg_mm.apis.inferencer.run_state import RunState
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.sources.open_source import open_source


@pytest.fixture
def segmenter(make_model):
    return Segmenter(make_model(), OnlineFinetuner(steps=2, optimizer=dict(type='Adam', lr=0.01)), None)


@pytest.fixture
def inputs(make_sequence):
    sequence = make_sequence(3)
    labels = sequence.masks[1] * 2
    labels[2:6, 2:6] = 5
    return Inputs(open_source(sequence.frames), (32, 48), {1: labels}, {1: sequence.frames[1]})


def weight(generator):
    return generator.decoder.to_logits.weight.detach().clone()


def test_a_generator_an_object_and_steps_counted_over_all(segmenter, inputs):
    before, heard = weight(segmenter.model.generator), []
    adapted = adapt_to_all(segmenter, inputs, on_progress=lambda *step: heard.append(step))
    assert list(adapted) == [2, 5]
    assert heard == [('fine-tuning', i, 4) for i in (1, 2, 3, 4)]
    assert not torch.equal(weight(adapted[2].generator), weight(adapted[5].generator))
    assert torch.equal(weight(segmenter.model.generator), before)


def test_what_was_adapted_before_is_not_adapted_again(segmenter, inputs, tmp_path, monkeypatch):
    state = RunState(tmp_path / 's', {})
    state.begin()

    def stop(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt):
        adapt_to_all(segmenter, inputs, state=state, on_progress=stop)
    heard = []
    adapted = adapt_to_all(segmenter, inputs, state=state, on_progress=lambda *step: heard.append(step))
    assert heard == [('fine-tuning', 3, 4), ('fine-tuning', 4, 4)]
    fresh = adapt_to_all(segmenter, inputs)
    for object_id in (2, 5):
        assert torch.equal(weight(adapted[object_id].generator), weight(fresh[object_id].generator))
        np.testing.assert_array_equal(adapted[object_id].losses, fresh[object_id].losses)
        for found in (adapted, fresh):  # one layout for both, as it decides how sums are rounded
            kernel = found[object_id].generator.decoder.to_logits.weight
            assert kernel.is_contiguous(memory_format=torch.channels_last)
