"""The generator of Table A.1, a quarter wide, from random numbers, with the rate that it takes.

    python tools/train.py configs/ablations/table_a1.py
"""
_base_ = '../{{$TEMPSEG_BASE:ablations/_base_/davis_small}}.py'

model = dict(
    generator=dict(
        width=0.25,
        backbone=dict(_delete_=True, type='TempSegBackbone', dropout=0.2),
        decoder=dict(_delete_=True, type='UnpoolDecoder', dropout=0.2)))
optim_wrapper = dict(generator=dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='Adam', lr=0.002)))
