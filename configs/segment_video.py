"""A single video with the weights that come with the project: what tempseg-segment uses unless told otherwise.

    .venv/bin/tempseg-segment dog.mp4 --mask dog_00000.png

What these weights were trained on, and what they give on DAVIS: weights/README.md. To measure them there yourself:

    .venv/bin/tempseg-test configs/segment_video.py
"""
_base_ = './tempseg_davis_mobilenet.py'

checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'
model = dict(generator=dict(backbone=dict(init_cfg=None)))  # the checkpoint holds all there is
