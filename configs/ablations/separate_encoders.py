"""Paper note P4, the paper's words: "two separate encoders of same configuration".

    python tools/train.py configs/ablations/separate_encoders.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(adversary=dict(share_weights=False))
