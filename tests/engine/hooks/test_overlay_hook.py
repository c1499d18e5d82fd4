import cv2
from PIL import Image


def test_a_clip_and_a_sheet_a_sequence(make_runner, tmp_path):
    out = tmp_path / 'show'
    runner = make_runner(**{'default_hooks.overlays': dict(type='OverlayHook', out_dir=str(out)), 'custom_hooks': []})
    runner.test()
    assert sorted(path.name for path in out.iterdir()) == [
        'test_000.mp4', 'test_000.png', 'test_001.mp4', 'test_001.png']
    clip = cv2.VideoCapture(str(out / 'test_000.mp4'))
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    ok, frame = clip.read()
    assert ok and frame.shape == (32, 48, 3)
    width, height = Image.open(out / 'test_000.png').size
    assert width >= 4 * 48 and height >= 2 * 32  # six tiles in rows of four


def test_default_folder_is_in_the_work_dir(make_runner, tmp_path):
    runner = make_runner(**{'default_hooks.overlays': dict(type='OverlayHook'), 'custom_hooks': [],
                            'test_dataloader.dataset.sequences': ['test_000']})
    runner.test()
    assert (tmp_path / 'work/test/overlays/test_000.mp4').is_file()
