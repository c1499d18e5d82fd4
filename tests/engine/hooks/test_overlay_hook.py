import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.engine.hooks.overlay_hook import OverlayHook
from tempseg_mm.structures import SegmentedFrame


def test_a_clip_and_a_sheet_a_sequence(make_runner, tmp_path):
    out = tmp_path / 'show'
    runner = make_runner(**{'default_hooks.overlays': dict(type='OverlayHook', out_dir=str(out)),
                            'default_hooks.finetune': None})
    runner.test()
    assert sorted(path.name for path in out.iterdir()) == [
        'test_000.png', 'test_000.webm', 'test_001.png', 'test_001.webm']
    clip = cv2.VideoCapture(str(out / 'test_000.webm'))
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    ok, frame = clip.read()
    assert ok and frame.shape == (32, 48, 3)
    width, height = Image.open(out / 'test_000.png').size
    assert width >= 4 * 48 and height >= 2 * 32  # six tiles in rows of four


def test_default_folder_is_in_the_work_dir(make_runner, tmp_path):
    runner = make_runner(**{'default_hooks.overlays': dict(type='OverlayHook'), 'default_hooks.finetune': None,
                            'test_dataloader.dataset.sequences': ['test_000']})
    runner.test()
    assert (tmp_path / 'work/test/overlays/test_000.webm').is_file()


class Runner:
    def __init__(self, work_dir):
        self.work_dir = str(work_dir)
        self.test_loop = type('Loop', (), dict(pictures={}, out_dir=f'{work_dir}/test'))


def test_what_goes_wrong_while_drawing_is_raised(tmp_path, sequence):
    hook, runner = OverlayHook(), Runner(tmp_path)
    hook.before_test(runner)
    hook.before_sequence(runner, sequence, None)
    assert runner.test_loop.pictures[sequence.name].keys() == {'overlay', 'contact sheet'}
    broken = SegmentedFrame('a', 0, '00000', np.zeros((8, 8, 3), np.uint8), num_frames=2,
                            labels=np.zeros((4, 4), np.uint8))
    hook.after_frame(None, broken)
    with pytest.raises(ValueError, match=r"mask must have its frame's size, \(8, 8\), got \(4, 4\)"):
        hook.after_sequence(None, sequence, None)


def test_few_frames_wait(tmp_path, sequence, monkeypatch):
    hook, drawn = OverlayHook(), []
    monkeypatch.setattr(hook, '_draw', drawn.append)
    hook.before_test(Runner(tmp_path))
    hook.before_sequence(Runner(tmp_path), sequence, None)
    for i in range(40):
        hook.after_frame(None, i)
        assert i + 1 - len(drawn) <= 10  # eight wait, one is being drawn, one has just been
    hook.after_sequence(None, sequence, None)
    assert drawn == list(range(40))
