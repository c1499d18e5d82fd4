"""The light generator on rendered sequences: MobileNetV2 at full width with bilinear upsampling.

    .venv/bin/tempseg-train configs/tempseg_synthetic_light.py

To start from ImageNet weights (docs/imagenet.md), given as a file or a URL:

    .venv/bin/tempseg-train configs/tempseg_synthetic_light.py --cfg-options \
        model.generator.backbone.init_cfg.type=ImageNetWeights \
        model.generator.backbone.init_cfg.checkpoint=mobilenet_v2-7ebf99e0.pth
"""
_base_ = './tempseg_synthetic.py'
model = dict(
    generator=dict(
        width=1.0,  # the width of published weights
        backbone=dict(_delete_=True, type='MobileNetV2Backbone', output_stride=16),
        decoder=dict(_delete_=True, type='UpsampleDecoder', channels=(128, 64, 32, 32))))
