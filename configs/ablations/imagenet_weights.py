"""Not a row of the paper by itself: a light generator from ImageNet weights, against which the next is compared.

    python tools/train.py configs/ablations/imagenet_weights.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis_240p}}.py'

weights = '{{$TEMPSEG_IMAGENET_WEIGHTS:https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth}}'
model = dict(generator=dict(backbone=dict(init_cfg=dict(type='ImageNetWeights', checkpoint=weights))))
