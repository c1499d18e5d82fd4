"""Each flow base is a provider that builds, or says what it lacks; and flow from a cache changes nothing in a run."""

import importlib.util
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from tempseg_mm.apis.flow_cache import fill_cache
from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.registry import TASK_UTILS

BASES = Path(__file__).resolve().parents[2] / 'configs/_base_/flow'
LACKING = dict(flownet2=(FileNotFoundError, 'no weights at data/weights/FlowNet2.*research purposes'),
               raft=(ImportError, 'pip install torchvision'))
if importlib.util.find_spec('torchvision'):
    LACKING.pop('raft')


@pytest.mark.parametrize('path', sorted(BASES.glob('*.py')), ids=lambda path: path.stem)
def test_builds_or_says_what_it_lacks(path, tmp_path, monkeypatch):
    monkeypatch.delenv('TEMPSEG_FLOWNET2_WEIGHTS', raising=False)
    monkeypatch.chdir(tmp_path)  # where no data are
    flow = Config.fromfile(path).flow
    if path.stem in LACKING:
        error, message = LACKING[path.stem]
        with pytest.raises(error, match=message):
            TASK_UTILS.build(flow)
    else:
        assert isinstance(TASK_UTILS.build(flow), FlowProvider)


def test_weights_come_from_the_environment(monkeypatch):
    monkeypatch.setenv('TEMPSEG_FLOWNET2_WEIGHTS', 'some/where.pth.tar')
    assert Config.fromfile(BASES / 'flownet2.py').flow.weights == 'some/where.pth.tar'


def test_a_run_with_the_cache_is_the_run_without_it(make_runner, tiny_config, tmp_path, monkeypatch, on_cpu):
    monkeypatch.setattr(Config, 'pretty_text', '')  # seconds, for the log
    cached = fill_cache(tiny_config(), parts=['train'], cache_dir=str(tmp_path / 'flow'), workers=0).provider
    weights = []
    for provider in (dict(type='DISFlow'), dict(cached, missing='error')):
        pipeline = [dict(type='LoadClip', with_flow=False), dict(type='LoadFlow', provider=provider),
                    dict(type='ClipRandomAffine', degrees=10, flip=0.5), dict(type='PackClip')]
        weights.append(make_runner(**{
            'randomness': dict(seed=3), 'train_cfg.max_iters': 2, 'train_dataloader.batch_size': 1,
            'train_dataloader.dataset.pipeline': pipeline}).train().state_dict())
    assert weights[0].keys() == weights[1].keys()
    assert all(torch.equal(value, weights[1][key]) for key, value in weights[0].items())
