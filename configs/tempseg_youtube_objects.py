"""TempSeg-GAN on YouTube-Objects without training on DAVIS (Table 2: J 77.6; not yet reproduced here).

    .venv/bin/tempseg-check-dataset configs/tempseg_youtube_objects.py --part test
    .venv/bin/tempseg-test configs/tempseg_youtube_objects.py

Data: docs/data.md. Protocol: "the same parameters as of DAVIS 2016", but "the pre-training step on DAVIS training set
is removed". So the network starts from its initial weights and learns from one given mask, of the first annotated frame
with the object. Every later annotated frame is scored, also if the object is absent. The frames between are segmented
but not scored. A checkpoint on the command line replaces the untrained network.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/youtube_objects.py',
    './_base_/schedules/gan_adam.py'
]

checkpoint = 'none'

model = dict(data_preprocessor=dict(flow=_base_.flow))
test_cfg = dict(num_given_frames=1)  # annotation is sparse: the second frame of a sequence has no mask
