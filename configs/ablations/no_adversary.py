"""Not in the paper: the adversary judges (q of eqs. 8, 9 needs it) but G is not trained against it.

    python tools/train.py configs/ablations/no_adversary.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(losses=dict(adv=dict(loss_weight=0.0)))
