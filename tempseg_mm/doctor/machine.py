"""Checks Python, processor, memory, disk and GPU, and whether overlays can be written. ``tempseg-doctor`` uses it."""

import os
import platform
import shutil
import sys
import tempfile

from .check import BROKEN, MISSING, NOTE, OK, TOO_OLD, WRONG, Check

LOWEST_PYTHON = (3, 11)
LEAST_DISK = 1.0  # GB, enough for a few checkpoints
BROWSERS = ('chromium', 'chromium-browser', 'google-chrome')


def check_machine(folder: str = '.') -> list[Check]:
    """Check the machine, and the disk of ``folder``, the output folder."""
    return [_python(), _cores(), _disk(folder), _device(), _overlays(), _browser()]


def _python() -> Check:
    version = platform.python_version()
    if sys.version_info[:2] < LOWEST_PYTHON:
        return Check('python', TOO_OLD, f'{version}; 3.11 or later is needed', 'python3.11 -m venv .venv')
    return Check('python', OK, f'{version}, {sys.executable}')


def _cores() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    names = getattr(os, 'sysconf_names', {})
    if not {'SC_PAGE_SIZE', 'SC_PHYS_PAGES'} <= names.keys():
        return Check('machine', OK, f'{platform.platform()}, {cores} core(s)')
    memory = os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9
    return Check('machine', OK, f'{platform.system()} {platform.machine()}, {cores} core(s), {memory:.1f} GB of memory')


def _disk(folder: str) -> Check:
    free = shutil.disk_usage(folder).free / 1e9
    if free < LEAST_DISK:
        return Check('disk', WRONG, f'{free:.2f} GB free in {os.path.abspath(folder)}',
                     'free some space, or name another folder with --work-dir')
    return Check('disk', OK, f'{free:.0f} GB free in {os.path.abspath(folder)}')


def _device() -> Check:
    try:
        import torch
        if torch.cuda.is_available():
            names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
            return Check('GPU', OK, f'{", ".join(names)} (CUDA {torch.version.cuda})')
        build = f'CUDA {torch.version.cuda}' if torch.version.cuda else 'CPU'
        return Check('GPU', NOTE, f'none that PyTorch can use (build for {build}); PyTorch uses the CPU with '
                                  f'{torch.get_num_threads()} thread(s)')
    except (Exception, SystemExit) as error:
        return Check('GPU', NOTE, f'unknown without PyTorch ({type(error).__name__})')


def _overlays() -> Check:
    """Write a short overlay and read it back, since PyAV and OpenCV are built with different codecs."""
    try:
        import cv2
        import numpy as np

        from tempseg_mm.visualization.exporters import OverlayVideoWriter
        from tempseg_mm.visualization.video_writer import QUICK_WEBM
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'overlay.webm')
            with OverlayVideoWriter(path) as video:
                for level in (0, 255):
                    video.write(np.full((64, 96, 3), level, np.uint8))
            readable = cv2.VideoCapture(path).read()[0]
    except (Exception, SystemExit) as error:
        return Check('overlays', BROKEN, f'cannot be written: {error}',
                     f'{sys.executable} -m pip install --force-reinstall av opencv-python')
    if not readable:
        return Check('overlays', BROKEN, f'OpenCV cannot read the WebM ({QUICK_WEBM.codec}) that PyAV writes',
                     f'{sys.executable} -m pip install --force-reinstall opencv-python')
    return Check('overlays', OK, f'PyAV writes WebM ({QUICK_WEBM.codec}) that browsers play')


def _browser() -> Check:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        return Check('chromium', MISSING, 'for the tests of reports', 'apt-get install chromium', needed=False)
    return Check('chromium', OK, found, needed=False)
