"""A single video without trained weights at hand: the small network learns the object from the given masks alone.

    python tools/segment_video.py dog.mp4 --mask dog_00000.png

Differs from its base in the steps of fine-tuning only: with a checkpoint of the base, fewer do (`--steps 100`).
To see what it gives on DAVIS: python tools/test.py configs/segment_video.py none
"""
_base_ = './tempseg_davis_small.py'

custom_hooks = _base_.custom_hooks
custom_hooks[0].finetuner.steps = 600
