import logging
import re
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def call(command):
    def run(*arguments):
        command('export', *arguments)
    return run


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'tiny.py'
    path.write_text(f"_base_ = '{ROOT}/configs/_base_/models/tempseg_gan.py'\n"
                    f"model = dict(width=0.0625)\nwork_dir = '{tmp_path}/work'\n")
    return path


def test_a_network_that_was_not_trained(call, config, capsys, tmp_path):
    call(config, 'none', '--format', 'torchscript', '--out', tmp_path / 'g.pt')
    assert 'g.pt: 0.' in capsys.readouterr().out
    assert torch.jit.load(str(tmp_path / 'g.pt'))(torch.zeros(1, 3, 9, 7), torch.zeros(1, 1, 9, 7)).shape[-2:] == (9, 7)


def test_the_log_file_of_an_earlier_run_in_this_process_is_left_alone(call, config, tmp_path):
    logger, file = MMLogger.get_current_instance(), logging.FileHandler(tmp_path / 'log', mode='w')
    file.close()  # it has no stream any more
    logger.addHandler(file)
    try:
        call(config, 'none', '--format', 'safetensors')
        assert file in logger.handlers
    finally:
        logger.removeHandler(file)


def test_half_precision_and_full(call, config, capsys, tmp_path):
    call(config, 'none', '--format', 'safetensors')
    call(config, 'none', '--format', 'safetensors', '--full-precision', '--work-dir', tmp_path / 'other')
    assert 'within 0e+00 of the model' in capsys.readouterr().out
    half, full = (tmp_path / name / 'export/generator.safetensors' for name in ('work', 'other'))
    assert half.stat().st_size < 0.6 * full.stat().st_size


def test_help_and_faults(call, config, capsys):
    with pytest.raises(SystemExit):
        call('--help')
    text = capsys.readouterr().out
    words = ('examples:', '--full-precision', 'pip install onnx onnxruntime')
    assert [word for word in words if word not in text] == []
    assert all((ROOT / word).is_file() for word in text.split() if word.startswith('configs/') and word.endswith('.py'))
    with pytest.raises(SystemExit):
        call(config, '--format', 'tflite')
    assert 'invalid choice' in capsys.readouterr().err
    with pytest.raises(SystemExit):
        call(config, '--format', 'onnx')
    assert re.search('error: no checkpoint in .*train first', capsys.readouterr().err)
