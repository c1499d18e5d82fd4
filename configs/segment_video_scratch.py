"""A single video without trained weights: the small network learns the object from the given masks alone.

    python tools/segment_video.py dog.mp4 --mask dog_00000.png --checkpoint none

Differs from its base in fine-tuning only: more steps, and cross-entropy alone. From random numbers the other terms
teach empty masks first; see "A single video" in docs/results.md. To see what it gives on DAVIS:

    python tools/test.py configs/segment_video_scratch.py
"""
_base_ = './tempseg_davis_small.py'

checkpoint = 'none'
custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.update(
    steps=600, clips_per_step=2, leave_out=['adv', 'l1', 'itsd', 'iftl', 'l_iftl'])
