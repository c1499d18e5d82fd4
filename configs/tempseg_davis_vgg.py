"""The recipe of tempseg_davis_mobilenet.py for a GPU of its own: a VGG-16 trunk and unpooling, on larger windows.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    .venv/bin/tempseg-train configs/tempseg_davis_vgg.py --amp
    .venv/bin/tempseg-test configs/tempseg_davis_vgg.py --amp

Training takes 8 minutes and 4.2 GiB, whatever the card; a step of fine-tuning takes 7.6 ms on an H100. A quarter of
the 8 minutes, on fit20 and dev10, gave J 0.758, F 0.737, T 0.548, where MobileNetV2 reached 0.794, 0.757, 0.465
(docs/results.md, "On a GPU"). That training shared its card and started from a trunk without batch normalisation
(`--cfg-options model.generator.backbone.bn=False`).

The trunk has the stage widths of Table A.1. Its weights are torchvision's, downloaded on the first run;
TEMPSEG_IMAGENET_WEIGHTS names another URL or a file (docs/imagenet.md).

The GPU is faster than four cores can load clips: see docs/data.md, "Training beside a fast GPU".
"""
_base_ = './tempseg_davis_mobilenet.py'

max_iters = 6000
object_window = dict(_base_.object_window, size=(256, 448))
shaped_window = dict(_base_.shaped_window, size=(256, 448))
clip_window = dict(_base_.clip_window, window=object_window)

model = dict(
    window=shaped_window,
    generator=dict(
        backbone=dict(
            _delete_=True,
            type='VGGBackbone',
            dropout=0.0,
            init_cfg=dict(
                type='ImageNetWeights',
                checkpoint='{{$TEMPSEG_IMAGENET_WEIGHTS:https://download.pytorch.org/models/vgg16_bn-6c64b313.pth}}')),
        decoder=dict(_delete_=True, type='UnpoolDecoder', dropout=0.0)))
optim_wrapper = dict(
    generator=dict(
        optimizer=dict(lr=0.0005),
        paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.2)))))
param_scheduler = dict(
    _delete_=True,
    generator=[dict(type='CosineAnnealingLR', end=max_iters, eta_min=0.000005, by_epoch=False)])
# By the clock: the learning rate has fallen to its end after eight minutes, whatever the card.
train_cfg = dict(max_iters=max_iters, max_minutes=8)
train_dataloader = dict(
    batch_size=8,
    num_workers=8,
    dataset=dict(
        pipeline=[
            dict(type='LoadClip'), clip_window, _base_.clip_flow, _base_.colours, _base_.deform,
            dict(type='PackClip')]))
default_hooks = dict(
    finetune=dict(
        finetuner=dict(
            steps=100,
            only=[],
            optimizer=dict(lr=0.0001),
            augment=[dict(clip_window, window=shaped_window, scale=(0.33, 1.33), elsewhere=0.0), _base_.colours])))
