"""MOSE, or a data set with its layout (LVOS), with the weights that come with the project.

    .venv/bin/tempseg-check-dataset configs/tempseg_mose.py --part test --workers 4
    .venv/bin/tempseg-test configs/tempseg_mose.py --submission zip

Data: data/MOSE, or `export TEMPSEG_MOSE_ROOT=...`. Protocol: the first mask of each object is given. Only these masks
of the valid split are public, so it is segmented here and scored only by the benchmark's server. With
`--cfg-options test_dataloader.dataset.split=train`, the train split is scored, without the last frame as on DAVIS. The
weights were trained on DAVIS 2016 only. To train on the train split, with one object per clip, from ImageNet weights:

    .venv/bin/tempseg-train configs/tempseg_mose.py --amp
    .venv/bin/tempseg-test configs/tempseg_mose.py newest
"""
_base_ = './tempseg_davis_mobilenet.py'

data_root = '{{$TEMPSEG_MOSE_ROOT:data/MOSE}}'
checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'

train_dataloader = dict(dataset=dict(type='MOSEDataset', data_root=data_root))
# Flow is estimated at 240 pixels on the shorter side, since sequences differ in aspect ratio.
test_dataloader = dict(dataset=dict(type='MOSEDataset', data_root=data_root, split='valid', size=240))
test_cfg = dict(num_given_frames=1)
