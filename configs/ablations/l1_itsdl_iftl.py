"""Not in the paper: L1 + ITSDL + IFTL, without L-IFTL.

    python tools/train.py configs/ablations/l1_itsdl_iftl.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

absent = ['l_iftl']
model = dict(losses=dict(l_iftl=None))
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name in custom_hooks[0].finetuner.get('leave_out', []) if name not in absent]
