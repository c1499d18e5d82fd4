"""The command as it is typed, called in this process; what it does stands in tests/apis/inferencer."""

import json
import re
import shlex
import signal
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.models.generator_weights import save_generator
from tempseg_mm.runtime.closing_block import seen_from_here

ROOT = Path(__file__).resolve().parents[2]
TINY = ('--config', str(ROOT / 'configs/segment_video_scratch.py'), '--device', 'cpu', '--cfg-options',
        'model.width=0.0625')


@pytest.fixture
def call(command):
    """``call(...)`` runs the tool with these arguments."""
    def run(*arguments):
        command('segment', *arguments)
    return run


@pytest.fixture
def video(tmp_path, make_sequence):
    """A folder with ``shot.mp4`` of four frames, masks of its frames 0 and 2 as PNG, and ground truth in ``gt``."""
    sequence = make_sequence(4)
    writer = cv2.VideoWriter(str(tmp_path / 'shot.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 12, (48, 32))
    (tmp_path / 'gt').mkdir()
    for i, (frame, mask) in enumerate(zip(sequence.frames, sequence.masks, strict=True)):
        writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
        Image.fromarray(mask * 255).save(tmp_path / f'gt/{i:05d}.png')
    writer.release()
    return tmp_path


def test_a_video_and_masks_to_files(call, video, capsys):
    call(video / 'shot.mp4', '--mask', video / 'gt/00000.png', '--mask', f'{video}/gt/00002.png@2', '--steps', 1,
         '--size', 32, '--out', video / 'out', '--gt', video / 'gt', '--gif', *TINY)
    said, out = capsys.readouterr().out, seen_from_here(video / 'out')
    for kind, name in dict(page='report.html', masks='masks', overlay='overlay.webm', gif='overlay.gif',
                           result='result.json').items():
        assert re.search(rf'^{kind} +{out}/{name}$', said, re.MULTILINE) and (video / 'out' / name).exists()
    assert re.search(r'^J of object 1: \d\.\d{3}$', said, re.MULTILINE)
    assert re.search(r'^object 1: fine-tuned on 2 masks, IoU on them \d\.\d\d -> \d\.\d\d$', said, re.MULTILINE)
    assert said.split('\n\n')[-1].startswith(f'page     {out}/report.html\n')
    assert re.search('^weights +from scratch$', said, re.MULTILINE)
    assert 'note: No trained weights were given' in said and 'fine-tuning: 1/1' in said
    assert re.search(r'^4 frames in [\d.]+ s, [\d.]+ s of it fine-tuning$', said, re.MULTILINE)
    settings = json.loads((video / 'out/result.json').read_text())['settings']
    assert (settings['given_frames'], settings['size'], settings['fps']) == ([0, 2], 32, 12)
    np.testing.assert_array_equal(np.asarray(Image.open(video / 'out/masks/00002.png')) * 255,
                                  np.asarray(Image.open(video / 'gt/00002.png')))
    call(video / 'shot.mp4', '--out', video / 'out', '--export', 'matte,cutout-png')  # of what is there now
    said = capsys.readouterr().out
    assert 'exporting: 4/4' in said and 'fine-tuning' not in said
    assert said.split('\n\n')[-1] == (f'cutout-png  {out}/exports/cutout\n'
                                      f'matte       {out}/exports/matte.mp4\n')
    assert len(list((video / 'out/exports/cutout').iterdir())) == 4


def test_the_weights_are_named(call, video, make_model, tmp_path, capsys):
    save_generator(make_model(), video / 'g.safetensors', metadata=dict(config='small.py'))
    call(video / 'shot.mp4', '--mask', video / 'gt/00000.png', '--steps', 0, '--size', 32, '--out', video / 'out',
         *TINY, '--checkpoint', video / 'g.safetensors')
    said = capsys.readouterr().out
    assert f'weights  {video}/g.safetensors, trained with small.py\n' in said and 'No trained weights' not in said
    settings = json.loads((video / 'out/result.json').read_text())['settings']
    assert (settings['checkpoint'], settings['weights']) == (f'{video}/g.safetensors', dict(config='small.py'))
    page = (video / 'out/report.html').read_text()
    assert f'{video}/g.safetensors' in page and 'small.py' in page


def test_arguments_reach_the_inferencer(call, monkeypatch, tmp_path):
    seen = {}

    def build(self, *arguments, **keywords):
        seen.update(keywords, build=arguments)

    def run(self, *arguments, **keywords):
        seen.update(keywords, run=arguments)
        raise ValueError('enough')
    monkeypatch.setattr(VOSInferencer, '__init__', build)
    monkeypatch.setattr(VOSInferencer, '__call__', run)
    with pytest.raises(SystemExit):
        call('v.mp4', '--mask', 'a.png', '--box', '1,2,3,4@5', '--out', 'o', '--config', 'c.py', '--checkpoint',
             'k.pth', '--steps', 5, '--size', 64, '--start', 2, '--end', 9, '--fps', 12.5, '--tta', '--crf',
             '--gt', 'g', '--gif', '--export', 'coco', '--export', 'matte,prores', '--masks-only', '--show',
             '--resume', '--resize-mask', '--resize-frames', '--ends',
             '--seed', 3, '--device', 'cpu', '--cfg-options', 'model.width=0.5')
    del seen['on_progress']
    assert seen == dict(
        build=('c.py', 'k.pth', 'cpu'), steps=5, size=64, tta=True, crf=True, seed=3,
        cfg_options={'model.width': '0.5'}, run=('v.mp4', ['a.png']), boxes=['1,2,3,4@5'], out_dir='o', start=2,
        end=9, fps=12.5, ground_truth='g', gif=True, show=True, resume=True, overwrite=False, resize_mask=True,
        resize_frames=True, ends=True, pictures=False, exports=['coco', 'matte,prores'])


def test_several_videos_with_one_page_and_one_that_fails(call, video, monkeypatch, capsys):
    monkeypatch.chdir(video)
    for name in ('shot', 'two', 'broken'):
        (video / f'{name}_mask.png').write_bytes((video / 'gt/00000.png').read_bytes())
    (video / 'two.mp4').write_bytes((video / 'shot.mp4').read_bytes())
    (video / 'broken.mp4').write_text('nothing')
    quick = ('--steps', 0, '--size', 32, '--masks-only', '--out', 'out', *TINY)
    with pytest.raises(SystemExit) as end:
        call('broken.mp4', 'shot.mp4', 'two.mp4', *quick)
    said = capsys.readouterr()
    assert end.value.code == 2 and 'Traceback' not in said.err
    assert '[2/3] shot.mp4, mask shot_mask.png@0 -> shot\n' in said.out
    assert 'error: broken.mp4 cannot be opened as a video: it is a text file' in said.err
    assert '1 of 3 videos failed: broken. ' in said.err and said.out.endswith('\npage  out/index.html\n')
    assert all((video / f'out/{name}/result.json').exists() for name in ('shot', 'two'))
    (video / 'broken.mp4').write_bytes((video / 'shot.mp4').read_bytes())
    (video / 'list.txt').write_text('two.mp4\nshot.mp4 --mask gt/00000.png\nbroken.mp4 --gt gt\n')
    call('--list', 'list.txt', '--resume', *quick)
    said = capsys.readouterr().out
    assert 'writing to out; 2 of 3 videos are finished\n\n[1/1] broken.mp4' in said and 'J of object 1: ' in said


def test_a_mask_beside_a_single_video_is_taken_and_told(call, video, capsys):
    (video / 'shot@2.png').write_bytes((video / 'gt/00002.png').read_bytes())
    call(video / 'shot.mp4', '--fast', '--size', 32, '--masks-only', '--out', video / 'out', *TINY,
         'default_hooks.finetune.finetuner.steps=6')
    assert f'note: found beside {video}/shot.mp4: {video}/shot@2.png@2 (FILE@FRAME); used as --mask' in (
        capsys.readouterr().out)
    settings = json.loads((video / 'out/result.json').read_text())['settings']
    assert settings['given_frames'] == [2] and settings['steps'] == 3  # half of six


def test_a_frame_to_draw_on_and_the_line_to_go_on_with(call, video, monkeypatch, capsys):
    monkeypatch.chdir(video)
    call('shot.mp4', '--save-frame', 2, '--out', 'out')
    said = capsys.readouterr().out
    assert re.search(r'^frame +out/given/00002_frame.png$', said, re.MULTILINE)
    then = shlex.split(said.splitlines()[-1])
    (video / 'out/given/00002.png').write_bytes((video / 'gt/00002.png').read_bytes())
    call(*then[then.index('shot.mp4'):], '--steps', 0, '--size', 32, '--masks-only', *TINY)
    assert json.loads((video / 'out/result.json').read_text())['settings']['given_frames'] == [2]


@pytest.mark.parametrize('arguments, message', [
    (['shot.mp4'], 'give a --mask FILE or a --box X,Y,W,H, or save its mask beside it as shot.png or shot_mask.png'),
    ([], 'which video'),
    (['shot.mp4', 'shot.mp4', '--mask', 'gt/00000.png'], '--mask can be used with one VIDEO only. Frames of one '),
    (['shot.mp4', '--list', 'list.txt'], '--list list.txt names the videos; add shot.mp4 as a line of it'),
    (['--list', 'none.txt'], 'none.txt'),
    (['shot.mp4', 'shot.mp4', '--save-frame', '1'], '--save-frame takes one VIDEO'),
    (['shot.mp4', '--fast', '--steps', '3'], 'not allowed with argument --fast'),
    (['none.mp4', '--mask', 'gt/00000.png'], "there is no video file or folder of frames 'none.mp4'"),
    (['shot.mp4', '--mask', 'none.png'], 'none.png'),
    (['shot.mp4', '--export', 'all'], 'no finished result in out to export: give a --mask or a --box'),
    (['shot.mp4', '--mask', 'gt/00000.png', '--export', 'gif'], 'unknown export: gif; expected cutout-png, '),
    (['shot.mp4', '--mask', 'gt/00000.png@9'], 'given for frame 9, but the frames to segment are 0 to 3'),
    (['shot.mp4', '--box', '1,2,3'], 'a box must be x,y,w,h'),
    (['shot.mp4', '--mask', 'gt/00000.png', '--checkpoint', 'none.pth'], 'none.pth'),
    (['shot.mp4', '--mask', 'gt/00000.png', '--config', 'none.py'], 'no config at none.py'),
    (['shot.mp4', '--mask', 'gt/00000.png', '--steps', '-1'], 'steps of fine-tuning must be at least 0'),
])
def test_what_is_wrong_is_said_in_one_line(call, video, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(video)
    tiny = () if '--config' in arguments else TINY
    with pytest.raises(SystemExit) as end:
        call(*arguments, '--out', 'out', *tiny)
    said = capsys.readouterr()
    assert end.value.code == 2
    assert re.search(f'error: .*{message}', said.err.splitlines()[-1]) and 'Traceback' not in said.err
    assert not (video / 'out').exists()


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_gone_on_with(call, video, monkeypatch, capsys, number):
    from tempseg_mm.apis.inferencer.recorder import FrameRecorder
    add = FrameRecorder.add

    def add_and_stop(self, frame, **figures):
        if frame.frame_id == 2:
            signal.raise_signal(number)
        return add(self, frame, **figures)
    arguments = (video / 'shot.mp4', '--mask', video / 'gt/00000.png', '--steps', 1, '--size', 32, '--masks-only',
                 *TINY, '--out', video / 'out')
    monkeypatch.setattr(FrameRecorder, 'add', add_and_stop)
    with pytest.raises(SystemExit) as end:
        call(*arguments)
    assert end.value.code == 75 and '--resume continues after them' in capsys.readouterr().err
    monkeypatch.setattr(FrameRecorder, 'add', add)
    call(*arguments, '--resume')
    assert len(list((video / 'out/masks').iterdir())) == 4 and (video / 'out/result.json').exists()


def test_help_teaches(call, capsys):
    with pytest.raises(SystemExit) as end:
        call('--help')
    text = capsys.readouterr().out
    assert end.value.code == 0
    assert [word for word in ('examples:', '--box 120,40,200,160', '--resume', 'works without trained weights',
                              'segmented backwards', '@40') if word not in text] == []


@pytest.mark.parametrize('arguments, words', [
    (['--correct'], '--correct needs a --mask'),
    (['--correct', '--mask', 'a.png@1', '--overwrite', '--end', '9'],
     'keeps the settings of the result in --out: leave --overwrite, --end out')])
def test_what_a_correction_does_not_take_is_said(refused, arguments, words):
    assert words in refused('segment', 'shot.mp4', *arguments)
