"""The commands: one module each, such as ``train.py`` for ``tempseg-train``, with its arguments and its output.

Worker processes and ``--help`` import these modules again, so slow imports are made inside functions.
"""
