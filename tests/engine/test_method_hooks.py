from pathlib import Path

from mmengine.config import Config

from tempseg_mm.engine.method_hooks import HOUSEKEEPING, method_hooks

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


def test_what_only_logs_draws_or_saves_is_left_out():
    runtime = Config.fromfile(CONFIGS / '_base_/default_runtime.py').default_hooks
    assert set(runtime) <= set(HOUSEKEEPING) and method_hooks(dict(default_hooks=runtime)) == {}


def test_hooks_of_the_method_under_their_names():
    cfg = Config.fromfile(CONFIGS / 'tempseg_pp_synthetic.py')
    cfg.custom_hooks = [dict(type='EMAHook')]
    assert {name: hook['type'] for name, hook in method_hooks(cfg).items()} == dict(
        finetune='OnlineFinetuneHook', tta='TTAHook', crf='CRFHook', custom_0='EMAHook')


def test_none_is_no_hook():
    assert method_hooks(dict(default_hooks=dict(finetune=None))) == method_hooks({}) == {}
