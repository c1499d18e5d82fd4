import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tempseg_mm.datasets.vos_dataset import VOSDataset
from tempseg_mm.engine.hooks.result_hook import ResultHook


def iou(mask, gt_mask):
    union = np.logical_or(mask, gt_mask).sum()
    return np.logical_and(mask, gt_mask).sum() / union if union else 1.0


def test_masks_and_scores_on_disk(make_runner, synthetic_root, tmp_path):
    out = tmp_path / 'out'
    runner = make_runner(**{'test_dataloader.dataset.size': 40, 'default_hooks.results.out_dir': str(out)})
    metrics = runner.test()

    region = {}  # J once more, from what lies on disk
    dataset = VOSDataset(synthetic_root, 'test', resolution='32p', test_mode=True)
    for item in dataset:
        sequence, values = item['sequence'], []
        folder = out / 'masks' / sequence.name
        assert sorted(path.name for path in folder.iterdir()) == [f'{i:05d}.png' for i in range(6)]
        for i in range(6):
            image = Image.open(folder / f'{i:05d}.png')
            assert image.mode == 'P' and image.getpalette()[:6] == [0, 0, 0, 128, 0, 0]
            mask = np.asarray(image)
            assert mask.shape == (32, 48) and set(np.unique(mask)) <= {0, 1}
            values.append(iou(mask, sequence.mask(i)))
        assert values[0] == 1  # the given mask as it was
        region[sequence.name] = values[1:-1]

    scores = json.loads((out / 'scores.json').read_text())
    assert set(scores['sequences']) == set(region) == {'test_000', 'test_001'}
    for name, values in region.items():
        assert scores['sequences'][name]['J']['per_frame'] == pytest.approx(values)
        assert scores['sequences'][name]['J']['frames'] == [1, 2, 3, 4]
    assert metrics['J_mean'] == pytest.approx(np.mean([np.mean(values) for values in region.values()]))
    assert scores['protocol']['given_frames'] == 2
    assert scores['overall']['J']['mean'] == pytest.approx(metrics['J_mean'])
    rows = {row['sequence']: row for row in csv.DictReader((out / 'scores.csv').open())}
    assert float(rows['overall']['J_mean']) == pytest.approx(metrics['J_mean'], abs=1e-6)
    assert float(rows['test_001']['F_mean']) == pytest.approx(scores['sequences']['test_001']['F']['mean'], abs=1e-6)


def test_default_folder_is_in_the_work_dir(make_runner):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_001'], 'default_hooks.finetune': None})
    runner.test()
    folder = Path(runner.work_dir) / 'test'
    assert sorted(path.name for path in folder.iterdir()) == [
        'masks', 'scores.csv', 'scores.json', 'sequences']


def test_it_knows_whether_all_masks_are_there(make_runner, sequence):
    runner = make_runner(**{'test_dataloader.dataset.sequences': ['test_000'], 'default_hooks.finetune': None})
    hook, = [hook for hook in runner.hooks if isinstance(hook, ResultHook)]
    hook.before_test(runner)
    assert not hook._has_masks(sequence)
    runner.test()
    assert hook._has_masks(sequence)
    (Path(hook.out_dir) / 'masks/test_000/00003.png').unlink()
    assert not hook._has_masks(sequence)
