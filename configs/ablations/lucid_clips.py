"""Half of the training clips are synthesised from one of their frames, see "Data that trains more" in docs/data.md.

    .venv/bin/tempseg-train configs/ablations/lucid_clips.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

real = [step for step in _base_.train_dataloader.dataset.pipeline if step.type != 'LucidClip']
train_dataloader = dict(dataset=dict(pipeline=[real[0], dict(type='LucidClip', prob=0.5), *real[1:]]))
