import pytest
from mmengine.hooks import Hook

from tempseg_mm.engine.stages import check_stage_names, stages_in_order


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
