"""Runs ``tempseg-make-synthetic`` from a checkout, see tempseg_mm/commands/make_synthetic.py."""

from _launch import launch

if __name__ == '__main__':
    launch('make_synthetic')
