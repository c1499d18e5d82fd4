"""Pre-trains the backbone of Table A.1 on the classes of ImageNet, since there are no published weights for it.

    export TEMPSEG_IMAGENET_ROOT=/path/to/imagenet    # train/<class>/*.JPEG and val/<class>/*.JPEG
    .venv/bin/tempseg-train configs/pretrain/tempseg_imagenet.py
    .venv/bin/tempseg-train configs/tempseg_davis.py --cfg-options \
        model.generator.backbone.init_cfg.type=ImageNetWeights \
        model.generator.backbone.init_cfg.checkpoint=work_dirs/tempseg_imagenet/epoch_90.pth \
        model.generator.backbone.init_cfg.prefix=backbone.

It needs GPUs and has the common schedule of 90 epochs; we have not run it to the end. model.width must equal the
width of the generator.
"""
_base_ = '../_base_/default_runtime.py'

data_root = '{{$TEMPSEG_IMAGENET_ROOT:data/imagenet}}'
num_classes = 1000
max_epochs = 90
warm_up = 5  # epochs

model = dict(type='ImageClassifier', width=1.0, num_classes=num_classes, backbone=dict(type='TempSegBackbone'))
model_wrapper_cfg = None  # there is one optimiser, so mmengine's usual distributed wrapper is used

train_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolderDataset',
        data_root=data_root + '/train',
        num_classes=num_classes,
        pipeline=[
            dict(type='RandomResizedCrop', size=(224, 224)),
            dict(type='RandomFlip', prob=0.5),
            dict(type='PackImage'),
        ]))
val_dataloader = dict(
    batch_size=256,
    num_workers=8,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='ImageFolderDataset',
        data_root=data_root + '/val',
        num_classes=num_classes,
        size=256,
        pipeline=[dict(type='CenterCrop', crop_size=224), dict(type='PackImage')]))
val_evaluator = dict(type='TopKAccuracy')

train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=max_epochs, val_interval=1)
val_cfg = dict(type='ValLoop')
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1, momentum=0.9, weight_decay=0.0001, nesterov=True))
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, end=warm_up, convert_to_iter_based=True),
    dict(type='CosineAnnealingLR', begin=warm_up, end=max_epochs, convert_to_iter_based=True),
]

default_hooks = dict(
    logger=dict(log_metric_by_epoch=True),
    checkpoint=dict(interval=1, by_epoch=True),
    pictures=None, progress=None, results=None, overlays=None)  # these hooks are for sequences
log_processor = dict(by_epoch=True)
