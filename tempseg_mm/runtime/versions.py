"""Versions of the software that results may depend on, for the pages and files of results."""

import platform
import sys

import cv2
import mmengine
import numpy as np
import torch

from tempseg_mm.registry import SCOPE


def versions() -> dict:
    """Return name -> version of the project, of Python and of the packages that masks depend on."""
    return {SCOPE: sys.modules[SCOPE].__version__, 'python': platform.python_version(), 'torch': torch.__version__,
            'mmengine': mmengine.__version__, 'opencv': cv2.__version__, 'numpy': np.__version__}
