"""TempSeg-GAN on DAVIS 2016 with the paper's numbers; the first five stages of G start from VGG-16's ImageNet weights.

    .venv/bin/tempseg-train configs/tempseg_davis_vgg.py
    .venv/bin/tempseg-test configs/tempseg_davis_vgg.py

The weights are torchvision's, downloaded on the first run; TEMPSEG_IMAGENET_WEIGHTS names another URL or a file
(docs/imagenet.md). It needs a GPU; we have not run it to the end.
"""
_base_ = './tempseg_davis.py'

model = dict(
    generator=dict(
        backbone=dict(
            _delete_=True,
            type='VGGBackbone',
            init_cfg=dict(
                type='ImageNetWeights',
                checkpoint='{{$TEMPSEG_IMAGENET_WEIGHTS:https://download.pytorch.org/models/vgg16_bn-6c64b313.pth}}'))))
