import pytest

from tempseg_mm.settings.nearest import nearest_setting, places_of

KNOWN = [tuple(text.split('.')) for text in (
    'model', 'model.width', 'model.losses.itsd', 'model.losses.itsd.patch_size', 'model.generator.width', 'train_cfg',
    'train_cfg.max_iters', 'test_cfg', 'test_cfg.num_given_frames', 'default_hooks.finetune.finetuner',
    'default_hooks.finetune.finetuner.steps', 'default_hooks.finetune.finetuner.optimizer.lr',
    'optim_wrapper.generator.optimizer.lr', 'default_hooks.timer.interval', 'a.1.flip', 'a.1.degrees', 'a.0.degrees')]


@pytest.mark.parametrize('place, wrong, nearest', [
    ('trian_cfg.max_iters', 0, 'train_cfg.max_iters'), ('trian_cfg.other', 0, 'train_cfg'),
    ('modle.width', 0, 'model.width'), ('model.losses.itsdd.patch_size', 2, 'model.losses.itsd.patch_size'),
    ('model.losses.itsdd', 2, 'model.losses.itsd'), ('finetuner.stpes', 0, 'default_hooks.finetune.finetuner.steps'),
    ('finetuner', 0, 'default_hooks.finetune.finetuner'), ('a.1.degres', 2, 'a.1.degrees'),
    ('optim_wrapper.generatr.optimizer.lr', 2, 'optim_wrapper.generator.optimizer.lr'),
    ('width', 0, 'model.width'), ('a.1.zzzz', 2, ''), ('model.width', 1, 'model.generator.width'),
    ('model.width.x', 2, ''), ('default_hooks.mine.interval', 1, ''), ('zzzz.qqqq', 0, '')])
def test_nearest(place, wrong, nearest):
    assert '.'.join(nearest_setting(tuple(place.split('.')), wrong, KNOWN)) == nearest


def test_nothing_known():
    assert nearest_setting(('a',), 0, []) == ()


SETTINGS = [(('train_cfg', 'max_iters'), 450), (('s', 'end'), 450), (('test_cfg', 'num_given_frames'), 2),
            (('f', 'num_frames'), 2), (('f', 'clips'), 2), (('d', 'size'), [64, 112]), (('p', 0), dict(type='A', x=1)),
            (('p', 0, 'x'), 1), (('rate',), 450.0)]


@pytest.mark.parametrize('name, value, places', [
    ('max_iters', 450, [('train_cfg', 'max_iters'), ('s', 'end')]), ('max_iters', 3, []),
    ('max_iters', None, [('train_cfg', 'max_iters')]), ('size', (64, 112), [('d', 'size')]),
    ('num_given_frames', 2, [('test_cfg', 'num_given_frames'), ('f', 'num_frames')]),
    ('geometry', dict(type='A', x=1), [('p', 0)]), ('geometry', dict(x=1), [('p', 0)]), ('empty', [], []),
    ('x', 1, [('p', 0, 'x')])])
def test_where_a_variable_went(name, value, places):
    assert places_of(name, value, SETTINGS) == places
