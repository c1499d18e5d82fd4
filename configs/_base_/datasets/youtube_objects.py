# Tested on YouTube-Objects at data/YouTubeObjects (a link will do) or where TEMPSEG_YOUTUBE_OBJECTS_ROOT says.
_base_ = './davis.py'

test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='YouTubeObjectsDataset',
        data_root='{{$TEMPSEG_YOUTUBE_OBJECTS_ROOT:data/YouTubeObjects}}',
        size=480,
        test_mode=True))
# The last frame of a sequence is its last annotated one, and counts; the first is given.
test_evaluator = dict(type='VOSMetric', skip_last=False)
