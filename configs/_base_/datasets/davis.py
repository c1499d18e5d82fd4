# DAVIS 2016 in its 480p folder layout, in data/DAVIS (may be a link) or in the folder TEMPSEG_DAVIS_ROOT.
data_root = '{{$TEMPSEG_DAVIS_ROOT:data/DAVIS}}'

train_dataloader = dict(
    batch_size=10,  # clips; with clip_length 5 this is the paper's 50 frames
    num_workers=2,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        type='DAVISDataset',
        data_root=data_root,
        split='train',
        size=(480, 854),  # all clips of a batch must have one size
        clip_sampler=dict(clip_length=5),
        pipeline=[
            dict(type='LoadClip'),
            dict(type='ClipRandomAffine', degrees=10, scale=(0.9, 1.2), flip=0.5),
            dict(type='ClipPhotometric'),
            dict(type='DeformReferenceMask'),
            dict(type='PackClip'),
        ]))

test_dataloader = dict(
    batch_size=1,
    num_workers=0,  # frames are decoded one at a time when the network needs them
    sampler=dict(type='SequenceSampler'),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(type='DAVISDataset', data_root=data_root, split='val', size=480, test_mode=True))
test_evaluator = dict(type='VOSMetric')
