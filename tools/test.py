"""Runs ``tempseg-test`` from a checkout, see tempseg_mm/commands/test.py."""

from _launch import launch

if __name__ == '__main__':
    launch('test')
