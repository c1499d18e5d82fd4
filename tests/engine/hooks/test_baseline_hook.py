import re
import shutil

import pytest
import torch

from tempseg_mm.engine.hooks.baseline_hook import BaselineHook


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: lines.append(str(text)))
    return lines


def test_one_table_of_the_method_and_its_rivals(make_runner, logged):
    runner = make_runner()
    before = {name: value.clone() for name, value in runner.model.state_dict().items()}
    hook = BaselineHook()
    runner.register_hook(hook, priority='LOW')
    metrics = runner.test()
    table, = [line for line in logged if line.startswith('| method')]
    rows = re.findall(r'^\| (.+?) +\| +([\d.]+) \| +([\d.]+) \| +([\d.]+) \|$', table, re.MULTILINE)
    assert [name.split('-')[0] for name, *_ in rows] == [
        'tiny', 'copying the last given mask', 'moving the mask along the flow', 'untrained, same fine']
    assert float(rows[0][1]) == pytest.approx(metrics['J_mean'], abs=5e-4)
    for title, (_, j, f, _) in zip(hook.metrics, rows[1:]):
        overall = hook.metrics[title].scores.overall
        assert (float(j), float(f)) == pytest.approx((overall['J']['mean'], overall['F']['mean']), abs=5e-4)
        assert set(hook.metrics[title].scores.sequences) == {'test_000', 'test_001'}
    # Nothing of fine-tuning or of the rivals is left in the model.
    assert [name for name, value in runner.model.state_dict().items() if not torch.equal(value, before[name])] == []


def test_own_selection_without_fine_tuning(make_runner, sequence):
    runner = make_runner(**{'default_hooks.finetune': None, 'default_hooks.baselines': dict(
        type='BaselineHook', baselines={'copy': dict(type='CopyMask')}),
                            'test_dataloader.dataset.sequences': ['test_000']})
    runner.test()
    hook = next(hook for hook in runner.hooks if isinstance(hook, BaselineHook))
    assert list(hook.metrics) == ['copy']
    given = sequence.mask(1).astype(bool)
    expected = [(sequence.mask(i) & given).sum() / (sequence.mask(i) | given).sum() for i in (2, 3, 4)]
    assert hook.metrics['copy'].scores.sequences['test_000']['J']['per_frame'][1:] == pytest.approx(expected)


def test_frames_count_as_they_do_for_the_method_object_by_object(make_runner, tmp_path):
    runner = make_runner(**{
        'default_hooks.finetune': None, 'test_evaluator.skip_last': False, 'test_cfg.num_given_frames': 1,
        'test_dataloader.dataset': dict(
            type='SyntheticVOSDataset', data_root=str(tmp_path / 'two'), split='test', all_objects=True, test_mode=True,
            scene=dict(num_frames=4, height=32, width=48, occluders=0), num_sequences=dict(test=1)),
        'default_hooks.baselines': dict(type='BaselineHook', baselines={'copy': dict(type='CopyMask')})})
    runner.test()
    hook = next(hook for hook in runner.hooks if isinstance(hook, BaselineHook))
    for metric in (hook.metrics['copy'], runner.test_loop.evaluator.metrics[0]):
        objects = metric.scores.sequences['test_000']['J']['objects']
        assert [(i, found['frames']) for i, found in objects.items()] == [('1', [1, 2, 3]), ('2', [1, 2, 3])]


def test_sequences_of_which_only_the_given_mask_exists(make_runner, synthetic_root, tmp_path, logged):
    root = tmp_path / 'mine'
    shutil.copytree(synthetic_root, root)
    for mask in (root / 'Annotations/32p/test_000').glob('*.png'):
        if mask.stem != '00000':
            mask.unlink()
    runner = make_runner(**{
        'test_dataloader.dataset': dict(
            _delete_=True, type='DAVISDataset', data_root=str(root), split='test', resolution='32p',
            sequences=['test_000'], test_mode=True),
        'test_cfg.num_given_frames': 1,
        'default_hooks.finetune': None, 'default_hooks.baselines': dict(
        type='BaselineHook', baselines={'copy': dict(type='CopyMask')})})
    assert runner.test() == {}
    assert 'No annotated frame was scored, so there is nothing to compare with the baselines.' in logged
