import pytest
from windows import disc, following, frame_with, iou

from tempseg_mm.inference.following_window import FollowingWindow
from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.inference.views import WholeFrame, view_of

WINDOW = dict(type='ObjectWindow', size=(48, 64), share=0.5)


def test_the_model_says_which_view(make_model):
    assert isinstance(view_of(make_model()), WholeFrame)
    assert isinstance(view_of(make_model(window=WINDOW)), FollowingWindow)


def test_the_network_sees_windows_and_answers_at_the_size_of_the_frame(make_model, make_sequence):
    sequence, model = make_sequence(3, (97, 131)), make_model(window=WINDOW).eval()
    seen = []
    predict = model.predict
    model.predict = lambda frames, masks, **more: seen.append(frames.shape) or predict(frames, masks, **more)
    propagator = generator_propagator(model, {1: None}, size=48)
    propagator.start(sequence.frames[0], sequence.masks[0])
    probabilities = propagator.step(sequence.frames[1])
    assert probabilities.shape == (1, 97, 131) and 0 <= probabilities.min() and probabilities.max() <= 1
    assert seen == [(1, 3, 48, 64)]


@pytest.mark.parametrize('whole', [False, True])
def test_what_is_known_to_be_others_is_taken_from_a_mask(whole):
    view = WholeFrame() if whole else following()
    found = view.given(frame_with(), disc((50, 60), 14))
    left = view.without(frame_with(), found, disc((60, 60), 14))
    expected = disc((50, 60), 14) * (1 - disc((60, 60), 14)) > 0
    assert iou(view.pasted(frame_with(), left) > 0.5, expected) > 0.9
    assert (left.window, left.area) == (found.window, found.area) and left.mask.sum() < found.mask.sum()
