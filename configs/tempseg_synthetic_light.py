"""The light generator on rendered sequences: MobileNetV2 at full width with bilinear upsampling.

    .venv/bin/tempseg-train configs/tempseg_synthetic_light.py

From ImageNet weights (docs/imagenet.md), here a file; a URL will do:

    .venv/bin/tempseg-train configs/tempseg_synthetic_light.py --cfg-options \
        model.generator.backbone.init_cfg.type=ImageNetWeights \
        model.generator.backbone.init_cfg.checkpoint=mobilenet_v2-7ebf99e0.pth
"""
_base_ = './tempseg_synthetic.py'
model = dict(
    generator=dict(
        width=1.0,  # the one that published weights fit
        backbone=dict(_delete_=True, type='MobileNetV2Backbone', output_stride=16),
        decoder=dict(_delete_=True, type='UpsampleDecoder', channels=(128, 64, 32, 32))))
