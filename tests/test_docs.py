"""What the pages promise: the worked examples of docs/adding_a_component.md run, and documented options exist."""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.runner import Runner

import tempseg_mm
from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.apis.inferencer.loading import load_segmenter
from tempseg_mm.models.backbones.features import Features
from tempseg_mm.registry import DATASETS, HOOKS, MODELS, TASK_UTILS
from tempseg_mm.structures import ClipBatch, ClipPrediction, SegmentedFrame

ROOT = Path(__file__).resolve().parents[1]


def page(name: str) -> str:
    return (ROOT / 'docs' / name).read_text(encoding='utf-8')


OWN = dict(DiceLoss=MODELS, SmallBackbone=MODELS, SideBySideDataset=DATASETS, LargestPartHook=HOOKS,
           CameraShiftFlow=TASK_UTILS)  # what the examples register


@pytest.fixture
def example(tmp_path, monkeypatch) -> Path:
    """Folder with the files of the worked examples as the page has them; importable, and forgotten afterwards."""
    blocks = re.findall(r'<!-- file: (\S+) -->\n```python\n(.*?)```', page('adding_a_component.md'), re.DOTALL)
    for name, text in blocks:
        (tmp_path / name).write_text(text.replace("_base_ = './", f"_base_ = '{ROOT}/configs/"), encoding='utf-8')
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name, _ in blocks:
        sys.modules.pop(Path(name).stem, None)
    for name, registry in OWN.items():
        registry.module_dict.pop(name, None)


def trained(cfg) -> Runner:
    """The Runner after one iteration."""
    cfg.merge_from_dict({'train_cfg.max_iters': 1, 'param_scheduler.generator.0.end': 1})
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.iter == 1
    return runner


def test_every_example_of_the_page_is_run(example):
    registered = re.findall(r'register_module\(\)\nclass (\w+)', page('adding_a_component.md'))
    assert sorted(registered) == sorted(OWN)


def test_example_of_a_loss(example, tiny_config):
    runner = trained(tiny_config(example / 'tempseg_dice.py'))
    loss = runner.model.losses['l1']
    assert type(loss).__name__ == 'DiceLoss' and loss.loss_weight == 0.25
    assert 0 < runner.train_loop.steps.iteration.terms['loss_l1'] <= 0.25

    # One clip of two frames, 1x2 pixels. Frame 0: 2 * 0.5 / (0.5 + 0.5 + 1) = 1/2. Frame 1: both empty, no loss.
    masks = torch.tensor([[0.5, 0.5], [0., 0.]]).view(1, 2, 1, 1, 2)
    gt_masks = torch.tensor([[1., 0.], [0., 0.]]).view(1, 2, 1, 1, 2)
    batch = ClipBatch(frames=torch.zeros(1, 2, 3, 1, 2), gt_masks=gt_masks, reference_masks=gt_masks,
                      flow=torch.zeros(1, 1, 2, 1, 2))
    value = loss(ClipPrediction(torch.logit(masks)), batch)
    torch.testing.assert_close(value, torch.tensor(0.25 * (0.5 + 0) / 2))


def test_components_from_outside_are_unknown_without_their_import():
    with pytest.raises(KeyError, match='custom_imports'):
        MODELS.build(dict(type='DiceLoss', loss_weight=0.25))


def test_example_of_a_backbone(example, tiny_config):
    runner = trained(tiny_config(example / 'tempseg_small_backbone.py', **{'model.width': 0.25}))
    backbone = runner.model.generator.backbone
    features = backbone(torch.zeros(1, 4, 64, 112))
    assert backbone.skip_channels == (8, 16) == tuple(skip.shape[1] for skip in features.skips)
    sizes = [tuple(maps.shape[2:]) for maps in (*features.skips, features.bottom)]
    assert sizes == [(64, 112), (32, 56), (16, 28)]  # the table of the page
    assert features.bottom.shape[1] == backbone.bottom_channels == 32
    assert runner.model.predict(torch.zeros(1, 3, 33, 47), torch.zeros(1, 1, 33, 47)).shape == (1, 1, 33, 47)


def test_skips_in_the_wrong_order_raise_no_error_but_cost_resolution():
    features = Features(torch.zeros(1, 4, 4, 4), (torch.zeros(1, 3, 8, 8), torch.zeros(1, 2, 16, 16)))
    decoder = MODELS.build(dict(type='UpsampleDecoder', bottom_channels=4, skip_channels=(3, 2)))
    assert decoder(features).shape[2:] == (8, 8)  # as the page warns


