"""TempSeg-GAN, trained on DAVIS 2016, on SegTrack-v2 (Table 2: J 76.8; not yet reproduced here).

    .venv/bin/tempseg-check-dataset configs/tempseg_segtrack_v2.py --part test
    .venv/bin/tempseg-test configs/tempseg_segtrack_v2.py

Data: docs/data.md. This config trains nothing; it uses the newest network of tempseg_davis.py. Protocol: each of the 24
objects is a sequence of its own, scored as on DAVIS 2016. The paper fine-tunes "on the initial frame of the test video
sequences". This is read as one given mask, not two; set num_given_frames below to 2 for two.
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/segtrack_v2.py',
    './_base_/schedules/gan_adam.py'
]

checkpoint = 'work_dirs/tempseg_davis'

model = dict(data_preprocessor=dict(flow=_base_.flow))
test_cfg = dict(num_given_frames=1)
