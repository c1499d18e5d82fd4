"""The recipe of tempseg_davis_240p.py for two CPU cores, without published weights: Table A.1, a quarter wide.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    python tools/train.py configs/tempseg_davis_240p_small.py
    python tools/test.py configs/tempseg_davis_240p_small.py
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
    generator=[dict(type='CosineAnnealingLR', end=max_iters, eta_min=0.00001, by_epoch=False)])
window = dict(_base_.window, scale=(0.53, 1.2), on_object=0.95)
deform = dict(_base_.deform, max_shift=0.08, scale=0.08, warp=0.06, dilate=0.05, spurious_prob=0.15)
# Half of the clips are dreamt from a frame (docs/data.md): 30 sequences are few for a network that saw nothing else.
train_dataloader = dict(
    dataset=dict(
        clip_sampler=dict(stride=2),
        pipeline=[
            dict(type='LoadClip'), dict(type='LucidClip', prob=0.5), _base_.geometry, window, _base_.colours, deform,
            dict(type='PackClip')]))
