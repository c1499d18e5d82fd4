"""Paper note P15: fine-tuning by cross-entropy and, where the base has it, overlap. Tested with the base's weights.

    python tools/test.py configs/ablations/finetune_bce_iou.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name, loss in _base_.model.losses.items() if loss is not None and name not in ('bce', 'iou')]
