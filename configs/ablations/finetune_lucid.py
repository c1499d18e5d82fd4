"""Paper note P15: fine-tuning on clips made from the given frames, tested with the weights of the base config.

    .venv/bin/tempseg-test configs/ablations/finetune_lucid.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

real = [step for step in _base_.default_hooks.finetune.finetuner.get('augment', []) if step.type != 'LucidClip']
default_hooks = dict(finetune=dict(finetuner=dict(augment=[dict(type='LucidClip'), *real])))
