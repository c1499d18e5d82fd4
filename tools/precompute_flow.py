"""``tempseg-precompute-flow`` from a checkout; what it does and takes: tempseg_mm/commands/precompute_flow.py."""

from _launch import launch

if __name__ == '__main__':
    launch('precompute_flow')
