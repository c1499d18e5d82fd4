"""A component swapped by inheritance: bilinear upsampling in place of unpooling.

    python tools/train.py configs/tempseg_synthetic_upsample.py
"""
_base_ = './tempseg_synthetic.py'
model = dict(generator=dict(decoder=dict(type='UpsampleDecoder')))
