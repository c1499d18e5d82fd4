"""Paper note P16: in training the faults of reference masks are twice as large, and as frequent.

    python tools/train.py configs/ablations/stronger_deformation.py
"""
_base_ = '../{{$TEMPSEG_BASE:tempseg_davis}}.py'

deform, = [step for step in _base_.train_dataloader.dataset.pipeline if step.type == 'DeformReferenceMask']
ranges = dict(max_shift=0.05, scale=0.08, rotate=8.0, warp=0.06, dilate=0.04)  # the transform's own
stronger = dict(deform, **{name: 2.0 * deform.get(name, default) for name, default in ranges.items()})
pipeline = [stronger if step == deform else step for step in _base_.train_dataloader.dataset.pipeline]
train_dataloader = dict(dataset=dict(pipeline=pipeline))
