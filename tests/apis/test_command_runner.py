import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.runner import Runner

from tempseg_mm.apis import command_runner
from tempseg_mm.apis.command_runner import device_in_words, start_runner


def test_the_first_lines_say_what_on_what_and_where_and_the_file_has_all(tiny_config, tmp_path, monkeypatch, capsys,
                                                                          on_cpu):
    monkeypatch.chdir(tmp_path)
    runner = start_runner(tiny_config(log_level='INFO'), 'training')
    lines = [re.fullmatch(r'\d\d:\d\d:\d\d  (.*)', line).group(1) for line in capsys.readouterr().out.splitlines()]
    log = Path(runner.logger.log_file)
    assert lines == ['training configs/tempseg_synthetic.py on the CPU (1 thread)',
                     f'writing to work; settings and all numbers are in {log.relative_to(tmp_path)}']
    everything = log.read_text()
    for part in ('System environment', 'Config:', 'Hooks will be executed in the following order', *lines):
        assert part in everything


def test_a_runner_of_mmengine_is_heard_as_ever(tiny_config, capsys):
    Runner.from_cfg(tiny_config(log_level='INFO'))
    said = capsys.readouterr().out
    assert 'Hooks will be executed' in said and 'mmengine' in said


@pytest.mark.parametrize('device, processes, words', [
    ('cpu', 1, 'the CPU (1 thread)'), ('cuda', 1, 'NVIDIA Test'), ('cuda:1', 4, '4 processes, each on NVIDIA Test'),
    ('npu', 1, 'npu')])
def test_the_device_has_its_name(monkeypatch, device, processes, words):
    monkeypatch.setattr(command_runner, 'get_device', lambda: device)
    monkeypatch.setattr(command_runner, 'get_world_size', lambda: processes)
    monkeypatch.setattr('torch.cuda.get_device_name', lambda: 'NVIDIA Test')
    assert device_in_words() == words


@pytest.mark.parametrize('device, amp, told', [('cpu', True, 1), ('cpu', False, 0), ('cuda', True, 0)])
@pytest.mark.parametrize('doing', ['training', 'testing'])
def test_bfloat16_on_a_cpu_is_said_to_be_slow(tiny_config, monkeypatch, device, amp, told, doing):
    said = []
    idle = SimpleNamespace(work_dir='work', logger=SimpleNamespace(info=id, warning=said.append, log_file='log'))
    monkeypatch.setattr(command_runner.CommandRunner, 'from_cfg', lambda cfg: idle)
    monkeypatch.setattr(command_runner, 'device_in_words', lambda: device)
    monkeypatch.setattr(command_runner, 'get_device', lambda: device)
    start_runner(tiny_config(**{'model.compute': dict(amp=amp)}), doing)
    assert len([text for text in said if 'leave it out here' in text]) == told
