"""What the tests share: a tiny data set, the project's own configs made small, the same random numbers every time."""

import copy
import functools
import multiprocessing
import os
import random
import signal
import uuid
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from memory_sequences import MemoryGiven, MemorySequence
from mmengine.config import Config
from mmengine.device import utils as device_utils
from mmengine.runner import Runner

from tempseg_mm.apis.config import load_config, settle_hooks, use_device
from tempseg_mm.datasets.synthetic.dataset import write_davis_layout
from tempseg_mm.datasets.synthetic.draw import SceneParams
from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.registry import MODELS
from tempseg_mm.runtime.worker_pool import WORKER
from tempseg_mm.structures import ClipBatch

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 0.0625
SCENE = dict(num_frames=6, height=32, width=48, max_speed=1.5)
NUM_SEQUENCES = dict(train=2, test=2)
os.environ.setdefault('CUBLAS_WORKSPACE_CONFIG', ':4096:8')  # read when CUDA starts; deterministic tests need it


def pytest_addoption(parser):
    parser.addoption('--device', help="device of tests that take the machine's, and of those marked gpu, such as cpu "
                                      'to do without a GPU; default: the GPU if there is one')


def pytest_configure(config):
    use_device(config.getoption('--device'))


def _skip_without_pydensecrf(error):
    """Python 3.13 and later have no pydensecrf unless it is built by hand; nothing else may be missing."""
    if 'pydensecrf' in str(error) and find_spec('pydensecrf') is None:
        pytest.skip('pydensecrf is not installed')
    raise error


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    try:
        return (yield)
    except ImportError as error:
        _skip_without_pydensecrf(error)


pytest_runtest_setup = pytest_runtest_call  # what fixtures build, too


def pytest_collection_modifyitems(config, items):
    """Start with the files that take longest, so that processes that share the tests end at the same time. Skip what
    needs a GPU where there is none."""
    if config.getoption('--device') is None and device_utils.get_device() == 'cpu':
        for item in items:
            if item.get_closest_marker('gpu'):
                item.add_marker(pytest.mark.skip(reason='needs CUDA or MPS'))
    longest = ('test_site.py', 'test_notebook.py', 'test_processes.py', 'test_killed.py')
    items.sort(key=lambda item: item.path.name not in longest)


def _environment():
    """The environment variables that configs read."""
    return tuple(sorted(item for item in os.environ.items() if item[0].startswith('TEMPSEG_')))


@pytest.fixture(scope='session', autouse=True)
def _configs_are_read_once():
    """Reading a config of the project takes a twentieth of a second, and hundreds of tests begin with that."""
    read, kept = Config.fromfile, {}

    def fromfile(filename, *args, **kwargs):
        path = Path(filename).resolve()
        if args or kwargs or not path.is_relative_to(ROOT / 'configs') or not path.is_file():
            return read(filename, *args, **kwargs)
        key = str(filename), _environment()
        if key not in kept:
            kept[key] = read(filename)
        return copy.deepcopy(kept[key])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Config, 'fromfile', staticmethod(fromfile))
        yield


@functools.cache
def _checked(path, environment):
    """Load a config of the project once for each state of the environment variables that configs read."""
    return load_config(path)


def _load(path, work_dir):
    if not Path(path).is_relative_to(ROOT / 'configs'):
        return load_config(str(path), work_dir=work_dir)
    cfg = copy.deepcopy(_checked(str(path), _environment()))
    cfg.work_dir = work_dir
    return cfg


@pytest.fixture(autouse=True)
def _same_every_time():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(False)
    torch.backends.cudnn.deterministic = False
    torch.backends.cudnn.allow_tf32 = False  # tests compare numbers: rounding to ten bits would hide faults
    chosen = device_utils.get_device()
    yield
    use_device(chosen)  # a command in the test may have chosen another


@pytest.fixture
def on_cpu():
    """A Runner takes the CPU in this test: it compares with children on the CPU, or bit for bit without a switch."""
    use_device('cpu')


@pytest.fixture
def device():
    """The device that a Runner takes: the GPU if there is one, or what ``--device`` names."""
    return torch.device(device_utils.get_device())


@pytest.fixture(scope='session')
def synthetic_root(tmp_path_factory):
    """Folder of a synthetic data set of 32x48 pixels: two sequences of six frames in each split."""
    root = tmp_path_factory.mktemp('data') / 'synthetic'
    write_davis_layout(str(root), scene=SceneParams(**SCENE), num_sequences=NUM_SEQUENCES)
    return str(root)


@pytest.fixture
def sequence(synthetic_root):
    """The first sequence of the test split."""
    return VOSDataset(synthetic_root, 'test', resolution='32p', test_mode=True)[0]['sequence']


@pytest.fixture
def make_sequence():
    """A bright square on a dark ground that moves two pixels to the right a frame; ``size`` is (H, W)."""
    def make(num_frames=4, size=(32, 48)):
        frames, masks = [], []
        for t in range(num_frames):
            mask = np.zeros(size, np.uint8)
            mask[10:22, 8 + 2 * t:22 + 2 * t] = 1
            frames.append((40 + 160 * mask[..., None] * np.array([1, 0.5, 0.2])).astype(np.uint8))
            masks.append(mask)
        return MemorySequence(frames, masks)
    return make


@pytest.fixture
def give():
    """A sequence of :func:`make_sequence` with masks given, as a video has them."""
    def give(sequence, frame_ids=(0, 1), object_id=1):
        return MemoryGiven(sequence, frame_ids, object_id)
    return give


