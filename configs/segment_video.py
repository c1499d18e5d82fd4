"""A single video with the weights that come with the project: the default config of tempseg-segment.

    .venv/bin/tempseg-segment dog.mp4 --mask dog_00000.png

weights/README.md says how these weights were trained and how they score on DAVIS. To measure that yourself:

    .venv/bin/tempseg-test configs/segment_video.py
"""
_base_ = './tempseg_davis_mobilenet.py'

checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'
model = dict(generator=dict(backbone=dict(init_cfg=None)))  # the checkpoint has all weights
