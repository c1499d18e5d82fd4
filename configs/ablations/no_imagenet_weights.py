"""Table 1, w/o ImageNet weights (79.3): the same training from scratch.

Table A.1's own backbone has no published weights, so its configs always start from scratch.

    .venv/bin/tempseg-train configs/ablations/no_imagenet_weights.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis_mobilenet}}.py'

# The normalisation statistics of an untrained network must not be frozen.
model = dict(generator=dict(backbone=dict(init_cfg=None, norm_eval=False)))
