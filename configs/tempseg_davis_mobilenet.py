"""The measured recipe on DAVIS 2016: a light generator from published weights, on windows that follow the object.

    export TEMPSEG_DAVIS_ROOT=/path/to/DAVIS
    .venv/bin/tempseg-train configs/tempseg_davis_mobilenet.py --amp
    .venv/bin/tempseg-test configs/tempseg_davis_mobilenet.py

Training takes seven minutes on an H100 that four other trainings share, or 34 minutes of one CPU core for a tenth of
the clips (batch_size=8, 450 iterations). Trained for these seven minutes on `fit20`, it reaches J 0.861, F 0.820,
T 0.268 on `dev10` with two given masks (docs/results.md). docs/ablations.md has the experiments behind the choices
below.

The weights are torchvision's MobileNetV2, downloaded on the first run; TEMPSEG_IMAGENET_WEIGHTS names another file or
URL (docs/imagenet.md). To train without published weights, use tempseg_davis_scratch.py.
"""
_base_ = './tempseg_davis.py'

max_iters = 2250
size = (240, 427)  # size of the frames for optical flow
object_window = dict(type='ObjectWindow', size=(192, 336), share=0.6)
# At test time a window has the shape of the object, see "Windows that have the object's shape" in docs/ablations.md.
shaped_window = dict(object_window, aspect=(0.5, 2.5))

model = dict(
    window=shaped_window,
    reach=0.2,  # without it, the network also segments similar objects elsewhere
    generator=dict(
        backbone=dict(
            _delete_=True,
            type='MobileNetV2Backbone',
            output_stride=16,
            dropout=0.0,
            norm_eval=True,
            init_cfg=dict(
                type='ImageNetWeights',
                checkpoint='{{$TEMPSEG_IMAGENET_WEIGHTS:https://download.pytorch.org/models/mobilenet_v2-7ebf99e0.pth}}')),
        decoder=dict(_delete_=True, type='UpsampleDecoder', channels=(96, 64, 32, 24), dropout=0.0)),
    # Only cross-entropy and overlap: the paper's other losses gained nothing, see "The losses of the paper" in
    # docs/ablations.md.
    adversary=None,
    losses=dict(
        bce=dict(loss_weight=1.0), iou=dict(type='SoftIoULoss', loss_weight=1.0),
        adv=None, l1=None, itsd=None, iftl=None, l_iftl=None))
optim_wrapper = dict(
    _delete_=True,
    constructor='GANOptimWrapperConstructor',
    generator=dict(
        type='OptimWrapper',
        optimizer=dict(type='Adam', lr=0.001),
        paramwise_cfg=dict(custom_keys=dict(backbone=dict(lr_mult=0.3)))))
param_scheduler = dict(
    _delete_=True,
    generator=[dict(type='CosineAnnealingLR', end=max_iters, eta_min=0.00001, by_epoch=False)])

clip_window = dict(
    type='ClipObjectWindow', window=object_window, scale=(0.5, 1.33), shift=0.3, degrees=15, flip=0.5, elsewhere=0.05)
# Flow between the two windows of a clip, estimated by the workers.
clip_flow = dict(type='LoadFlow', provider=dict(type='DISFlow', preset='ultrafast'))
colours = dict(type='ClipPhotometric')
deform = dict(
    type='DeformReferenceMask', max_shift=0.15, scale=0.15, warp=0.1, dilate=0.08, empty_prob=0.02, spurious_prob=0.3)

train_cfg = dict(max_iters=max_iters)
train_dataloader = dict(
    batch_size=16,
    num_workers=4,
    dataset=dict(
        size=None,  # windows are cut out of full-size frames
        clip_sampler=dict(clip_length=2),
        pipeline=[dict(type='LoadClip'), clip_window, clip_flow, colours, deform, dict(type='PackClip')]))
test_dataloader = dict(dataset=dict(size=size))
default_hooks = dict(
    finetune=dict(
        finetuner=dict(
            steps=(40, 120),  # 120 for an object that is hard to learn
            clips_per_step=2,
            mode='folded',
            # The first blocks are left out, since their large maps cost a fifth of a step.
            only=['decoder', *[f'backbone.features.{i}' for i in range(4, 18)]],
            optimizer=dict(lr=0.00015),
            average=0.5,
            # References have smaller faults than in training, but are empty more often: the network must find a
            # lost object again, in wide windows.
            augment=[dict(clip_window, window=shaped_window, scale=(0.33, 1.33), elsewhere=0.0), colours],
            pipeline=[
                dict(deform, max_shift=0.08, scale=0.08, warp=0.06, dilate=0.05, spurious_prob=0.15, empty_prob=0.2),
                dict(type='PackClip')])),
    # Learns how the object looks in later frames, see "Adapting on the way" in docs/ablations.md.
    adapt=dict(type='OnlineAdaptationHook', adaptation=dict(type='OnlineAdaptation', familiar=0.93)),
    # Sharpens the outlines: a pixel of the window covers several pixels of the frame.
    crf=dict(type='CRFHook', required=False),
    checkpoint=dict(interval=250),
    pictures=dict(interval=250))
