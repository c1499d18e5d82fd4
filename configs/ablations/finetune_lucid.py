"""Paper note P15: fine-tuning on clips made from the given frames. Tested with the base's weights.

    python tools/test.py configs/ablations/finetune_lucid.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

custom_hooks = _base_.custom_hooks
augment = custom_hooks[0].finetuner.get('augment', [])
custom_hooks[0].finetuner.augment = [dict(type='LucidClip'), *(step for step in augment if step.type != 'LucidClip')]
