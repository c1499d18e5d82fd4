"""The checks of ``tempseg-doctor``: the installation, the machine, the project's weights, a config and its data.

Other packages are imported only inside a check that reports whether they are installed and work.
"""

from .check import Check, lines
from .config_health import check_config
from .machine import check_machine
from .packages import check_packages
from .weights import check_weights

__all__ = ['Check', 'check_config', 'check_machine', 'check_packages', 'check_weights', 'lines']
