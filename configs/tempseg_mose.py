"""MOSE, or a data set laid out like it (LVOS), with the weights that come with the project.

    .venv/bin/tempseg-check-dataset configs/tempseg_mose.py --part test --workers 4
    .venv/bin/tempseg-test configs/tempseg_mose.py --submission zip

Data: data/MOSE, or `export TEMPSEG_MOSE_ROOT=...`. Protocol: the first mask of each object is given. Of the valid split
only these masks are public, so it is segmented here and scored by the benchmark's server alone; with
`--cfg-options test_dataloader.dataset.split=train` the train split is scored, the last frame left out as on DAVIS. The
weights were trained on DAVIS 2016 alone. To train on the train split, each clip with one of its objects, from weights
of ImageNet:

    .venv/bin/tempseg-train configs/tempseg_mose.py --amp
    .venv/bin/tempseg-test configs/tempseg_mose.py newest
"""
_base_ = './tempseg_davis_mobilenet.py'

data_root = '{{$TEMPSEG_MOSE_ROOT:data/MOSE}}'
checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'

train_dataloader = dict(dataset=dict(type='MOSEDataset', data_root=data_root))
# Flow is estimated at 240 pixels on the shorter side: sequences differ in proportions.
test_dataloader = dict(dataset=dict(type='MOSEDataset', data_root=data_root, split='valid', size=240))
test_cfg = dict(num_given_frames=1)
