"""Table 1, w/o DAVIS training (68.7): initial weights, fine-tuned only on the first frames of each sequence.

    .venv/bin/tempseg-test configs/ablations/no_davis_training.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

checkpoint = 'none'
