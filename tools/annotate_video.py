"""Runs ``tempseg-annotate`` from a checkout, see tempseg_mm/commands/annotate.py."""

from _launch import launch

if __name__ == '__main__':
    launch('annotate')
