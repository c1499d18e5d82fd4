"""TempSeg-GAN on DAVIS 2016 with the paper's numbers (Table 2: J 85.1, F 83.3, T 15.1; not yet reproduced here).

Two parts are not the paper's. The flow is DIS, not FlowNet 2.0, whose weights do not come with the project: for it put
'./_base_/flow/flownet2.py' in place of './_base_/flow/dis.py' below. And the generator does not start from ImageNet,
since nobody published such weights for Table A.1: for published ones of VGG-16 run tempseg_davis_vgg.py instead.

    .venv/bin/tempseg-train configs/tempseg_davis.py
    .venv/bin/tempseg-test configs/tempseg_davis.py

Data: data/DAVIS, or `export TEMPSEG_DAVIS_ROOT=...`. Meant for a GPU. These are the literal numbers;
docs/results.md says which of them train badly, what to set instead, and what came of it on a CPU.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/davis.py',
    './_base_/schedules/gan_adam.py', './_base_/crf/davis.py'
]

model = dict(data_preprocessor=dict(flow=_base_.flow))
