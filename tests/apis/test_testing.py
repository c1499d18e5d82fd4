import os
import signal

import pytest
import torch
from devices import weights_of
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.apis.testing import choose_checkpoint, closing_lines, hand_in, run_test, skip_finished, switch_on
from tempseg_mm.registry import HOOKS
from tempseg_mm.runtime import project_files
from tempseg_mm.runtime.closing_block import seen_from_here
from tempseg_mm.runtime.stop_signals import Stopped


@pytest.fixture
def work_dirs(tmp_path):
    """Two work dirs, ``own`` and ``other``, with the newest checkpoint in each."""
    for name in ('own', 'other'):
        (tmp_path / name).mkdir()
        torch.save({}, tmp_path / name / 'iter_7.pth')
        (tmp_path / name / 'last_checkpoint').write_text(f'{tmp_path}/{name}/iter_7.pth')
    return tmp_path


@pytest.mark.parametrize('in_config, named, expected', [
    (None, None, 'own/iter_7.pth'), ('newest', None, 'own/iter_7.pth'), ('none', None, None),
    ('{}/other', None, 'other/iter_7.pth'), ('{}/some.pth', None, 'some.pth'),
    ('none', 'newest', 'own/iter_7.pth'), ('newest', 'none', None), ('none', '{}/some.pth', 'some.pth'),
    ('none', '{}/other', 'other/iter_7.pth')])
def test_which_weights(work_dirs, in_config, named, expected):
    cfg = Config(dict(work_dir=str(work_dirs / 'own')))
    if in_config:
        cfg.checkpoint = in_config.format(work_dirs)
    found = choose_checkpoint(cfg, named and named.format(work_dirs))
    assert found == (expected and f'{work_dirs}/{expected}')


@pytest.mark.parametrize('named', [None, '{}/gone'])
def test_no_checkpoint_yet(tmp_path, named):
    with pytest.raises(FileNotFoundError, match='no checkpoint in .*/(gone|empty): train first'):
        choose_checkpoint(Config(dict(work_dir=f'{tmp_path}/empty')), named and named.format(tmp_path))


@pytest.mark.parametrize('in_config, named', [(None, 'weights/own.safetensors'), ('weights/own.safetensors', None)])
def test_weights_of_the_project_are_found_from_anywhere(tmp_path, monkeypatch, in_config, named):
    (tmp_path / 'project/weights').mkdir(parents=True)
    (tmp_path / 'project/weights/own.safetensors').write_bytes(b'')
    monkeypatch.setattr(project_files, 'ROOT', tmp_path / 'project')
    monkeypatch.chdir(tmp_path)
    cfg = Config(dict(work_dir='work', checkpoint=in_config or 'newest'))
    assert choose_checkpoint(cfg, named) == str(tmp_path / 'project/weights/own.safetensors')


def test_a_hook_is_switched_on_once():
    cfg = Config(dict(default_hooks=dict(crf=dict(type='CRFHook', workers=2), tta=None)))
    for name, hook in (('crf', dict(type='CRFHook')), ('tta', dict(type='TTAHook')), ('tta', dict(type='Other'))):
        switch_on(cfg, name, hook)
    assert cfg.default_hooks == dict(crf=dict(type='CRFHook', workers=2), tta=dict(type='TTAHook'))
    bare = Config(dict())
    switch_on(bare, 'tta', dict(type='TTAHook'))
    assert bare.default_hooks == dict(tta=dict(type='TTAHook'))


def test_hooks_given_to_a_test_watch_it(tiny_config):
    class Watch(Hook):
        seen = []

        def after_frame(self, runner, frame):
            self.seen.append(frame.frame_id)
    run_test(tiny_config(**{'custom_hooks': [], 'test_dataloader.dataset.sequences': ['test_000']}), [Watch()])
    assert Watch.seen == [0, 1, 2, 3, 4, 5]


def test_a_hook_of_a_person_s_own_list_is_not_doubled():
    cfg = Config(dict(custom_hooks=[dict(type='CRFHook', workers=2)]))
    switch_on(cfg, 'crf', dict(type='CRFHook'))
    assert cfg.default_hooks == {}


def test_an_untrained_network_is_the_one_that_training_starts_from(tiny_config, tmp_path):
    options = {'default_hooks.finetune': None, 'test_dataloader.dataset.sequences': ['test_000'], 'randomness.seed': 5}
    untrained = run_test(tiny_config(**options))
    start = Runner.from_cfg(tiny_config(**options))
    start.model.init_weights()
    expected, found = weights_of(start.model.generator), weights_of(untrained.model.generator)
    assert [name for name in expected if not torch.equal(expected[name], found[name])] == []


