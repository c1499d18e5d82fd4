"""Table 1, L1 loss (81.2): no temporal loss. The adversarial loss (eq. 3) stays, to keep "the entire system intact".

    .venv/bin/tempseg-train configs/ablations/l1_only.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(losses=dict(itsd=None, iftl=None, l_iftl=None))
