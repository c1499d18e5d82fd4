"""Paper note P16: in training the reference is the mask of the frame before, without fault.

    python tools/train.py configs/ablations/undeformed_references.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

pipeline = [step for step in _base_.train_dataloader.dataset.pipeline if step.type != 'DeformReferenceMask']
train_dataloader = dict(dataset=dict(pipeline=pipeline))
