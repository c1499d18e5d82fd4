"""Runs ``tempseg-train`` from a checkout, see tempseg_mm/commands/train.py."""

from _launch import launch

if __name__ == '__main__':
    launch('train')
