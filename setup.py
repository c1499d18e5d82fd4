"""Packaging of tempseg_mm: lowest versions without upper bounds. requirements.txt pins the versions that are tested."""

import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).resolve().parent

INSTALL_REQUIRES = [
    'torch>=2.4',  # the first whose fused optimisers run on a CPU
    'mmengine>=0.10.7',
    'mmcv-lite>=2.0',  # `import mmcv` in pure Python; nothing here uses mmcv.ops
    'opencv-python>=4.8',
    'av>=17',  # reads and writes videos (VP9, H.264, ProRes); OpenCV's wheels write no codec for browsers as fast
    'numpy>=1.24',
    'pillow>=10',
    'safetensors>=0.4',
    'pycocotools>=2.0.8',  # run-length masks of COCO JSON
    'filelock>=3.20',  # torch brings it
    # `import pydensecrf`; pydensecrf itself does not build on Python 3.11, and pydensecrf2 requires a Cython that does
    # not support Python 3.13. tempseg-doctor prints the command that builds it there.
    'pydensecrf2>=1.1; python_version < "3.13"',
    'tensorboard>=2.14',
    'rich>=13',
    'jinja2>=3.0',  # torch brings it
    'setuptools',  # torch and tensorboard need it at run time
]
EXTRAS = {
    'dev': ['pytest>=8', 'pytest-cov>=5', 'pytest-xdist>=3.5', 'hypothesis>=6.100', 'playwright>=1.45', 'ruff>=0.6',
            'pre-commit>=3.7', 'build>=1.2', 'twine>=5.1', 'starlette>=0.40', 'uvicorn>=0.30', 'onnx>=1.16',
            'onnxruntime>=1.18', 'sphinx>=9.0', 'myst-nb>=1.4', 'furo>=2025.12', 'nbclient>=0.10', 'ipykernel>=6.29'],
    'docs': ['sphinx>=9.0', 'myst-nb>=1.4', 'furo>=2025.12'],
    'onnx': ['onnx>=1.16', 'onnxruntime>=1.18'],
    'page': ['starlette>=0.40', 'uvicorn>=0.30'],
    'raft': ['torchvision>=0.16'],
}
SHIPPED = {'configs': '*.py', 'weights': '*'}  # folders of the project that a wheel stores inside the package


class BuildWithShippedFiles(build_py):
    """Copies configs and weights to ``tempseg_mm/shipped`` of a wheel; a checkout reads its own folders."""

    def run(self) -> None:
        """Build the package and copy the files; setuptools calls this."""
        super().run()
        if self.editable_mode:
            return
        for folder, pattern in SHIPPED.items():
            for path in sorted((HERE / folder).rglob(pattern)):
                if path.is_file() and '__pycache__' not in path.parts:
                    target = Path(self.build_lib, 'tempseg_mm', 'shipped', path.relative_to(HERE))
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(path, target)


def read_version() -> str:
    """Return ``__version__`` of the package from its text, since importing it needs packages that are not installed
    yet.
    """
    text = (HERE / 'tempseg_mm' / '__init__.py').read_text(encoding='utf-8')
    found = re.search(r"^__version__ = '([^']+)'", text, re.MULTILINE)
    if found is None:
        raise ValueError("tempseg_mm/__init__.py must hold a line __version__ = '...'")
    return found.group(1)


def commands() -> list[str]:
    """Return the entry points, such as ``tempseg-check-dataset`` for ``tempseg_mm/commands/check_dataset.py``."""
    modules = sorted(path.stem for path in (HERE / 'tempseg_mm' / 'commands').glob('*.py')
                     if 'def main(' in path.read_text(encoding='utf-8'))
    return [f'tempseg-{name.replace("_", "-")} = tempseg_mm.commands.{name}:main' for name in modules]


setup(
    name='tempseg_mm',
    version=read_version(),
    description='TempSeg-GAN for semi-supervised video object segmentation, as plugins on mmengine registries',
    long_description=(HERE / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    license_files=['LICENSE'],
    python_requires='>=3.11',
    packages=find_packages(include=['tempseg_mm', 'tempseg_mm.*']),
    package_data={'tempseg_mm.visualization.report': ['templates/*'], 'tempseg_mm.datasets': ['lists/*/*.txt'],
                  'tempseg_mm.annotator': ['static/*']},
    cmdclass={'build_py': BuildWithShippedFiles},
    entry_points={'console_scripts': commands()},
    install_requires=INSTALL_REQUIRES,
    extras_require=EXTRAS,
    classifiers=[
        'Development Status :: 3 - Alpha',
        'Environment :: Console',
        'Intended Audience :: Science/Research',
        'Operating System :: POSIX :: Linux',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Image Recognition',
    ],
)
