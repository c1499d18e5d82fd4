"""Paper note P11: eqs. 8 and 9 to the letter, distances in root pixels, summed.

    python tools/train.py configs/ablations/literal_iftl.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

literal = dict(normalize=False, reduction='sum')
model = dict(losses=dict(iftl=literal, l_iftl=literal))
