"""Runs ``tempseg-evaluate`` from a checkout, see tempseg_mm/commands/evaluate.py."""

from _launch import launch

if __name__ == '__main__':
    launch('evaluate')
