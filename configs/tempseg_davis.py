"""TempSeg-GAN on DAVIS 2016 with the paper's numbers (Table 2: J 85.1, F 83.3, T 15.1; not yet reproduced here).

    python tools/train.py configs/tempseg_davis.py
    python tools/test.py configs/tempseg_davis.py

Data: data/DAVIS, or `export TEMPSEG_DAVIS_ROOT=...`. Meant for a GPU. These are the literal numbers;
docs/results.md says which of them train badly, what to set instead, and what came of it on a CPU.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/davis.py',
    './_base_/schedules/gan_adam.py', './_base_/crf/davis.py', './_base_/default_runtime.py'
]

model = dict(data_preprocessor=dict(flow=_base_.flow))
