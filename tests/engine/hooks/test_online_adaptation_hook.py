import pytest

from tempseg_mm.engine.hooks.online_adaptation_hook import OnlineAdaptationHook
from tempseg_mm.inference.online_adaptation import OnlineAdaptation
from tempseg_mm.inference.segmenter import Segmenter


def test_it_sets_the_adaptation_of_a_segmenter(make_model):
    segmenter = Segmenter(make_model(), finetuner=object())
    OnlineAdaptationHook(dict(type='OnlineAdaptation', interval=7)).set_up_segmenter(segmenter)
    assert isinstance(segmenter.adaptation, OnlineAdaptation) and segmenter.adaptation.interval == 7
    OnlineAdaptationHook().set_up_segmenter(segmenter)
    assert segmenter.adaptation.interval == OnlineAdaptation().interval


def test_a_config_switches_it_on(make_runner, monkeypatch):
    asked = []
    monkeypatch.setattr(OnlineAdaptation, 'lesson', lambda self, frame, *_, **__: asked.append(frame.frame_id))
    runner = make_runner(**{'custom_hooks': [dict(type='OnlineAdaptationHook', adaptation=dict(
        type='OnlineAdaptation', interval=2))]})
    runner.test()
    assert asked == [2, 4] * 2  # six frames of two sequences, the first two given


def test_without_fine_tuning_there_is_nothing_to_continue(make_runner):
    runner = make_runner(**{'default_hooks.finetune': None, 'custom_hooks': [dict(type='OnlineAdaptationHook')]})
    with pytest.raises(ValueError, match='online adaptation continues the fine-tuning, but there is none'):
        runner.test()
