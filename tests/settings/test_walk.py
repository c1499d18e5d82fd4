import pytest

from tempseg_mm.settings.walk import ConfigWalk, to_the_end

ADAM = dict(type='Adam', lr=1)


def misfits(**cfg):
    return {'.'.join(map(str, one.place)): (one.wrong, one.what) for one in ConfigWalk(cfg).misfits}


@pytest.mark.parametrize('cfg, place, wrong, what', [
    (dict(train_dataloader=dict(sise=1)), 'train_dataloader.sise', 1, "DataLoader takes no 'sise'"),
    (dict(train_dataloader=dict(a=dict(b=1))), 'train_dataloader.a.b', 1, "DataLoader takes no 'a'"),
    (dict(optim_wrapper=dict(optimizer=ADAM, x=1)), 'optim_wrapper.x', 1, "OptimWrapper takes no 'x'"),
    (dict(optim_wrapper=dict(optimizer=dict(lr=1))), 'optim_wrapper.optimizer.lr', 1,
     '`type` is missing, so nothing can be built from this'),
    (dict(optim_wrapper=dict(constructor='GANOptimWrapperConstructor', g=dict(optimizer=dict(ADAM, mu=1)))),
     'optim_wrapper.g.optimizer.mu', 3, "Adam takes no 'mu'"),
    (dict(param_scheduler=[dict(type='LinearLR', ende=1)]), 'param_scheduler.0.ende', 2, "LinearLR takes no 'ende'"),
    (dict(default_hooks=dict(timer=3)), 'default_hooks.timer', 1,
     'a component, dict(type=...), or None is expected, got 3'),
    (dict(train_cfg=dict(by_epoch=True, max_iters=3)), 'train_cfg.max_iters', 1,
     "EpochBasedTrainLoop takes no 'max_iters'"),
    (dict(train_cfg=dict(by_epoch=False, max_epochs=3)), 'train_cfg.max_epochs', 1,
     "IterBasedTrainLoop takes no 'max_epochs'"),
    (dict(test_evaluator=dict(metrics=dict(type='VOSMetric', x=1))), 'test_evaluator.metrics.x', 2,
     "VOSMetric takes no 'x'"),
    (dict(test_evaluator=dict(metrics=[], x=1)), 'test_evaluator.x', 1, "Evaluator takes no 'x'"),
    (dict(custom_hooks=[dict(type='CheckpointHook', intervall=3)]), 'custom_hooks.0.intervall', 2,
     "CheckpointHook takes no 'intervall'"),
    (dict(custom_imports=dict(import_='a')), 'custom_imports.import_', 1, "mmengine takes no 'import_'"),
])
def test_misfits(cfg, place, wrong, what):
    assert misfits(**cfg) == {place: (wrong, what)}


@pytest.mark.parametrize('cfg', [
    dict(train_dataloader=3, env_cfg=[], randomness=None, optim_wrapper=1, param_scheduler='x', default_hooks=None,
         custom_hooks={}, model=[], train_cfg=4, test_evaluator=5, visualizer=()),
    dict(model=dict(type=3, x=dict(type=None)), custom_hooks=[1, None, 'x'], default_hooks=dict(a=None)),
    dict(optim_wrapper=dict(optimizer=3, paramwise_cfg=dict(custom_keys=dict(a=4, b=None)))),
    dict(model=dict(width=1.0), test_dataloader=dict(dataset=dict(size=3))),
    dict(custom_hooks=[dict(type='EMAHook', whatever=1)]),  # which passes its **kwargs to another class
    dict(optim_wrapper=dict(type='OptimWrapper', optimizer=ADAM), param_scheduler=dict(type='LinearLR', end=3)),
])
def test_what_is_let_through(cfg):
    assert misfits(**cfg) == {}


def test_schedules_are_those_of_the_wrappers():
    wrappers = dict(constructor='GANOptimWrapperConstructor', g=dict(optimizer=ADAM))
    assert misfits(param_scheduler=dict(g=[], d=[]), optim_wrapper=wrappers) == {}
    found = misfits(param_scheduler=dict(d=[dict(type='LinearLR')]), optim_wrapper=wrappers)
    assert found == {'param_scheduler.d': (1, "optim_wrapper has no 'd' for this schedule")}


def test_known_places():
    known = ConfigWalk(dict(train_cfg=dict(type='GANTrainLoop', max_iters=3), randomness=dict(seed=1))).known
    assert {('train_cfg', 'max_iters'), ('train_cfg', 'discriminator_steps'), ('randomness', 'seed'),
            ('randomness', 'deterministic')} <= set(known)


@pytest.mark.parametrize('value, end', [
    (3, 'a'), (dict(b=3), 'a.b'), (dict(b=dict(c=3)), 'a.b.c'), (dict(b=1, c=2), 'a'), (dict(type='X'), 'a'),
    ({}, 'a')])
def test_to_the_end(value, end):
    assert '.'.join(to_the_end(('a',), value)) == end
