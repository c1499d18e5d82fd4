"""Table 1, w/o ImageNet weights (79.3): the same from random weights.

Table A.1's own backbone has no published weights, so its configs start like this in any case.

    .venv/bin/tempseg-train configs/ablations/no_imagenet_weights.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis_mobilenet}}.py'

# Statistics that were never taken must not be held.
model = dict(generator=dict(backbone=dict(init_cfg=None, norm_eval=False)))
