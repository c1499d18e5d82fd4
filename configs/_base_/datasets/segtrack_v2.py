# Trained on DAVIS 2016, tested on SegTrack-v2 at data/SegTrackv2 (a link will do) or where TEMPSEG_SEGTRACK_ROOT says.
_base_ = './davis.py'

test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='SegTrackV2Dataset',
        data_root='{{$TEMPSEG_SEGTRACK_ROOT:data/SegTrackv2}}',
        size=480,  # as on DAVIS: frames are smaller here, objects should not be
        test_mode=True))
