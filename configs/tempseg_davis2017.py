"""DAVIS 2017, with several objects per sequence, with the weights that come with the project.

    .venv/bin/tempseg-check-dataset configs/tempseg_davis2017.py --part test
    .venv/bin/tempseg-test configs/tempseg_davis2017.py

Data: data/DAVIS2017, or `export TEMPSEG_DAVIS2017_ROOT=...`. Protocol: the first mask of each object is given, the last
frame of a sequence is not scored, and scores are means over objects. The weights were trained on DAVIS 2016 only. To
train on the 60 sequences of 2017, with one object per clip, from ImageNet weights:

    .venv/bin/tempseg-train configs/tempseg_davis2017.py --amp
    .venv/bin/tempseg-test configs/tempseg_davis2017.py newest

To use the lists of DAVIS 2016 with merged objects: `--cfg-options test_dataloader.dataset.year=2016`.
"""
_base_ = './tempseg_davis_mobilenet.py'

data_root = '{{$TEMPSEG_DAVIS2017_ROOT:data/DAVIS2017}}'
checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'

train_dataloader = dict(dataset=dict(type='DAVIS2017Dataset', data_root=data_root))
# Flow is estimated at 240 pixels on the shorter side, since sequences differ in aspect ratio.
test_dataloader = dict(dataset=dict(type='DAVIS2017Dataset', data_root=data_root, size=240))
test_cfg = dict(num_given_frames=1)
