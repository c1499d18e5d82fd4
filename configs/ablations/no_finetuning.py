"""Table 1, w/o fine-tune (76.8): the trained generator meets each sequence as it is. Tested with the base's weights.

    .venv/bin/tempseg-test configs/ablations/no_finetuning.py work_dirs/tempseg_davis/iter_10000.pth
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

default_hooks = dict(finetune=dict(finetuner=dict(steps=0)))
