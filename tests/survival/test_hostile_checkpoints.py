"""Pickles that run code when they are read, planted wherever a checkpoint has room, through every door: none runs."""

import os
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.runner import Runner, load_checkpoint
from torch import nn

from tempseg_mm.commands import test, train
from tempseg_mm.flow.flownet2.subnetworks import FlowNetS
from tempseg_mm.flow.flownet2.weights import build_with_weights
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.weight_files import read_weights

PLACES = ('state_dict', 'message_hub', 'meta', 'optimizer', 'param_schedulers')
REFUSED = r'hostile\.pth holds more than tensors and plain types: it refers to posix\.mkdir\. .*can run code.*If you'


class Code:
    """Pickles to a call that makes a folder."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (str(self.folder),)


@pytest.fixture(scope='module')
def kept():
    """Files of one training, which all tests here begin with."""
    return {}


@pytest.fixture
def trained(make_runner, tiny_config, kept):
    """A checkpoint of one iteration."""
    if not kept:
        runner = make_runner(**{'train_cfg.max_iters': 1})
        runner.train()
        kept['iter_1.pth'] = Path(runner.work_dir, 'iter_1.pth').read_bytes()
        shutil.rmtree(runner.work_dir)
    folder = Path(tiny_config().work_dir)
    folder.mkdir(parents=True)
    path = folder / 'iter_1.pth'
    path.write_bytes(kept['iter_1.pth'])
    (folder / 'last_checkpoint').write_text(str(path))
    return path


@pytest.fixture
def ran(tmp_path):
    """The folder that is made if the code runs."""
    folder = tmp_path / 'ran'
    yield folder
    assert not folder.exists(), 'the code ran'


@pytest.fixture
def hostile(trained, ran, request):
    """The checkpoint with code in the named part of it, or nothing but code."""
    path = trained.with_name('hostile.pth')
    content = torch.load(trained, weights_only=True)
    if request.param == 'everything':
        content = Code(ran)
    else:
        content[request.param]['extra'] = Code(ran)
    torch.save(content, path)
    return path


def test_the_code_would_run(tmp_path):
    """Or all of this would show nothing."""
    torch.save(Code(tmp_path / 'ran'), tmp_path / 'a.pth')
    torch.load(tmp_path / 'a.pth', weights_only=False)
    assert (tmp_path / 'ran').exists()


@pytest.mark.parametrize('hostile', [*PLACES, 'everything'], indirect=True)
def test_no_runner_runs_it(hostile, tiny_config):
    """As ``tools/train.py --resume PATH``, ``load_from`` of a config and ``tools/test.py CHECKPOINT`` load it, and the
    newest checkpoint that ``--resume`` finds by itself."""
    for options, start in ((dict(load_from=str(hostile), resume=True), Runner.train), (
            dict(load_from=str(hostile)), Runner.train), (dict(load_from=str(hostile)), Runner.test)):
        with pytest.raises(ValueError, match=REFUSED):
            start(Runner.from_cfg(tiny_config(**options)))
    hostile.replace(hostile.with_name('iter_1.pth'))
    with pytest.raises(ValueError, match=REFUSED.replace('hostile', 'iter_1')):
        Runner.from_cfg(tiny_config(resume=True)).train()


@pytest.mark.parametrize('hostile', ['state_dict', 'everything'], indirect=True)
def test_no_other_door_runs_it(hostile, model_cfg):
    """Weights of backbones, flow networks and modules."""
    for key in ('generator', 'adversary'):
        cfg = dict(model_cfg, init_cfg=dict(type='Pretrained', checkpoint=str(hostile), prefix=key))
        with pytest.raises(ValueError, match=REFUSED):
            MODELS.build(cfg).init_weights()
    with pytest.raises(ValueError, match=REFUSED):
        build_with_weights(FlowNetS, str(hostile))
    with pytest.raises(ValueError, match=REFUSED):
        load_checkpoint(nn.Linear(1, 1), str(hostile))


def test_the_text_of_a_config_is_not_run(trained, tiny_config, ran):
    """mmengine runs ``meta['config']`` as Python when it resumes; ``meta['cfg']`` is left alone."""
    content = torch.load(trained, weights_only=True)
    for name in ('config', 'cfg'):
        content['meta'][name] = f'import os\nos.mkdir({str(ran)!r})\n'
    torch.save(content, trained)
    runner = Runner.from_cfg(tiny_config(resume=True, **{'train_cfg.max_iters': 2}))
    runner.train()
    assert runner.iter == 2


@pytest.mark.parametrize('hostile', ['optimizer'], indirect=True)
def test_the_commands_as_they_are_typed(hostile, tiny_config, ran, tmp_path, capsys):
    tiny_config().dump(tmp_path / 'tiny.py')
    for command, arguments in ((train, ['--resume', str(hostile)]), (test, [str(hostile)])):
        with pytest.raises(SystemExit) as end:
            command.main([str(tmp_path / 'tiny.py'), *arguments])
        said = capsys.readouterr().err
        assert end.value.code == 2 and 'it refers to posix.mkdir' in said.splitlines()[-1], said[-2000:]


def test_only_tensors_are_weights(tmp_path):
    torch.save(dict(state_dict=nn.Linear(1, 1)), tmp_path / 'hostile.pth')
    with pytest.raises(ValueError, match=r'refers to .*torch\.nn\.modules\.linear\.Linear'):
        read_weights(str(tmp_path / 'hostile.pth'))
