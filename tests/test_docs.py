"""What the pages promise: the worked examples of docs/adding_a_component.md run, and documented options exist."""

import inspect
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from tempseg_mm.apis.config import load_config
from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.apis.inferencer.loading import load_segmenter
from tempseg_mm.registry import HOOKS, MODELS
from tempseg_mm.structures import ClipBatch, ClipPrediction, SegmentedFrame

ROOT = Path(__file__).resolve().parents[1]


def page(name: str) -> str:
    return (ROOT / 'docs' / name).read_text(encoding='utf-8')


@pytest.fixture
def example(tmp_path, monkeypatch) -> Path:
    """The files of the worked example, written as the page has them; importable, and forgotten afterwards."""
    blocks = re.findall(r'<!-- file: (\S+) -->\n```python\n(.*?)```', page('adding_a_component.md'), re.DOTALL)
    for name, text in blocks:
        (tmp_path / name).write_text(text.replace("_base_ = './", f"_base_ = '{ROOT}/configs/"), encoding='utf-8')
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for module in ('dice_loss', 'largest_part'):
        sys.modules.pop(module, None)
    MODELS.module_dict.pop('DiceLoss', None)
    HOOKS.module_dict.pop('LargestPartHook', None)


def test_component_from_outside_takes_the_place_of_a_loss(example):
    config = Config.fromfile(example / 'tempseg_dice.py')
    assert config.model.losses.l1 == dict(type='DiceLoss', loss_weight=0.25)
    loss = MODELS.build(config.model.losses.l1)

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


def test_hook_from_outside_refines_masks_of_a_video(example):
    loaded = load_segmenter(load_config(str(example / 'largest_part_video.py')), 'none', 'cpu', steps=0)
    hook, = loaded.segmenter.refiners
    probabilities = np.zeros((1, 3, 9), np.float32)
    probabilities[0, 1, 1:3], probabilities[0, 1, 5:8], probabilities[0, 0, 0] = 0.9, 0.8, 0.3
    frame, = hook.refine_masks(loaded.segmenter, [SegmentedFrame(
        'a', 1, '1', np.zeros((3, 9, 3), np.uint8), probabilities=probabilities.copy())])
    probabilities[0, 1, 1:3] = 0
    np.testing.assert_array_equal(frame.probabilities, probabilities)


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
