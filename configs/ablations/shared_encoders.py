"""Paper note P4, the other reading: one encoder for predictions and ground truth.

    python tools/train.py configs/ablations/shared_encoders.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(adversary=dict(share_weights=True))
