"""Runs ``tempseg-precompute-flow`` from a checkout, see tempseg_mm/commands/precompute_flow.py."""

from _launch import launch

if __name__ == '__main__':
    launch('precompute_flow')
