"""Checks which packages are installed, in which version, and how to install the others, for ``tempseg-doctor``."""

import contextlib
import importlib
import importlib.metadata
import re
import shlex
import sys
import textwrap
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from tempseg_mm.runtime.command_names import pydensecrf_install
from tempseg_mm.runtime.project_files import ROOT

from .check import BROKEN, MISSING, OK, TOO_OLD, Check

LONGEST = 160  # longest shown text of an error, in characters


@dataclass(frozen=True)
class Package:
    """A package that the project uses.

    Attributes:
        module: the module to import.
        requirement: requirement as in setup.py: name, and lowest version if there is one.
        use: purpose of an optional package; empty if the project needs it.
        hint: what else its installation needs.
        install: the command line that installs it; empty for ``pip install`` with the requirement.
    """
    module: str
    requirement: str
    use: str = ''
    hint: str = ''
    install: str = ''

    @property
    def name(self) -> str:
        """Name of the distribution."""
        return re.split(r'[<>=!~;]', self.requirement)[0]

    @property
    def floor(self) -> str:
        """Lowest accepted version; empty for any."""
        return self.requirement.partition(';')[0].partition('>=')[2]


# setup.py has the same list for pip; a test compares the two.
PACKAGES = (
    Package('torch', 'torch>=2.4'),
    Package('mmengine', 'mmengine>=0.10.7'),
    Package('mmcv', 'mmcv-lite>=2.0'),
    Package('cv2', 'opencv-python>=4.8'),
    Package('av', 'av>=17'),
    Package('numpy', 'numpy>=1.24'),
    Package('PIL', 'pillow>=10'),
    Package('safetensors', 'safetensors>=0.4'),
    Package('pycocotools', 'pycocotools>=2.0.8'),
    Package('filelock', 'filelock>=3.20'),
    Package('rich', 'rich>=13'),
    Package('jinja2', 'jinja2>=3.0'),
    Package('pydensecrf.densecrf', 'pydensecrf2>=1.1; python_version < "3.13"', install=pydensecrf_install(),
            hint='needs a C++ compiler: apt-get install build-essential',
            use='' if sys.version_info < (3, 13) else 'the dense CRF'),
    Package('tensorboard', 'tensorboard>=2.14'),
    Package('setuptools', 'setuptools'),
    Package('torchvision', 'torchvision>=0.16', use='RAFT flow'),
    Package('starlette', 'starlette>=0.40', use='the annotation page'),
    Package('uvicorn', 'uvicorn>=0.30', use='the annotation page'),
    Package('onnx', 'onnx>=1.16', use='export to ONNX'),
    Package('onnxruntime', 'onnxruntime>=1.18', use='export to ONNX'),
)
PROJECT = Package('tempseg_mm', 'tempseg_mm')


def install_line(package: Package) -> str:
    """Return the command line that installs a package and the other packages for the same use."""
    if package.install:
        return package.install
    together = [other for other in PACKAGES if package.use and other.use == package.use] or [package]
    wanted = ' '.join(shlex.quote(other.requirement.partition(';')[0]) for other in together)
    return f'{shlex.quote(sys.executable)} -m pip install {wanted}'


def check_packages(packages: Iterable[Package] = PACKAGES) -> list[Check]:
    """Import each package, the project first. A fault of one package does not stop the checks of the others."""
    return [check_package(package) for package in (PROJECT, *packages)]


def check_package(package: Package) -> Check:
    """Import one package and compare its version with the lowest accepted one."""
    needed, of_use = not package.use, f'for {package.use}' if package.use else ''
    install = f'{shlex.quote(sys.executable)} -m pip install '
    wanted = '-e .' if package is PROJECT else shlex.quote(package.requirement.partition(';')[0])
    hint = f'   ({package.hint})' if package.hint else ''
    try:
        version = _version(package)
    except ModuleNotFoundError as error:
        if error.name is not None and package.module.split('.')[0] == error.name.split('.')[0]:
            return Check(package.name, MISSING, of_use, (package.install or install + wanted) + hint, needed)
        return Check(package.name, BROKEN, f'needs {error.name}, which is not installed',
                     install + shlex.quote(error.name or package.name), needed)
    except (Exception, SystemExit) as error:  # a broken installation may raise anything
        reason = textwrap.shorten(f'{type(error).__name__}: {error}', LONGEST, placeholder=' ...')
        return Check(package.name, BROKEN, f'cannot be imported: {reason}',
                     install + '--force-reinstall ' + wanted + hint, needed)
    if package.floor and version and _numbers(version) < _numbers(package.floor):
        return Check(package.name, TOO_OLD, f'{version}; {package.floor} or later is needed',
                     install + '--upgrade ' + wanted, needed)
    where = f', configs in {ROOT / "configs"}' if package is PROJECT else ''
    return Check(package.name, OK, f'{version or "unknown version"}{where}', needed=needed)


def _version(package: Package) -> str:
    """Import a package and return its own version, which may differ from the version that was installed last."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(sys.stderr):
        warnings.simplefilter('ignore')
        importlib.import_module(package.module)
    found = getattr(sys.modules.get(package.module.split('.')[0]), '__version__', None)
    if isinstance(found, str):
        return found
    try:
        return importlib.metadata.version(package.name)
    except importlib.metadata.PackageNotFoundError:
        return ''


def _numbers(version: str) -> tuple[int, ...]:
    """Convert '2.13.0+cpu' to (2, 13, 0)."""
    found = re.match(r'\d+(\.\d+)*', version)
    return tuple(map(int, found.group().split('.'))) if found else ()
