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


def test_without_fine_tuning_there_is_nothing_to_continue(make_runner, monkeypatch):
    for without in ({'default_hooks.finetune': None}, {'default_hooks.finetune.finetuner.steps': 0}):
        monkeypatch.setattr(OnlineAdaptation, 'lesson', lambda *_, **__: pytest.fail('it learns'))
        make_runner(**without, custom_hooks=[dict(type='OnlineAdaptationHook')]).test()
