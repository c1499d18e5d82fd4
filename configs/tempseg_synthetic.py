"""TempSeg-GAN at a quarter of its width on rendered sequences: the README's first command.

    .venv/bin/tempseg-train configs/tempseg_synthetic.py
    .venv/bin/tempseg-test configs/tempseg_synthetic.py --baselines
"""
_base_ = [
    './_base_/models/tempseg_gan.py', './_base_/flow/dis.py', './_base_/datasets/synthetic.py',
    './_base_/schedules/gan_adam.py', './_base_/crf/synthetic.py'
]

max_iters = 450
size = (64, 112)  # of the windows, and of the frames for optical flow; frames are stored and scored at 128x224
object_window = dict(type='ObjectWindow', size=size, share=0.6)
shaped_window = dict(object_window, aspect=(0.5, 2.5))  # at test time a window has the shape of the object

# docs/ablations.md says what the settings below rest on. Objects move by a third of their own size within a clip.
# The distance between two masks of a clip is then more motion than error, so the losses on it weigh only a tenth.
model = dict(
    width=0.25,
    window=shaped_window,
    data_preprocessor=dict(flow=_base_.flow),
    adversary=dict(share_weights=True),
    losses=dict(
        adv=dict(loss_weight=0.02), iftl=dict(loss_weight=0.025), l_iftl=dict(loss_weight=0.025)))
optim_wrapper = dict(adversary=dict(optimizer=dict(lr=0.00001)))

# Faults are as large as those of a fast object that was partly hidden. References are rarely empty: from an empty one
# the network learns to segment any object, and each scene has a second object. Fine-tuning adds blobs for this reason.
deform = dict(type='DeformReferenceMask', max_shift=0.15, scale=0.15, warp=0.1, dilate=0.08, empty_prob=0.02)
clip_window = dict(
    type='ClipObjectWindow', window=object_window, scale=(0.5, 1.33), shift=0.3, degrees=20, flip=0.5, elsewhere=0.05)

train_cfg = dict(max_iters=max_iters)
param_scheduler = dict(
    generator=[dict(type='LinearLR', start_factor=1.0, end_factor=0.2, end=max_iters, by_epoch=False)])
train_dataloader = dict(
    dataset=dict(
        size=None,  # windows are cut out of full-size frames
        pipeline=[dict(type='LoadClip'), clip_window, dict(type='ClipPhotometric'), deform, dict(type='PackClip')]))
test_dataloader = dict(dataset=dict(size=size))
default_hooks = dict(
    finetune=dict(
        finetuner=dict(
            steps=60,
            optimizer=dict(lr=0.001),
            leave_out=['adv'],
            augment=[
                dict(clip_window, window=shaped_window, scale=(0.33, 1.33), elsewhere=0.0),
                dict(type='ClipPhotometric')],
            pipeline=[dict(spurious_prob=0.3, **deform), dict(type='PackClip')])),
    checkpoint=dict(interval=100),
    pictures=dict(interval=50))
