"""The recipe of tempseg_davis_mobilenet.py from scratch: Table A.1 at a quarter of its width, on smaller windows.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    .venv/bin/tempseg-train configs/tempseg_davis_scratch.py
    .venv/bin/tempseg-test configs/tempseg_davis_scratch.py

Trained on `fit20` for 1,200 iterations of 8 clips, which take 40 minutes of one CPU core, it reaches J 0.786, F 0.726,
T 0.274 on `dev10` with two given masks (docs/results.md).
"""
_base_ = './tempseg_davis_mobilenet.py'

object_window = dict(_base_.object_window, size=(128, 224))
shaped_window = dict(_base_.shaped_window, size=(128, 224))
model = dict(
    width=0.25,
    window=shaped_window,
    generator=dict(
        backbone=dict(_delete_=True, type='TempSegBackbone', dropout=0.2),
        decoder=dict(_delete_=True, type='UnpoolDecoder', dropout=0.2)))
optim_wrapper = dict(generator=dict(_delete_=True, type='OptimWrapper', optimizer=dict(type='Adam', lr=0.002)))
clip_window = dict(_base_.clip_window, window=object_window)
train_dataloader = dict(
    dataset=dict(
        pipeline=[
            dict(type='LoadClip'), clip_window, _base_.clip_flow, _base_.colours, _base_.deform,
            dict(type='PackClip')]))
default_hooks = dict(
    finetune=dict(
        finetuner=dict(
            steps=100,
            mode='eval',  # 'folded' lost three points here, see docs/ablations.md
            only=[],
            optimizer=dict(lr=0.001),
            augment=[dict(clip_window, window=shaped_window, scale=(0.33, 1.33), elsewhere=0.0), _base_.colours])))
