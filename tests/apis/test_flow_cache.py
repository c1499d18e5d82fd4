import pytest
import torch

from tempseg_mm.apis.flow_cache import cached_provider, fill_cache
from tempseg_mm.flow.cached import CachedFlow, StaleCacheError
from tempseg_mm.flow.untrained import DISFlow
from tempseg_mm.inference.propagator import generator_propagator
from tempseg_mm.registry import DATASETS, TASK_UTILS


@pytest.fixture
def asked(monkeypatch):
    """Numbers of pairs that DISFlow was asked for in this process."""
    numbers = []
    estimate = DISFlow.estimate
    monkeypatch.setattr(DISFlow, 'estimate', lambda self, frames, following: (
        numbers.append(len(frames)), estimate(self, frames, following))[1])
    return numbers


def test_fills_once_and_goes_on_where_it_was(tiny_config, tmp_path, asked):
    cfg = tiny_config()
    folder = str(tmp_path / 'flow')
    lines = []
    done = fill_cache(cfg, parts=['test'], cache_dir=folder, workers=0, log=lines.append)
    assert (done.num_pairs, done.num_estimated, sum(asked)) == (10, 10, 10)
    assert done.provider == dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir=folder)
    next((tmp_path / 'flow').rglob('*.flo')).unlink()
    done = fill_cache(cfg, cache_dir=folder, workers=0)
    assert (done.num_pairs, done.num_estimated, sum(asked)) == (20, 11, 21)


def test_what_a_run_asks_for_is_there(tiny_config, tmp_path, asked, make_model):
    folder = str(tmp_path / 'flow')
    cfg = tiny_config(**{'train_dataloader.dataset.size': (16, 24), 'test_dataloader.dataset.size': (16, 24)})
    provider = fill_cache(cfg, cache_dir=folder, workers=0).provider
    asked.clear()
    train = DATASETS.build({**cfg.train_dataloader.dataset, 'pipeline': [
        dict(type='LoadClip', with_flow=False), dict(type='LoadFlow', provider=dict(provider, missing='error'))]})
    assert len(train[0]['flow']) == 2
    sequence = DATASETS.build({**cfg.test_dataloader.dataset})[0]['sequence']
    model = make_model(data_preprocessor=dict(flow=dict(provider, missing='error'))).eval()
    propagator = generator_propagator(model, {1: None}, size=(16, 24))
    propagator.start(sequence.frame(0), sequence.mask(0))
    propagator.step(sequence.frame(1))
    assert asked == []


def test_worker_processes(tiny_config, tmp_path):
    cfg = tiny_config()
    done = fill_cache(cfg, parts=['test'], cache_dir=str(tmp_path / 'a'), dtype='float16', workers=1)
    assert done.num_estimated == 10
    cache = TASK_UTILS.build(dict(done.provider, missing='error'))
    assert isinstance(cache, CachedFlow) and cache.dtype == 'float16'
    assert len(list((tmp_path / 'a').rglob('*.npy'))) == 10


def test_cache_of_the_config(tiny_config, tmp_path):
    flow = dict(_delete_=True, type='CachedFlow', provider=dict(type='ZeroFlow'), cache_dir='a', missing='error')
    cfg = tiny_config(**{'model.data_preprocessor.flow': flow})
    own = dict(type='CachedFlow', provider=dict(type='ZeroFlow'), cache_dir='a')
    assert cached_provider(cfg) == own
    assert cached_provider(cfg, cache_dir='b', dtype='float16') == dict(own, cache_dir='b', dtype='float16')


def test_no_folder(tiny_config):
    with pytest.raises(ValueError, match='DISFlow of this config has no cache: name a folder'):
        cached_provider(tiny_config())


def test_stale_cache_stops_at_once(tiny_config, tmp_path):
    cfg = tiny_config()
    fill_cache(cfg, parts=['test'], cache_dir=str(tmp_path), workers=0)
    cfg.model.data_preprocessor.flow = dict(type='ZeroFlow')
    with pytest.raises(StaleCacheError, match=r"its provider is 'DISFlow\(preset=medium\)', not 'ZeroFlow\(\)'"):
        fill_cache(cfg, parts=['test'], cache_dir=str(tmp_path), workers=1)


def test_cached_and_estimated_flow_are_one(tiny_config, tmp_path, sequence):
    provider = fill_cache(tiny_config(), parts=['test'], cache_dir=str(tmp_path), workers=0).provider
    frames = torch.stack([torch.from_numpy(sequence.frame(i)).permute(2, 0, 1) for i in range(4)])
    cached = TASK_UTILS.build(dict(provider, missing='error'))(frames[:-1], frames[1:])
    assert torch.equal(cached, DISFlow()(frames[:-1], frames[1:]))
