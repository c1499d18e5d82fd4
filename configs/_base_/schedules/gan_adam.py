# The paper's optimisers: Adam for G (0.002 down to 0.0004) and D (0.01); online fine-tuning on two frames.
_base_ = '../default_runtime.py'

max_iters = 10000

train_cfg = dict(type='GANTrainLoop', max_iters=max_iters, discriminator_steps=1, generator_steps=1)
optim_wrapper = dict(
    constructor='GANOptimWrapperConstructor',
    generator=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.002)),
    adversary=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.01)))
param_scheduler = dict(
    generator=[dict(type='LinearLR', start_factor=1.0, end_factor=0.2, end=max_iters, by_epoch=False)],
    adversary=[])

test_cfg = dict(type='VOSTestLoop', num_given_frames=2)
default_hooks = dict(
    finetune=dict(
        type='OnlineFinetuneHook',
        finetuner=dict(
            type='OnlineFinetuner', steps=100, optimizer=dict(type='Adam', lr=0.0004),
            pipeline=[dict(type='DeformReferenceMask'), dict(type='PackClip')])))
