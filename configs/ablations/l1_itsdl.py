"""Table 1, L1 + ITSDL (84.6): without IFTL and L-IFTL.

    python tools/train.py configs/ablations/l1_itsdl.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

absent = ['iftl', 'l_iftl']
model = dict(losses=dict(iftl=None, l_iftl=None))
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name in custom_hooks[0].finetuner.get('leave_out', []) if name not in absent]
