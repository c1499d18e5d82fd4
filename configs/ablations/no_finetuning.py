"""Table 1, w/o fine-tune (76.8): the trained generator of the base config segments each sequence without fine-tuning.

    .venv/bin/tempseg-test configs/ablations/no_finetuning.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

default_hooks = dict(finetune=dict(finetuner=dict(steps=0)))