def test_example_of_a_data_set(example, tiny_config, synthetic_root):
    for split, name in (('train', 'mine'), ('test', 'mine_test')):
        for kind, prefix in (('JPEGImages', 'frame_'), ('Annotations', 'mask_')):
            for path in Path(synthetic_root, kind).glob(f'*/{split}_*/*'):
                target = example / name / path.parent.name / f'{prefix}{path.name}'
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    runner = trained(tiny_config(example / 'tempseg_side_by_side.py', **{
        'train_dataloader.dataset.data_root': str(example / 'mine'),
        'test_dataloader.dataset.data_root': str(example / 'mine_test'),
        'test_dataloader.dataset.sequences': ['test_000']}))
    assert 0 <= runner.test()['J_mean'] <= 1


def test_example_of_a_hook_that_refines_masks(example):
    loaded = load_segmenter(load_config(str(example / 'largest_part_video.py')), 'none', 'cpu', steps=0)
    *_, hook = loaded.segmenter.refiners  # after the CRF of the config
    probabilities = np.zeros((1, 3, 9), np.float32)
    probabilities[0, 1, 1:3], probabilities[0, 1, 5:8], probabilities[0, 0, 0] = 0.9, 0.8, 0.3
    frame, = hook.refine_masks(loaded.segmenter, [SegmentedFrame(
        'a', 1, '1', np.zeros((3, 9, 3), np.uint8), probabilities=probabilities.copy())])
    probabilities[0, 1, 1:3] = 0
    np.testing.assert_array_equal(frame.probabilities, probabilities)


def test_example_of_a_flow_provider(example, tiny_config):
    runner = trained(tiny_config(example / 'tempseg_camera_shift.py', **{
        'train_dataloader.dataset.pipeline.0.with_flow': False}))
    provider = runner.model.data_preprocessor.flow
    assert provider.signature == 'CameraShiftFlow()'
    frame = 255 * torch.rand(1, 3, 32, 48)
    flow = provider(frame, frame.roll((1, 3), (2, 3)))  # down by 1, to the right by 3
    torch.testing.assert_close(flow[0, :, 16, 24], torch.tensor([3., 1.]), atol=0.1, rtol=0)


def test_the_version_is_the_same_everywhere():
    """Held for a release: package, citation, newest entry of the changelog."""
    citation = re.search(r'^version: (\S+)$', (ROOT / 'CITATION.cff').read_text(encoding='utf-8'), re.MULTILINE)
    changelog = re.search(r'^## (\S+)', (ROOT / 'CHANGELOG.md').read_text(encoding='utf-8'), re.MULTILINE)
    assert citation.group(1) == changelog.group(1) == tempseg_mm.__version__


COMMANDS = sorted(path.stem for path in (ROOT / 'tempseg_mm/commands').glob('*.py')
                  if 'def main' in path.read_text(encoding='utf-8'))
EVERYWHERE = {'--debug', '--help', '--local-rank', '--local_rank'}


@pytest.mark.parametrize('command', COMMANDS)
def test_documented_options_exist(command):
    row = re.search(rf'^\| `tempseg-{command.replace("_", "-")}\b.*$', page('getting_started.md'), re.MULTILINE).group()
    parser = import_module(f'tempseg_mm.commands.{command}').make_parser()
    options = {name for action in parser._actions for name in action.option_strings if name.startswith('--')}
    assert set(re.findall(r'(?<!-)--[a-z][a-z-]+', row)) == options - EVERYWHERE


@pytest.mark.parametrize('heading, function', [
    ('VOSInferencer(...)', VOSInferencer.__init__), ('inferencer(video, masks, ...)', VOSInferencer.__call__)])
def test_the_tables_of_the_api_name_its_arguments(heading, function):
    table = re.search(rf'^\| `{re.escape(heading)}` \|.*?\n\n', page('segmenting_videos.md'), re.DOTALL | re.MULTILINE)
    rows = re.findall(r'^\| (`.+?) \|', table.group(), re.MULTILINE)[1:]
    named = [name for row in rows for name in re.findall(r'`(\w+)`', row)]
    assert sorted(named) == sorted(set(inspect.signature(function).parameters) - {'self'})