@pytest.fixture
def model_cfg():
    """The model of the configs, one sixteenth wide, without motion."""
    cfg = Config.fromfile(ROOT / 'configs/_base_/models/tempseg_gan.py').model.to_dict()
    cfg['width'] = WIDTH
    cfg['data_preprocessor']['flow'] = dict(type='ZeroFlow')
    return cfg


@pytest.fixture
def make_model(model_cfg):
    """Builds it; keyword arguments replace or, where both are dicts, are merged into those of the config."""
    def make(**changes):
        cfg = copy.deepcopy(model_cfg)
        for key, value in changes.items():
            both = isinstance(value, dict) and isinstance(cfg.get(key), dict) and key != 'losses'
            cfg[key] = {**cfg[key], **value} if both else value
        return MODELS.build(cfg)
    return make


@pytest.fixture
def clip_batch():
    """Two clips of three frames, 32x48: a square that moves one pixel to the right a frame, on noise."""
    gt_masks = torch.zeros(2, 3, 1, 32, 48)
    for t in range(3):
        gt_masks[:, t, :, 8:20, 10 + t:24 + t] = 1
    flow = torch.zeros(2, 2, 2, 32, 48)
    flow[:, :, 0] = 1
    frames = torch.randn(2, 3, 3, 32, 48) + 2 * gt_masks
    return ClipBatch(frames, gt_masks, gt_masks.clone(), flow, ('square_0', 'square_1'))


@pytest.fixture
def tiny_config(synthetic_root, tmp_path, monkeypatch):
    """``configs/tempseg_synthetic.py``, or another config whose data have the layout of DAVIS, on the tiny data set:
    three iterations, one step of fine-tuning, no workers."""
    # Seconds a run, to log what compiler there is and to lay out a config that nobody reads.
    monkeypatch.setattr('mmengine.runner.runner.collect_env', dict)
    monkeypatch.setattr(Config, 'pretty_text', property(lambda cfg: ''.join(
        f'{name} = {value!r}\n' for name, value in cfg.to_dict().items())))

    def config(path=ROOT / 'configs/tempseg_synthetic.py', **options):
        cfg = _load(path, str(tmp_path / 'work'))
        places = dict(
            SyntheticVOSDataset=dict(data_root=synthetic_root, scene=SCENE, num_sequences=NUM_SEQUENCES),
            DAVISDataset=dict(data_root=synthetic_root, resolution='32p'))
        for loader, split in ((cfg.train_dataloader, 'train'), (cfg.test_dataloader, 'test')):
            loader.update(num_workers=0)
            loader.dataset.size = None
            if loader.dataset.type in places:
                loader.dataset.update(places[loader.dataset.type], split=split)
        _shrink_windows(cfg._cfg_dict)
        cfg.default_hooks.finetune.finetuner.steps = 1
        cfg.merge_from_dict({
            'experiment_name': f'tiny-{uuid.uuid4().hex}', 'model.width': WIDTH,  # logs of one name are one log
            'train_dataloader.batch_size': 2, 'train_dataloader.dataset.clip_sampler.clip_length': 3,
            'train_cfg.max_iters': 3, 'param_scheduler.generator.0.end': 3,
            'visualizer.vis_backends': [dict(type='LocalVisBackend')], 'default_hooks.logger.interval': 1,
            'log_level': 'WARNING'})
        for name in ('pictures', 'overlays', 'report'):
            cfg.default_hooks.pop(name)
        cfg.merge_from_dict(options)
        settle_hooks(cfg)
        return cfg
    return config


def _shrink_windows(node):
    """Set the size of every ``ObjectWindow`` of a config to that of the tiny data set."""
    if isinstance(node, dict):
        if node.get('type') == 'ObjectWindow':
            node['size'] = (SCENE['height'], SCENE['width'])
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            _shrink_windows(child)


@pytest.fixture
def make_runner(tiny_config):
    """A Runner of :func:`tiny_config`; options as in ``--cfg-options``."""
    def make(**options):
        return Runner.from_cfg(tiny_config(**options))
    return make


@pytest.fixture(scope='session', autouse=True)
def signals_as_in_a_terminal():
    """In the background of a shell, or under nohup, Ctrl-C or SIGHUP are ignored, and would be in what is tested."""
    usual = dict(SIGINT=signal.default_int_handler, SIGHUP=signal.SIG_DFL)
    ignored = [(number, handler) for name, handler in usual.items()
               if (number := getattr(signal, name, None)) and signal.getsignal(number) == signal.SIG_IGN]
    for number, handler in ignored:
        signal.signal(number, handler)
    yield
    for number, _ in ignored:
        signal.signal(number, signal.SIG_IGN)


def _command(child):
    try:
        return child.cmdline()
    except psutil.Error:  # it ends just now
        return []


@pytest.fixture
def own_processes():
    """Lists the workers that live and were started in this test, as psutil.Process; runners of other tests may keep
    some."""
    def workers():
        pids = {child.pid for child in multiprocessing.active_children()}
        return {child for child in psutil.Process().children() if child.pid in pids or WORKER in _command(child)}
    before = workers()
    return lambda: list(workers() - before)


@pytest.fixture(scope='session')
def davis_root():
    """Folder of the real DAVIS 2016, as environment variable TEMPSEG_DAVIS_ROOT names it."""
    root = os.environ.get('TEMPSEG_DAVIS_ROOT', '')
    if not os.path.isdir(root):
        pytest.skip('set TEMPSEG_DAVIS_ROOT to the folder of DAVIS 2016')
    return root
