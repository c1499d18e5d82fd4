"""Paper note P15: fine-tuning on the given frames themselves, turned and coloured. Tested with the base's weights.

    python tools/test.py configs/ablations/finetune_no_lucid.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.augment = [
    step for step in custom_hooks[0].finetuner.get('augment', []) if step.type != 'LucidClip']
