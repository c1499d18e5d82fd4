"""TempSeg-GAN, a quarter wide, on rendered sequences: the README's first command.

    python tools/train.py configs/tempseg_synthetic.py
    python tools/test.py configs/tempseg_synthetic.py --baselines
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/synthetic.py',
    './_base_/schedules/gan_adam.py', './_base_/default_runtime.py'
]

max_iters = 300
size = (96, 168)  # the network's; frames are stored, shown and scored at 128x224
model = dict(width=0.25, data_preprocessor=dict(flow=_base_.flow), adversary=dict(share_weights=True))
train_cfg = dict(max_iters=max_iters)
train_dataloader = dict(dataset=dict(size=size))
test_dataloader = dict(dataset=dict(size=size))
optim_wrapper = dict(adversary=dict(optimizer=dict(lr=0.0001)))
param_scheduler = dict(generator=[dict(type='LinearLR', start_factor=1.0, end_factor=0.2, end=max_iters, by_epoch=False)])
default_hooks = dict(checkpoint=dict(interval=100), pictures=dict(interval=50))
