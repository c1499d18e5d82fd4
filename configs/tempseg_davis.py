"""TempSeg-GAN on DAVIS 2016 with the paper's numbers (Table 2: J 85.1, F 83.3, T 15.1; not yet reproduced here).

Two parts differ from the paper. The flow is DIS instead of FlowNet 2.0, whose weights do not come with the project. To
use FlowNet 2.0, replace './_base_/flow/dis.py' below by './_base_/flow/flownet2.py'. The generator does not start from
ImageNet, since there are no published weights for Table A.1. tempseg_davis_vgg.py uses published weights of VGG-16.
D judges masks at half their resolution, which the paper leaves open; `model.adversary.downsample=1` is whole masks.

    .venv/bin/tempseg-train configs/tempseg_davis.py
    .venv/bin/tempseg-test configs/tempseg_davis.py

Data: data/DAVIS, or `export TEMPSEG_DAVIS_ROOT=...`. It needs a GPU. The numbers are the literal ones of the paper;
docs/ablations.md says which of them train badly and what to set instead, as measured on a CPU at a small scale.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/davis.py',
    './_base_/schedules/gan_adam.py', './_base_/crf/davis.py'
]

model = dict(data_preprocessor=dict(flow=_base_.flow))
