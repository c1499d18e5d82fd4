"""Paper note P16: in training too, more and more clips get the network's own masks as references.

    python tools/train.py configs/ablations/own_reference_masks.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

custom_hooks = _base_.custom_hooks + [dict(type='OwnReferenceHook', prob=0.5)]
