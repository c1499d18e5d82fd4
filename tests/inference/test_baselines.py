import numpy as np
import pytest
import torch

from tempseg_mm.datasets.annotated_sequence import AnnotatedSequence
from tempseg_mm.inference.baselines import CopyMask, FlowPropagation, UntrainedGenerator
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.segmenter import Segmenter


class Never:
    def refine_masks(self, segmenter, stream):
        raise AssertionError('rivals are not refined')


def state(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def assert_equal(model, before):
    assert [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])] == []


def segment(baseline, model, sequence, *, given=2, finetuner=None, size=None):
    method = Segmenter(model, size, finetuner, refiners=(Never(),))
    return baseline.segmenter(method).segment(AnnotatedSequence(sequence, given))


@pytest.mark.parametrize('given, sources', [(1, [0, 0, 0, 0]), (2, [0, 0, 1, 1]), (3, [0, 0, 1, 2])])
def test_copying_takes_the_last_given_mask(make_model, make_sequence, given, sources):
    sequence = make_sequence()
    frames = list(segment(CopyMask(), make_model(), sequence, given=given, size=16))  # which does not matter
    for frame, source in zip(frames, sources):
        np.testing.assert_array_equal(frame.labels, sequence.masks[source])
        assert frame.probabilities.dtype == np.float32


def test_flow_propagation_follows_the_models_provider(make_model, make_sequence, monkeypatch):
    model, sequence = make_model(), make_sequence()

    def two_to_the_right(frames, next_frames):
        flow = torch.zeros(len(frames), 2, *frames.shape[2:])
        flow[:, 0] = 2
        return flow
    monkeypatch.setattr(model.data_preprocessor.flow, 'estimate', two_to_the_right)
    for frame in segment(FlowPropagation(), model, sequence, given=1):
        np.testing.assert_array_equal(frame.labels, sequence.masks[frame.frame_id])


def test_flow_propagation_works_at_the_working_size(make_model, make_sequence):
    frames = list(segment(FlowPropagation(), make_model(), make_sequence(3, (97, 131)), size=48))
    assert [frame.probabilities.shape for frame in frames] == [(1, 97, 131)] * 3


@pytest.mark.parametrize('finetuned', [False, True])
def test_the_method_keeps_its_weights(make_model, make_sequence, finetuned):
    model, sequence = make_model().eval(), make_sequence()
    before = state(model)
    finetuner = OnlineFinetuner(steps=1) if finetuned else None
    answers = [list(segment(UntrainedGenerator(seed=1), model, sequence, finetuner=finetuner))[-1].probabilities,
               list(Segmenter(model).segment(AnnotatedSequence(sequence)))[-1].probabilities]
    assert not np.array_equal(*answers)
    assert_equal(model, before)


def test_fresh_weights_depend_on_the_seed_alone(make_model, make_sequence):
    answers = []
    for seed, state_of_torch in ((0, 1), (0, 2), (3, 1)):
        torch.manual_seed(state_of_torch)
        model = make_model().eval()
        answers.append(list(segment(UntrainedGenerator(seed), model, make_sequence()))[-1].probabilities)
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_fresh_weights_are_those_of_a_newly_built_model(make_model):
    torch.manual_seed(3)
    fresh = state(make_model().generator)
    model = make_model().eval()
    for tensor in model.generator.state_dict().values():
        tensor.fill_(7)
    assert_equal(UntrainedGenerator(seed=3).segmenter(Segmenter(model)).parent, fresh)


def test_the_global_generator_of_numbers_continues_undisturbed(make_model, make_sequence):
    model = make_model().eval()
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    list(segment(UntrainedGenerator(seed=1), model, make_sequence()))
    assert torch.equal(torch.rand(3), expected)
