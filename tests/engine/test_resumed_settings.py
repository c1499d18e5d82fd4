import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tempseg_mm.apis.training import run_training
from tempseg_mm.engine.resumed_settings import changed_settings, read_config_text, require_resumable_with
from tempseg_mm.runtime.differences import ResumeError

ROOT = Path(__file__).resolve().parents[2]
G, S = 'optim_wrapper.generator.', 'param_scheduler.generator.0.'


@pytest.fixture
def resumed(tiny_config, tmp_path, monkeypatch):
    """Trains for three iterations, then goes on to the fifth with other settings.

    Gives what the log says, and of each later iteration the parameter group, the clips and the losses.
    """
    def run(**options):
        if not (tmp_path / 'first/iter_3.pth').exists():
            run_training(tiny_config(**{'work_dir': str(tmp_path / 'first'), f'{S}end': 6}))
        cfg = tiny_config(**{'train_cfg.max_iters': 5, f'{S}end': 6, 'resume': True, 'work_dir': str(tmp_path / 'next'),
                             'load_from': str(tmp_path / 'first/iter_3.pth'), **options})
        runner, seen, said = Runner.from_cfg(cfg), [], []
        monkeypatch.setattr(runner.logger, 'warning', lambda text, *_: said.append(text))

        class Watch(Hook):
            def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
                group = copy.copy(runner.optim_wrapper['generator'].optimizer.param_groups[0])
                clips = [(sample.sequence, *sample.frame_ids) for sample in data_batch['data_samples']]
                weights = torch.cat([p.detach().flatten() for p in group.pop('params')])
                seen.append((group, clips, weights))
        runner.register_hook(Watch())
        runner.train()
        return '\n'.join(said), seen
    return run


def same(one, other):
    return all(a[:2] == b[:2] and torch.equal(a[2], b[2]) for a, b in zip(one, other, strict=True))


def test_what_differs_is_listed_and_what_is_said_of_it_is_what_happens(resumed, on_cpu):
    said, plain = resumed()
    assert 'settings that differ' in said and 'train_cfg.max_iters (3 then, 5 now)' in said.split('take effect')[1]
    assert 'have no effect' not in said and len(plain) == 2
    for options in ({f'{G}optimizer.lr': 0.5}, {f'{G}optimizer.betas': (0.1, 0.2)}, {f'{G}optimizer.weight_decay': 0.3},
                    {f'{S}end': 100}, {f'{S}end_factor': 0.9}, {'randomness.seed': 9}):
        said, seen = resumed(**options)
        (key, value), = options.items()
        assert f'{key} (' in said.split('have no effect')[1] and f'{value} now)' in said and same(seen, plain), key
    for options in ({'train_dataloader.batch_size': 1}, {'model.losses.l1.loss_weight': 77.0},
                    {f'{G}clip_grad': dict(max_norm=1e-9)}, {'model.compute': dict(amp=True)},
                    {'param_scheduler.generator': []}):
        said, seen = resumed(**options)
        (key, _), = options.items()
        assert f'{key} (' in said.split('take effect')[1] and 'have no effect' not in said, key
        assert not same(seen, plain), key
    said, seen = resumed(**{'train_cfg.max_iters': 2})
    assert 'already at iter 3, and training ends at 2: nothing is left to do' in said and seen == []
    for options in ({f'{G}optimizer.type': 'AdamW'}, {f'{G}paramwise_cfg.custom_keys.backbone.lr_mult': 0.1},
                    {'param_scheduler.generator': [dict(type='CosineAnnealingLR', T_max=9, by_epoch=False)]}):
        with pytest.raises(ResumeError, match=r'cannot resume from this checkpoint with .*: its state .* load_from='):
            resumed(**options)


@pytest.mark.parametrize('then, now, kind', [
    (dict(train_cfg=dict(max_iters=3)), dict(train_cfg=dict(max_iters=4)), 'taken'),
    (dict(optim_wrapper=dict(optimizer=dict(lr=1))), dict(optim_wrapper=dict(optimizer=dict(lr=2))), 'kept'),
    (dict(optim_wrapper=dict(clip_grad=None)), dict(optim_wrapper=dict(clip_grad=dict(max_norm=1))), 'taken'),
    (dict(optim_wrapper=dict(g=dict(optimizer=1))), dict(optim_wrapper=dict(optimizer=dict(lr=1))), 'refused'),
    (dict(param_scheduler=[dict(milestones=[1])]), dict(param_scheduler=[dict(milestones=[1, 2])]), 'kept'),
    (dict(param_scheduler=[dict(type='A')]), dict(param_scheduler=[dict(type='A'), dict(type='B')]), 'refused'),
    (dict(param_scheduler=[dict(type='A')]), dict(param_scheduler=None), 'taken'),
    (dict(model=dict(init_cfg=dict(checkpoint='a'))), dict(model=dict(init_cfg=dict(checkpoint='b'))), 'kept'),
    (dict(default_hooks=dict(finetune=dict(steps=1))), dict(default_hooks=dict(finetune=dict(steps=2))), 'of_tests'),
    (dict(default_hooks=dict(finetune=dict(steps=1)), val_cfg={'a': 1}),
     dict(default_hooks=dict(finetune=dict(steps=2)), val_cfg={'a': 1}), 'taken'),
    (dict(crf=dict(srgb=1)), dict(crf=dict(srgb=2)), 'of_tests')])
def test_what_becomes_of_each(then, now, kind):
    changed = changed_settings(then, now)
    assert changed and [name for name, found in vars(changed).items() if found] == [kind]
    if kind != 'refused':
        require_resumable_with(changed)
        assert getattr(changed, kind)[0].path in str(changed)


def test_where_and_how_a_run_is_started_is_no_setting():
    assert not changed_settings(dict(work_dir='a', resume=False, width=1), dict(work_dir='b', resume=True, width=1))


@pytest.mark.parametrize('name', ['tempseg_synthetic', 'tempseg_davis_mobilenet', 'pretrain/tempseg_imagenet'])
def test_the_text_of_a_config_is_read_back(name):
    cfg = Config.fromfile(ROOT / f'configs/{name}.py')
    assert read_config_text(cfg.pretty_text) == cfg.to_dict()


@pytest.mark.parametrize('text', ['', 'a = (', 'a = open("x", "w")', 'import os', 'a = b', 'a, b = 1, 2',
                                  'a = ' + '[' * 300,
                                  'a = dict(*[1])', 'a = dict(**{"b": 1})', '\0'])
def test_what_is_no_such_text_is_not_run(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert read_config_text(text) in (None, dict(a={None: {'b': 1}}))
    assert list(tmp_path.iterdir()) == []
