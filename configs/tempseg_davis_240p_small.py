"""The recipe of tempseg_davis_240p.py for two CPU cores, without published weights: Table A.1, a quarter wide.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    python tools/train.py configs/tempseg_davis_240p_small.py
    python tools/test.py configs/tempseg_davis_240p_small.py --crf
"""
_base_ = './tempseg_davis_240p.py'

max_iters = 3600
model = dict(
    width=0.25,
    generator=dict(
        backbone=dict(_delete_=True, type='TempSegBackbone', dropout=0.2),
        decoder=dict(_delete_=True, type='UnpoolDecoder', dropout=0.2)))
optim_wrapper = dict(generator=dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='Adam', lr=0.002)))
train_cfg = dict(max_iters=max_iters)
param_scheduler = dict(
    generator=[dict(type='CosineAnnealingLR', T_max=max_iters, eta_min=0.00001, by_epoch=False)])
# Half of the clips are dreamt: four times as many sequences could not be had (docs/data.md).
train_dataloader = dict(
    dataset=dict(
        clip_sampler=dict(stride=2),
        pipeline=[
            dict(type='LoadClip'), dict(type='LucidClip', prob=0.5), _base_.geometry, _base_.window, _base_.colours,
            _base_.deform, dict(type='PackClip')]))
