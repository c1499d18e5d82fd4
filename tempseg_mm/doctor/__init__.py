"""What ``tempseg-doctor`` looks at: the installation, the machine, the weights of the project, a config and its data.

Imports nothing from outside Python's own library before it has looked whether it is there and works.
"""

from .check import Check, lines
from .config_health import check_config
from .machine import check_machine
from .packages import check_packages
from .weights import check_weights

__all__ = ['Check', 'check_config', 'check_machine', 'check_packages', 'check_weights', 'lines']
