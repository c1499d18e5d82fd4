"""TempSeg-GAN on YouTube-Objects without training on DAVIS (Table 2: J 77.6; not yet reproduced here).

    .venv/bin/tempseg-check-dataset configs/tempseg_youtube_objects.py --part test
    .venv/bin/tempseg-test configs/tempseg_youtube_objects.py

Data: docs/data.md. Protocol: "the same parameters as of DAVIS 2016", but "the pre-training step on DAVIS training set
is removed": the network starts as it is built and learns from the one mask that is given, of the first annotated frame
with the object. Every later annotated frame is scored, also where the object is absent; the frames between are
segmented and not scored. A checkpoint on the command line takes the place of the untrained network.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/youtube_objects.py',
    './_base_/schedules/gan_adam.py'
]

checkpoint = 'none'

model = dict(data_preprocessor=dict(flow=_base_.flow))
test_cfg = dict(num_given_frames=1)  # annotation is sparse: the second frame of a sequence has no mask
