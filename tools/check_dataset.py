"""Runs ``tempseg-check-dataset`` from a checkout, see tempseg_mm/commands/check_dataset.py."""

from _launch import launch

if __name__ == '__main__':
    launch('check_dataset')
