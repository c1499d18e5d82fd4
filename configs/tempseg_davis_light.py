"""The light generator on DAVIS 2016: MobileNetV2 from ImageNet weights, half the resolution.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    python tools/train.py configs/tempseg_davis_light.py
    python tools/test.py configs/tempseg_davis_light.py --baselines

The weights are torchvision's, downloaded on the first run; TEMPSEG_IMAGENET_WEIGHTS names another URL or a file
(docs/imagenet.md). Without any: --cfg-options model.generator.backbone.init_cfg=None. Meant for a GPU: on one core
the generator's share of an iteration is six seconds, and under two with size=112,200 in both data sets.
"""
_base_ = './tempseg_davis_small.py'

size = (240, 427)
model = dict(
    generator=dict(
        width=1.0,  # the one that published weights fit
        backbone=dict(
            type='MobileNetV2Backbone',
            output_stride=16,
            init_cfg=dict(
                type='ImageNetWeights',
                checkpoint='{{$TEMPSEG_IMAGENET_WEIGHTS:https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth}}')),
        decoder=dict(type='UpsampleDecoder', channels=(128, 64, 32, 32))))
train_dataloader = dict(dataset=dict(size=size))
test_dataloader = dict(dataset=dict(size=size))
