"""Packaging of tempseg_mm: floors without caps. The versions it is tested with are pinned in requirements.txt."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent

INSTALL_REQUIRES = [
    'torch>=2.1',
    'mmengine>=0.10.7',
    'mmcv-lite>=2.0',  # `import mmcv` in pure Python; nothing here uses mmcv.ops
    'opencv-python',
    'av>=15',  # reads videos, writes VP9 overlays; OpenCV's wheels write no codec that browsers play as fast
    'numpy>=1.24',
    'pillow',
    'safetensors',
    'filelock>=3.20',  # torch brings it
    'pydensecrf2',  # `import pydensecrf`; pydensecrf itself does not build on Python 3.11
    'tensorboard',
    'rich',
    'jinja2>=3.0',  # torch brings it
]
DEV_REQUIRES = ['pytest', 'pytest-cov', 'pytest-xdist', 'hypothesis', 'playwright', 'ruff', 'pre-commit']


def read_version() -> str:
    """``__version__`` of the package, read as text: importing it would need what is yet to be installed."""
    text = (HERE / 'tempseg_mm' / '__init__.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    if found is None:
        raise ValueError("tempseg_mm/__init__.py must hold a line __version__ = '...'")
    return found.group(1)


setup(
    name='tempseg_mm',
    version=read_version(),
    description='TempSeg-GAN for semi-supervised video object segmentation, as plugins on mmengine registries',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8') if (HERE / 'README.md').exists() else '',
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10',
    packages=find_packages(include=['tempseg_mm', 'tempseg_mm.*']),
    package_data={'tempseg_mm.visualization.report': ['templates/*']},
    install_requires=INSTALL_REQUIRES,
    extras_require={'dev': DEV_REQUIRES, 'onnx': ['onnx', 'onnxruntime'], 'raft': ['torchvision']},
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Intended Audience :: Science/Research',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
