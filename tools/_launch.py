"""Starts a command of the package from a checkout, installed or not. The command itself reports missing packages."""

import sys
from importlib import import_module
from pathlib import Path


def launch(command: str) -> None:
    """Run ``tempseg_mm.commands.<command>`` of the checkout that this file is in."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import_module(f'tempseg_mm.commands.{command}').main()
