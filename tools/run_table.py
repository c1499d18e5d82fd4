"""Runs ``tempseg-run-table`` from a checkout, see tempseg_mm/commands/run_table.py."""

from _launch import launch

if __name__ == '__main__':
    launch('run_table')
