"""Table 1, L1 + ITSDL (84.6): training without IFTL and L-IFTL.

    .venv/bin/tempseg-train configs/ablations/l1_itsdl.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

model = dict(losses=dict(iftl=None, l_iftl=None))
