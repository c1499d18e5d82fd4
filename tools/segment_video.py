"""Runs ``tempseg-segment`` from a checkout, see tempseg_mm/commands/segment.py."""

from _launch import launch

if __name__ == '__main__':
    launch('segment')
