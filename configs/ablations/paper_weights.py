"""Paper note P8: the paper's α for every term, and no term that it does not have.

    python tools/train.py configs/ablations/paper_weights.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

absent = ['iou']
model = dict(
    losses=dict(
        iou=None, bce=dict(loss_weight=0.1), adv=dict(loss_weight=0.1), l1=dict(loss_weight=0.25),
        itsd=dict(loss_weight=0.25), iftl=dict(loss_weight=0.25), l_iftl=dict(loss_weight=0.25)))
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name in custom_hooks[0].finetuner.get('leave_out', []) if name not in absent]
