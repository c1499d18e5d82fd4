"""What is typed: a module for each command, ``tempseg-train`` from ``train.py``; its arguments and what it prints.

A module is imported again by every worker process that a command starts, and by ``--help``: whatever is slow to import
is imported where it is used.
"""
