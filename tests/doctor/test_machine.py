import shutil
import sys
from collections import namedtuple
from dataclasses import replace

import torch

from tempseg_mm.doctor.machine import check_machine
from tempseg_mm.visualization.exporters import OverlayVideoWriter
from tempseg_mm.visualization.video_writer import QUICK_WEBM

Usage = namedtuple('Usage', 'total used free')


def found(name):
    return {check.name: check for check in check_machine()}[name]


def test_this_machine():
    checks = {check.name: check for check in check_machine()}
    assert list(checks) == ['python', 'machine', 'disk', 'GPU', 'overlays', 'chromium']
    assert [name for name, check in checks.items() if check.is_fault] == []
    assert 'core(s)' in checks['machine'].text and 'GB free' in checks['disk'].text


def test_full_disk(monkeypatch):
    monkeypatch.setattr(shutil, 'disk_usage', lambda folder: Usage(10**12, 10**12, 2 * 10**8))
    check = found('disk')
    assert check.is_fault and check.text.startswith('0.20 GB free')


def test_old_python(monkeypatch):
    monkeypatch.setattr(sys, 'version_info', (3, 9, 1))
    assert found('python').state == 'too old'


def test_a_gpu_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    monkeypatch.setattr(torch.cuda, 'device_count', lambda: 2)
    monkeypatch.setattr(torch.cuda, 'get_device_name', lambda i: f'card {i}')
    assert found('GPU').text.startswith('card 0, card 1 (CUDA')


def test_without_torch_or_opencv_the_rest_is_still_looked_at(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torch', None)
    monkeypatch.setitem(sys.modules, 'cv2', None)
    checks = {check.name: check for check in check_machine()}
    assert checks['GPU'].text == 'unknown without PyTorch (ModuleNotFoundError)'
    assert checks['overlays'].state == 'broken' and 'opencv-python' in checks['overlays'].remedy
    assert checks['disk'].state == 'ok'


def test_a_pyav_without_the_codec(monkeypatch):
    lacking = dict(OverlayVideoWriter.__init__.__kwdefaults__, profile=replace(QUICK_WEBM, codec='libvpx-vp0'))
    monkeypatch.setattr(OverlayVideoWriter.__init__, '__kwdefaults__', lacking)
    check = found('overlays')
    assert check.is_fault and 'cannot be written: cannot write ' in check.text and ' av opencv-python' in check.remedy


def test_an_opencv_that_cannot_read_the_codec(monkeypatch):
    class Capture:
        def __init__(self, path):
            assert open(path, 'rb').read(4) == b'\x1aE\xdf\xa3'  # a WebM is there

        def read(self):
            return False, None
    monkeypatch.setattr('cv2.VideoCapture', Capture)
    check = found('overlays')
    assert check.is_fault and 'OpenCV cannot read' in check.text


def test_no_browser_is_no_fault(monkeypatch):
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    check = found('chromium')
    assert (check.state, check.remedy, check.is_fault) == ('missing', 'apt-get install chromium', False)
