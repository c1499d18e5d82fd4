# Training on DAVIS 2016, test on SegTrack-v2 in data/SegTrackv2 (may be a link) or in the folder TEMPSEG_SEGTRACK_ROOT.
_base_ = './davis.py'

test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SegTrackV2Dataset',
        data_root='{{$TEMPSEG_SEGTRACK_ROOT:data/SegTrackv2}}',
        size=480,  # as on DAVIS: frames are smaller here, but objects should appear in the same size
        test_mode=True))
