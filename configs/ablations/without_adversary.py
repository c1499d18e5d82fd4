"""Not in the paper: no adversary at all, so no adversarial loss, and no q for IFTL and L-IFTL.

    python tools/train.py configs/ablations/without_adversary.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

absent = ['adv', 'iftl', 'l_iftl']
model = dict(adversary=None, losses=dict(adv=None, iftl=None, l_iftl=None))
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name in custom_hooks[0].finetuner.get('leave_out', []) if name not in absent]
kept = {name: part for name, part in _base_.optim_wrapper.items() if name != 'adversary'}
optim_wrapper = dict(kept, _delete_=True)
