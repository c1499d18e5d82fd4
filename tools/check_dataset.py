"""``tempseg-check-dataset`` from a checkout; what it does and takes: tempseg_mm/commands/check_dataset.py."""

from _launch import launch

if __name__ == '__main__':
    launch('check_dataset')
