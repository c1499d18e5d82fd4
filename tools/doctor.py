"""Runs ``tempseg-doctor`` from a checkout, see tempseg_mm/commands/doctor.py."""

from _launch import launch

if __name__ == '__main__':
    launch('doctor')
