"""Paper note P4, the paper's words: "two separate encoders of same configuration"."""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(adversary=dict(share_weights=False))
