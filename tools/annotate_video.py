"""``tempseg-annotate`` from a checkout; what it does and takes: tempseg_mm/commands/annotate.py."""

from _launch import launch

if __name__ == '__main__':
    launch('annotate')
