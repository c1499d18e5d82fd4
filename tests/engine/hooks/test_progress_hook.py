import re

import pytest

from tempseg_mm.inference.given_fit import GivenFit


@pytest.fixture
def lines(make_runner, monkeypatch):
    def run(**options):
        seen = []
        monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: seen.append(str(text)))
        runner = make_runner(**{'default_hooks.finetune': None, **options})
        metrics = runner.test()
        return [line for line in seen if 'frames/s' in line], metrics, runner
    return run


@pytest.fixture
def said(monkeypatch):
    seen = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: seen.append(str(text)))
    return seen


def test_a_training_tells_iterations_losses_and_when_it_is_done(make_runner, said):
    runner = make_runner(**{'default_hooks.progress.interval': 0})
    runner.train()
    told = [line for line in said if line.startswith('iteration')]
    assert [re.match(r'iteration \d of 3 \(\d+%\)', line).group() for line in told] == [
        'iteration 1 of 3 (33%)', 'iteration 2 of 3 (67%)', 'iteration 3 of 3 (100%)', 'iteration 3 of 3 (100%)']
    scalars = runner.message_hub.log_scalars
    means = ', '.join(f'{name} {scalars[f"train/{name}"].mean(10):.3f}' for name in ('loss_g', 'loss_bce', 'loss_d'))
    assert f': {means}  (' in told[-1] and told[-1].endswith('eta 0:00:00)')
    assert 'eta unknown' not in told[0]


def test_a_training_of_any_length_tells_the_same_few_losses_if_it_has_them(make_runner, said):
    runner = make_runner(**{'default_hooks.progress': dict(type='ProgressHook', losses=['loss_l1', 'no_such']),
                            'default_hooks.logger.interval': 1})
    runner.train()
    (line,) = [line for line in said if line.startswith('iteration')]  # it is over before the interval
    assert re.match(r'iteration 3 of 3 \(100%\): loss_l1 \d\.\d{3}  \(', line)


def test_a_resumed_training_counts_on_and_takes_its_pace_from_what_it_did(make_runner, said):
    make_runner(**{'train_cfg.max_iters': 2, 'default_hooks.checkpoint.interval': 1}).train()
    said.clear()
    make_runner(**{'default_hooks.progress.interval': 0, 'resume': True}).train()
    told = [line for line in said if line.startswith('iteration')]
    assert told[0].startswith('iteration 3 of 3') and told[0].endswith('eta 0:00:00)')


def test_nothing_left_to_do_is_no_fault(make_runner, said):
    for resume in (False, True):
        make_runner(**{'train_cfg.max_iters': 1, 'default_hooks.checkpoint.interval': 1, 'resume': resume}).train()
    assert [line for line in said if line.startswith('iteration')][-1].startswith('iteration 1 of 1 (100%)')


def test_a_validation_has_a_line_with_its_scores(make_runner, said):
    validation = dict(val_cfg=dict(type='VOSValLoop', num_given_frames=1), val_evaluator=dict(
        type='VOSMetric', measures=('J',)), **{'train_cfg.val_interval': 3})
    runner = make_runner()
    validation['val_dataloader'] = runner.cfg.test_dataloader.to_dict()
    runner = make_runner(**validation)
    runner.train()
    (line,) = [line for line in said if line.startswith('validation')]
    assert re.match(r'validation after iteration 3: J_mean \d\.\d{3}', line)
    alone = make_runner(**{**validation, 'train_dataloader.dataset.data_root': '/nowhere'})
    alone.val()
    assert [line for line in said if line.startswith('validation: J_mean ')]


def test_a_line_after_each_sequence(lines):
    reported, metrics, _ = lines()
    assert len(reported) == 2
    for i, line in enumerate(reported):
        start = rf'\[{i + 1}/2\] test_00{i}: J \d\.\d{{3}}, F \d\.\d{{3}}(, T \d\.\d{{3}})?  '
        assert re.match(rf'{start}\(.*frames/s, eta \d+:\d\d:\d\d\)$', line), line
    assert reported[-1].endswith('eta 0:00:00)')
    means = [float(re.search(r': J ([\d.]+)', line).group(1)) for line in reported]
    assert sum(means) / 2 == pytest.approx(metrics['J_mean'], abs=1e-3)


def test_within_long_sequences_after_the_interval(lines):
    reported, _, _ = lines(**{'default_hooks.progress.interval': 0, 'test_dataloader.dataset.sequences': ['test_001']})
    assert [line.split('  ')[0] for line in reported[:-1]] == [f'test_001: frame {i}/6' for i in range(1, 7)]


def test_the_training_data_are_not_asked_for(lines):
    reported, _, _ = lines(**{'train_dataloader.dataset.data_root': '/nowhere'})
    assert len(reported) == 2


def test_sequences_of_an_earlier_run_count_as_done(lines, make_runner, monkeypatch):
    options = {'test_dataloader.dataset.sequences': ['test_000', 'test_001'], 'default_hooks.finetune': None}
    make_runner(**{**options, 'test_dataloader.dataset.sequences': ['test_000']}).test()
    seen = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: seen.append(str(text)))
    make_runner(**{**options, 'default_hooks.results.resume': True}).test()
    first, second = [line for line in seen if line.startswith('[')]
    assert re.match(r'\[1/2\] test_000: J .*\(finished by an earlier run\)$', first), first
    assert second.startswith('[2/2] test_001: ') and second.endswith('eta 0:00:00)')


def test_says_how_far_fine_tuning_is_and_what_it_gained(make_runner, monkeypatch):
    seen = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args, **extra: seen.append(str(text)))
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_001'], 'default_hooks.progress.interval': 0})
    runner.test()
    step, = [line for line in seen if 'fine-tuning, step' in line]
    assert step.startswith('test_001: fine-tuning, step 1/1  (')
    line, = [line for line in seen if 'fine-tuned' in line]
    assert re.match(r'\[1/1\] test_001: J .*; fine-tuned on 2 masks, 1 steps in [\d.]+ s, IoU on them 0\.\d\d -> '
                    r'0\.\d\d  \(', line), line


@pytest.mark.parametrize('after, told', [(0.1, 1), (0.9, 0)])
def test_a_sequence_that_fine_tuning_did_not_work_for_is_named(make_runner, monkeypatch, after, told):
    seen = []
    monkeypatch.setattr('logging.Logger.warning', lambda self, text, *args: seen.append(str(text)))
    monkeypatch.setattr('tempseg_mm.inference.segmenter.fit_on_given', lambda *args, **more: GivenFit(2, 0.5, after))
    make_runner(**{'test_dataloader.dataset.sequences': ['test_001']}).test()
    assert len([line for line in seen if line.startswith('test_001: fine-tuning did not work: ')]) == told
