# Settings that every run needs and no experiment changes.
default_scope = 'tempseg_mm'
# timeout: seconds that a process waits for a living one. If one dies, the rest stop within a minute (HeartbeatHook).
env_cfg = dict(
    cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=1), dist_cfg=dict(timeout=1800))
randomness = dict(seed=0)
# One distributed wrapper per sub-module, since each has its own optimiser.
model_wrapper_cfg = dict(type='MMSeparateDistributedDataParallel', device_ids=None)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=10, log_metric_by_epoch=False),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='AtomicCheckpointHook', interval=1000, max_keep_ckpts=3),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    check_data=dict(type='CheckDataHook'),
    pictures=dict(type='TrainingPictureHook', interval=200),
    progress=dict(type='ProgressHook'),
    results=dict(type='ResultHook'),
    heartbeat=dict(type='HeartbeatHook'),
    overlays=dict(type='OverlayHook'),
    report=dict(type='ReportHook'),
)
log_processor = dict(by_epoch=False, window_size=10)
visualizer = dict(
    type='VOSVisualizer', vis_backends=[dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')])

# Weights of a test: 'newest' of the work dir, 'none' for an untrained network, a checkpoint, or a folder with some.
checkpoint = 'newest'
load_from = None
resume = False
