"""Runs ``tempseg-export`` from a checkout, see tempseg_mm/commands/export.py."""

from _launch import launch

if __name__ == '__main__':
    launch('export')
