# Test on YouTube-Objects in data/YouTubeObjects (may be a link) or in the folder TEMPSEG_YOUTUBE_OBJECTS_ROOT.
_base_ = './davis.py'

test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='YouTubeObjectsDataset',
        data_root='{{$TEMPSEG_YOUTUBE_OBJECTS_ROOT:data/YouTubeObjects}}',
        size=480,
        test_mode=True))
# Each sequence ends with its last annotated frame, which is scored. The first frame is given.
test_evaluator = dict(type='VOSMetric', skip_last=False)
