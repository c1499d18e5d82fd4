"""Which packages are there, in which version, and the line that installs what is not. Called by ``tempseg-doctor``."""

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

LONGEST = 160  # of what is shown of an error


@dataclass(frozen=True)
class Package:
    """A package the project uses.

    Attributes:
        module: what is imported.
        requirement: as setup.py has it: name, and floor if it has one.
        use: what an optional one is for; empty: the project needs it.
        hint: what else its installation needs.
        install: the command line that installs it; empty: that of pip with the requirement.
    """
    module: str
    requirement: str
    use: str = ''
    hint: str = ''
    install: str = ''

    @property
    def name(self) -> str:
        """Of the distribution."""
        return re.split(r'[<>=!~;]', self.requirement)[0]

    @property
    def floor(self) -> str:
        """The lowest version; empty: any."""
        return self.requirement.partition(';')[0].partition('>=')[2]


# setup.py has the same, for pip; a test compares the two.
PACKAGES = (
    Package('torch', 'torch>=2.1'),
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
    """The command line that installs a package, and what else its use needs."""
    if package.install:
        return package.install
    together = [other for other in PACKAGES if package.use and other.use == package.use] or [package]
    wanted = ' '.join(shlex.quote(other.requirement.partition(';')[0]) for other in together)
    return f'{shlex.quote(sys.executable)} -m pip install {wanted}'


def check_packages(packages: Iterable[Package] = PACKAGES) -> list[Check]:
    """Each package is imported, the project itself first; what goes wrong in one does not keep from the next."""
    return [check_package(package) for package in (PROJECT, *packages)]


def check_package(package: Package) -> Check:
    """Import one package and compare its version with its floor."""
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
    except (Exception, SystemExit) as error:  # whatever a broken installation comes up with
        reason = textwrap.shorten(f'{type(error).__name__}: {error}', LONGEST, placeholder=' ...')
        return Check(package.name, BROKEN, f'cannot be imported: {reason}',
                     install + '--force-reinstall ' + wanted + hint, needed)
    if package.floor and version and _numbers(version) < _numbers(package.floor):
        return Check(package.name, TOO_OLD, f'{version}, needed is {package.floor} or later',
                     install + '--upgrade ' + wanted, needed)
    where = f', configs in {ROOT / "configs"}' if package is PROJECT else ''
    return Check(package.name, OK, f'{version or "of unknown version"}{where}', needed=needed)


def _version(package: Package) -> str:
    """Of what is imported, which need not be what was installed last."""
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
    """'2.13.0+cpu' -> (2, 13, 0)."""
    found = re.match(r'\d+(\.\d+)*', version)
    return tuple(map(int, found.group().split('.'))) if found else ()
