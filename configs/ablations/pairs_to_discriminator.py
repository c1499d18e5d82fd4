"""Paper note P5: D judges the pair of an encoded mask and the encoded ground truth, not the mask alone.

    python tools/train.py configs/ablations/pairs_to_discriminator.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(adversary=dict(condition_on_target=True))
