# Sequences that the project renders once to data/synthetic, with exact masks and flow, in the layout of DAVIS.
source = dict(
    type='SyntheticVOSDataset', data_root='data/synthetic', seed=0, num_sequences=dict(train=40, test=6),
    scene=dict(height=128, width=224, num_frames=24))

train_dataloader = dict(
    batch_size=4,
    num_workers=1,
    sampler=dict(type='ResumableSampler', shuffle=True),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(
        **source,
        split='train',
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
    num_workers=0,
    sampler=dict(type='SequenceSampler'),
    collate_fn=dict(type='pseudo_collate'),
    dataset=dict(**source, split='test', test_mode=True))
test_evaluator = dict(type='VOSMetric')