def test_given_weights_are_loaded(tiny_config, make_model, tmp_path):
    model = make_model(adversary=dict(share_weights=True))
    torch.save(model.state_dict(), tmp_path / 'some.pth')
    cfg = tiny_config(**{'default_hooks.finetune': None, 'test_dataloader.dataset.sequences': ['test_000']})
    cfg.load_from = str(tmp_path / 'some.pth')
    weight = 'generator.decoder.to_logits.weight'
    assert torch.equal(weights_of(run_test(cfg).model)[weight], model.state_dict()[weight])


def test_resuming_is_asked_of_the_results(tiny_config):
    cfg = tiny_config()
    assert 'resume' not in cfg.default_hooks.results
    skip_finished(cfg)
    assert cfg.default_hooks.results.resume is True
    cfg.default_hooks.results = None
    for without in (cfg, Config(dict())):
        with pytest.raises(ValueError, match='default_hooks.results of the config is switched off'):
            skip_finished(without)
        with pytest.raises(ValueError, match='leave --submission out, or switch it on'):
            hand_in(without, ['zip'])


def test_a_signal_stops_it_between_two_lines_of_python(tiny_config):
    class Stop(Hook):
        def after_frame(self, runner, frame):
            os.kill(os.getpid(), signal.SIGTERM)
    HOOKS.register_module('StopInTest', force=True, module=Stop)
    before = signal.getsignal(signal.SIGTERM)
    cfg = tiny_config(**{'default_hooks.finetune': None, 'custom_hooks': [dict(type='StopInTest')]})
    with pytest.raises(Stopped, match='stopped by SIGTERM'):
        run_test(cfg)
    assert signal.getsignal(signal.SIGTERM) == before


def test_all_that_a_test_writes_lies_in_its_folder(tiny_config, tmp_path):
    options = {'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None,
               'default_hooks.overlays': dict(type='OverlayHook'), 'default_hooks.report': dict(type='ReportHook'),
               'visualizer.vis_backends': [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]}
    cfg = tiny_config(**options, **{'test_cfg.out_dir': str(tmp_path / 'mine')})
    runner = run_test(cfg)
    assert not (tmp_path / 'work').exists() and cfg.work_dir == str(tmp_path / 'work')
    found = {path.relative_to(tmp_path / 'mine').parts[0] for path in (tmp_path / 'mine').rglob('*.*')}
    assert found == {'masks', 'overlays', 'sequences', 'scores.json', 'scores.csv', 'report.html', runner.timestamp,
                     'tempseg_synthetic.py', 'checked_data.json'}
    assert {path.suffix for path in (tmp_path / 'mine' / runner.timestamp).iterdir()} == {'.log', '.json'}
    page, results = closing_lines(runner).splitlines()
    mine = seen_from_here(tmp_path / 'mine')
    assert page == f'page     {mine}/report.html'
    log = f'{runner.timestamp}/{runner.timestamp}.log'
    assert results == f'results  {mine}: masks, scores.json, scores.csv, overlays, {log}'
    assert (tmp_path / 'mine' / log).is_file()

    runner = run_test(tiny_config(**options, **{'default_hooks.overlays.out_dir': str(tmp_path / 'shown')}))
    assert closing_lines(runner).splitlines()[-1] == f'overlays  {seen_from_here(tmp_path / "shown")}'
    assert (tmp_path / 'work/test/report.html').is_file()
    assert [path.name for path in (tmp_path / 'work').iterdir()] == ['test']  # what training left there stays as it is


def test_a_test_that_shows_pictures_has_its_tensorboard_run(tiny_config, monkeypatch, tmp_path):
    class Draw(Hook):
        def after_frame(self, runner, frame):
            runner.visualizer.add_image('frame', frame.image, frame.frame_id)
    monkeypatch.chdir(tmp_path)
    cfg = tiny_config(**{'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None,
                         'visualizer.vis_backends': [dict(type='TensorboardVisBackend')]})
    runner = run_test(cfg, [Draw()])
    assert len(list((tmp_path / 'work').rglob('events.out.tfevents*'))) == 1
    assert closing_lines(runner).splitlines()[-1].endswith(f' --logdir work/test/{runner.timestamp}')


def test_results_go_on_in_another_place(tiny_config, tmp_path):
    """Where a test writes is nothing that its results depend on."""
    options = {'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None}
    run_test(tiny_config(**options, **{'test_cfg.out_dir': str(tmp_path / 'first')}))
    (tmp_path / 'first').rename(tmp_path / 'second')
    cfg = tiny_config(**options, **{'test_cfg.out_dir': str(tmp_path / 'second')})
    skip_finished(cfg)
    record = tmp_path / 'second/sequences/test_000.json'
    before = record.stat().st_mtime_ns
    run_test(cfg)
    assert record.stat().st_mtime_ns == before
