"""TempSeg-GAN on DAVIS 2016 for two CPU cores: a quarter wide, a quarter of the resolution, half an hour.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    python tools/train.py configs/tempseg_davis_small.py
    python tools/test.py configs/tempseg_davis_small.py --baselines

What it gives, and why it differs from the paper's numbers where it does, stands in docs/results.md.
"""
_base_ = './tempseg_davis.py'

max_iters = 700
size = (112, 200)
model = dict(
    width=0.25,
    adversary=dict(share_weights=True),
    losses=dict(
        adv=dict(loss_weight=0.02), iftl=dict(loss_weight=0.025), l_iftl=dict(loss_weight=0.025)))
optim_wrapper = dict(adversary=dict(optimizer=dict(lr=0.00001)))

geometry = dict(type='ClipRandomAffine', degrees=20, scale=(0.8, 1.25), flip=0.5)
colours = dict(type='ClipPhotometric')
deform = dict(
    type='DeformReferenceMask', max_shift=0.15, scale=0.15, warp=0.1, dilate=0.08, empty_prob=0.02, spurious_prob=0.3)

train_cfg = dict(max_iters=max_iters)
param_scheduler = dict(
    generator=[dict(type='LinearLR', start_factor=1.0, end_factor=0.2, end=max_iters, by_epoch=False)])
train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    dataset=dict(
        size=size,
        clip_sampler=dict(clip_length=3),
        pipeline=[dict(type='LoadClip'), geometry, colours, deform, dict(type='PackClip')]))
test_dataloader = dict(dataset=dict(size=size))
custom_hooks = [
    dict(
        type='OnlineFinetuneHook',
        finetuner=dict(
            type='OnlineFinetuner',
            steps=100,
            num_frames=_base_.num_given_frames,
            optimizer=dict(type='Adam', lr=0.001),
            leave_out=['adv'],
            augment=[geometry, colours],
            pipeline=[deform, dict(type='PackClip')])),
]
default_hooks = dict(checkpoint=dict(interval=100), pictures=dict(interval=100))
