from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.hooks import Hook

from tempseg_mm.engine.stages import HOUSEKEEPING, check_stage_names, method_hooks, stages_in_order


class Good(Hook):
    def refine_masks(self, segmenter, stream):
        return stream

    def sequence_state(self, name):
        return {}

    def has_masks(self):
        return True

    def _refine_mask(self):
        """Not for the loop."""


class Slip(Good):
    def restore_sequences(self, name, state):
        """One letter too many."""


def test_hooks_without_a_slip_pass():
    check_stage_names([Good(), Good, Hook()])


@pytest.mark.parametrize('hook', [Slip, Slip()])
def test_a_slip_is_named_with_the_stage_that_was_meant(hook):
    with pytest.raises(ValueError, match='Slip has a method restore_sequences, .* did you mean the stage '
                                         'restore_sequence'):
        check_stage_names([Good, hook])


def test_stages_list_their_hooks_in_order():
    class Other(Good):
        def after_frame(self, runner, frame):
            """Watches."""
    assert stages_in_order([Other(), Good()]) == 'refine_masks: Other, Good\nafter_frame: Other'


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
