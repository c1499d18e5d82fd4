"""Base of the preset davis_small of tempseg-run-table: the whole of TempSeg-GAN, in minutes on one core.

It has the generator, weights and data of tempseg_davis_mobilenet.py, with smaller windows and fewer iterations, and
adds the adversary and every loss of the paper. Clips have three frames, so that L-IFTL differs from IFTL. The paper's
additions are used only in training: every row is fine-tuned with the recipe's two terms, so that rows differ only in
their training. It trains on split `fit20` and tests on `dev10`, the split on which choices are made.

    .venv/bin/tempseg-train configs/ablations/_base_/davis_small.py
"""
_base_ = '../../tempseg_davis_mobilenet.py'

max_iters = 200
object_window = dict(_base_.object_window, size=(96, 168))
clip_window = dict(_base_.clip_window, window=object_window)

model = dict(
    window=object_window,
    adversary=dict(
        _delete_=True, type='Adversary', width=0.25, share_weights=True, encoder=dict(type='MaskEncoder'),
        discriminator=dict(type='ConvDiscriminator')),
    losses=dict(
        adv=dict(_delete_=True, type='AdversarialLoss', loss_weight=0.02),
        l1=dict(_delete_=True, type='L1Loss', loss_weight=0.25),
        itsd=dict(_delete_=True, type='ITSDLoss', loss_weight=0.25, patch_size=4),
        iftl=dict(_delete_=True, type='IFTLoss', loss_weight=0.025, delta=0.1),
        l_iftl=dict(_delete_=True, type='LongRangeIFTLoss', loss_weight=0.025, delta=0.1)))
optim_wrapper = dict(adversary=dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.0001)))
train_cfg = dict(max_iters=max_iters)
param_scheduler = dict(
    generator=[dict(type='CosineAnnealingLR', end=max_iters, eta_min=0.00001, by_epoch=False)], adversary=[])
train_dataloader = dict(
    batch_size=2,
    num_workers=1,
    dataset=dict(
        split='fit20',
        clip_sampler=dict(clip_length=3),
        pipeline=[
            dict(type='LoadClip'), clip_window, _base_.colours, _base_.deform, dict(type='PackClip')]))
test_dataloader = dict(dataset=dict(split='dev10'))
default_hooks = dict(
    crf=None,  # a row of the tables switches it on
    finetune=dict(
        finetuner=dict(
            steps=50,
            mode='eval',
            only=[],
            optimizer=dict(lr=0.001),
            clips_per_step=1,
            leave_out=['adv', 'l1', 'itsd', 'iftl', 'l_iftl'],
            augment=[dict(clip_window, elsewhere=0.0), _base_.colours])),
    checkpoint=dict(interval=100),
    pictures=dict(interval=100),
    overlays=None)
