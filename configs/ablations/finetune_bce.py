"""Paper note P15: fine-tuning by cross-entropy alone, OSVOS's recipe. Tested with the base's weights.

    python tools/test.py configs/ablations/finetune_bce.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.leave_out = [
    name for name, loss in _base_.model.losses.items() if loss is not None and name != 'bce']
