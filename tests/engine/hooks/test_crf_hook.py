import sys

import numpy as np
import pytest
from mmengine.hooks import Hook
from PIL import Image

from tempseg_mm.engine.hooks.crf_hook import CRFHook
from tempseg_mm.ops.dense_crf import DenseCRF

ONE = {'test_dataloader.dataset.sequences': ['test_000']}


class Frames(Hook):
    """Probabilities before the CRF and after it."""

    def __init__(self):
        self.before, self.after = [], []

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            self.before.append(frame.probabilities[0])
            yield frame

    def after_frame(self, runner, frame):
        self.after.append(frame)


@pytest.mark.parametrize('workers', [0, 1])
def test_refines_what_is_scored_and_saved(make_runner, sequence, workers, own_processes):
    runner, frames = make_runner(**ONE), Frames()
    runner.register_hook(frames, priority='HIGH')
    runner.register_hook(CRFHook(dict(type='DenseCRF', srgb=12), workers=workers))
    metrics = runner.test()
    crf, overlaps = DenseCRF(srgb=12), []
    for i, (before, frame) in enumerate(zip(frames.before, frames.after)):
        expected = before if i == 0 else crf(before, frame.image)
        np.testing.assert_array_equal(frame.probabilities[0], expected)
        saved = np.asarray(Image.open(f'{runner.work_dir}/test/masks/test_000/{sequence.file_name(i)}.png'))
        np.testing.assert_array_equal(saved, expected > 0.5)
        overlaps.append((saved & frame.gt_labels).sum() / (saved | frame.gt_labels).sum())
    assert metrics['J_mean'] == pytest.approx(np.mean(overlaps[1:-1]))
    assert not own_processes()


def test_the_same_masks_in_any_order_of_hooks(make_runner, on_cpu):
    hooks = [make_runner().cfg.default_hooks.finetune, dict(type='TTAHook'), dict(type='CRFHook', workers=0)]
    results = []
    for order in (hooks, hooks[::-1]):
        runner, frames = make_runner(**ONE, **{'default_hooks.finetune': None}, custom_hooks=order), Frames()
        runner.register_hook(frames, priority='HIGH')
        runner.test()
        results.append(np.stack([frame.probabilities for frame in frames.after]))
    np.testing.assert_array_equal(*results)


def test_masks_stay_as_they_are_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    monkeypatch.delattr('pydensecrf.densecrf')
    with pytest.raises(ImportError, match='pydensecrf'):
        CRFHook()
    said = []
    monkeypatch.setattr('tempseg_mm.engine.hooks.crf_hook.print_log', lambda text, **_: said.append(text))
    hook = CRFHook(required=False)
    assert len(said) == 1 and said[0].startswith('the masks are not refined: ') and 'pip install' in said[0]
    frames = iter([1, 2])
    assert hook.refine_masks(None, frames) is frames
    hook.close()


def test_an_error_elsewhere_leaves_no_workers_behind(make_runner, own_processes):
    class Failing(Hook):
        def after_frame(self, runner, frame):
            if frame.frame_id == 2:
                raise ZeroDivisionError('in the export')
    runner = make_runner(**{'default_hooks.crf': dict(type='CRFHook', workers=1)})
    runner.register_hook(Failing())
    with pytest.raises(ZeroDivisionError, match='in the export'):
        runner.test()
    assert not own_processes()


def test_without_the_package_the_runner_is_not_even_built(make_runner, monkeypatch):
    monkeypatch.setitem(sys.modules, 'pydensecrf.densecrf', None)
    monkeypatch.delattr('pydensecrf.densecrf')
    with pytest.raises(ImportError, match=r'pip install .*pydensecrf2'):
        make_runner(**{'default_hooks.crf': dict(type='CRFHook')})
