"""Paper note P16: G sees the frame alone, W x H x 3; no reference mask.

    python tools/train.py configs/ablations/no_reference_mask.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(generator=dict(reference_mask='none'))
