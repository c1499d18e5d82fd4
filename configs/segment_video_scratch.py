"""A single video without trained weights: the small network learns the object from the given masks alone.

    .venv/bin/tempseg-segment dog.mp4 --mask dog_00000.png --checkpoint none

It differs from tempseg_davis_scratch.py only in fine-tuning: more steps, and cross-entropy as the only loss. From
scratch, other terms first teach empty masks, see "A video without trained weights" in docs/history.md. To measure it:

    .venv/bin/tempseg-test configs/segment_video_scratch.py
"""
_base_ = './tempseg_davis_scratch.py'

checkpoint = 'none'
default_hooks = dict(finetune=dict(finetuner=dict(steps=600, leave_out=['iou'])))
