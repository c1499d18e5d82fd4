import re

import pytest


@pytest.fixture
def lines(make_runner, monkeypatch):
    def run(**options):
        seen = []
        monkeypatch.setattr('logging.Logger.info', lambda self, text, *args: seen.append(str(text)))
        runner = make_runner(**{'default_hooks.finetune': None, **options})
        metrics = runner.test()
        return [line for line in seen if 'frames/s' in line], metrics, runner
    return run


def test_a_line_after_each_sequence(lines):
    reported, metrics, _ = lines()
    assert len(reported) == 2
    for i, line in enumerate(reported):
        assert re.match(rf'\[{i + 1}/2\] test_00{i}: J_mean \d\.\d{{3}}, .*frames/s, eta \d+:\d\d:\d\d\)$', line), line
    assert reported[-1].endswith('eta 0:00:00)')
    means = [float(re.search(r'J_mean ([\d.]+)', line).group(1)) for line in reported]
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
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args: seen.append(str(text)))
    make_runner(**{**options, 'default_hooks.results.resume': True}).test()
    first, second = [line for line in seen if line.startswith('[')]
    assert re.match(r'\[1/2\] test_000: J_mean .*\(finished by an earlier run\)$', first), first
    assert second.startswith('[2/2] test_001: ') and second.endswith('eta 0:00:00)')


def test_says_how_far_fine_tuning_is_and_how_far_the_loss_went(make_runner, monkeypatch):
    seen = []
    monkeypatch.setattr('logging.Logger.info', lambda self, text, *args: seen.append(str(text)))
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_001'], 'default_hooks.progress.interval': 0})
    runner.test()
    step, = [line for line in seen if 'fine-tuning, step' in line]
    assert step.startswith('test_001: fine-tuning, step 1/1  (')
    line, = [line for line in seen if 'fine-tuned' in line]
    assert line.startswith('test_001: fine-tuned 1 steps in ') and ', loss ' in line and ' -> ' in line
