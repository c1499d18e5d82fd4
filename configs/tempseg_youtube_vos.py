"""YouTube-VOS with the weights that come with the project: objects that appear later, seen and unseen categories.

    .venv/bin/tempseg-check-dataset configs/tempseg_youtube_vos.py --part test --workers 4
    .venv/bin/tempseg-test configs/tempseg_youtube_vos.py --submission zip

Data: data/YouTubeVOS, or `export TEMPSEG_YOUTUBE_VOS_ROOT=...`. Protocol: each object is given in the frame where it
first appears. Only these masks of the valid split are public, so it is segmented here and scored only by the
benchmark's server. With `--cfg-options test_dataloader.dataset.split=train`, the train split is scored. To use 30
frames per second: `--cfg-options test_dataloader.dataset.all_frames=True`. The weights were trained on DAVIS 2016 only.
To train on the train split, with one object per clip, from ImageNet weights:

    .venv/bin/tempseg-train configs/tempseg_youtube_vos.py --amp
    .venv/bin/tempseg-test configs/tempseg_youtube_vos.py newest
"""
_base_ = './tempseg_davis_mobilenet.py'

data_root = '{{$TEMPSEG_YOUTUBE_VOS_ROOT:data/YouTubeVOS}}'
checkpoint = 'weights/tempseg_davis_mobilenet.safetensors'

train_dataloader = dict(dataset=dict(type='YouTubeVOSDataset', data_root=data_root))
# Flow is estimated at 240 pixels on the shorter side, since sequences differ in aspect ratio.
test_dataloader = dict(dataset=dict(type='YouTubeVOSDataset', data_root=data_root, split='valid', size=240))
test_cfg = dict(num_given_frames=1)
test_evaluator = dict(skip_last=False)  # the last frame is scored, too
