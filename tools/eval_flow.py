"""Runs ``tempseg-eval-flow`` from a checkout, see tempseg_mm/commands/eval_flow.py."""

from _launch import launch

if __name__ == '__main__':
    launch('eval_flow')
