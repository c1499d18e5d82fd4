"""Real training clips only, where the base has others too.

    python tools/train.py configs/ablations/no_lucid_clips.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

pipeline = [step for step in _base_.train_dataloader.dataset.pipeline if step.type != 'LucidClip']
train_dataloader = dict(dataset=dict(pipeline=pipeline))
