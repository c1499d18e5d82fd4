"""A single video without trained weights: the small network learns the object from the given masks alone.

    python tools/segment_video.py dog.mp4 --mask dog_00000.png --checkpoint none

Differs from the recipe in fine-tuning only: more steps, and cross-entropy alone. From scratch the other terms teach
empty masks first; see "A single video" in docs/results.md. To see what it gives on DAVIS:

    python tools/test.py configs/segment_video_scratch.py
"""
_base_ = './tempseg_davis_scratch.py'

checkpoint = 'none'
default_hooks = dict(finetune=dict(finetuner=dict(steps=600, leave_out=['iou'])))
