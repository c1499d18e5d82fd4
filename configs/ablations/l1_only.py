"""Table 1, L1 loss (81.2): no temporal loss; the adversarial loss (eq. 3) stays, as "the entire system intact" asks.

    python tools/train.py configs/ablations/l1_only.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

absent = ['itsd', 'iftl', 'l_iftl']
model = dict(losses=dict(itsd=None, iftl=None, l_iftl=None))
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name in custom_hooks[0].finetuner.get('leave_out', []) if name not in absent]
