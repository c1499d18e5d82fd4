"""Runs ``tempseg-tune-crf`` from a checkout, see tempseg_mm/commands/tune_crf.py."""

from _launch import launch

if __name__ == '__main__':
    launch('tune_crf')
