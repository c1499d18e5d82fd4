"""Each data set in the tree that it is released in: loads, is checked, trains two iterations, is tested and scored."""

import zipfile
from functools import partial
from pathlib import Path

import pytest
import released_trees as trees
from mmengine.runner import Runner

from tempseg_mm.apis.testing import hand_in
from tempseg_mm.datasets.check import check_sequences, find_sequences, unloaded

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
LATE = {1: (1,), 2: (1,), 3: (1, 2), 4: (1, 2)}
RELEASES = {  # name -> tree, config, changes of its test data, (objects, frames) with scores by sequence
    'davis2017': (trees.davis2017, 'davis2017', {}, dict(cow=(['1', '2'], [1, 2, 3]))),
    'youtube-vos': (partial(trees.youtube_vos, valid=LATE), 'youtube_vos', {}, dict(b1=(['1', '2'], [1, 2, 3]))),
    'youtube-vos-released': (trees.youtube_vos, 'youtube_vos', dict(all_frames=True), {}),
    'mose': (trees.mose, 'mose', dict(split='train', sequences=['a2']), dict(a2=(['1', '2'], [1, 2, 3]))),
    'segtrack-v2': (trees.segtrack, 'segtrack_v2', {}, dict.fromkeys(('bmx-1', 'bmx-2', 'girl'), ([], [1, 2, 3]))),
    'youtube-objects': (trees.youtube_objects, 'youtube_objects', {}, {'cow-0003-001': ([], [2, 4])}),
    'youtube-objects-repacked': (
        trees.youtube_objects_repacked, 'youtube_objects', {}, dict(cow_001=([], [2, 4]))),
}


HANDED_IN = {  # what the server takes: of 30 frames a second 6, from the first mask on
    'davis2017': [f'cow/{t:05d}.png' for t in range(trees.LENGTH)],
    'youtube-vos-released': [f'Annotations/b1/{5 * t:05d}.png' for t in range(1, trees.LENGTH)]}


def windows(part):
    """Every ``ObjectWindow`` of a config."""
    if isinstance(part, dict) and part.get('type') == 'ObjectWindow':
        yield part
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from windows(value)


@pytest.mark.parametrize('name', RELEASES)
def test_a_release(name, tiny_config, tmp_path):
    draw, config, changes, scored = RELEASES[name]
    root, path = str(draw(tmp_path / 'data')), CONFIGS / f'tempseg_{config}.py'
    cfg = tiny_config(path, **{
        'train_cfg.max_iters': 2, 'param_scheduler.generator.0.end': 2, 'model.generator.backbone.init_cfg': None,
        'default_hooks.finetune.finetuner': dict(mode='eval', clips_per_step=1, only=['decoder'])})
    for part in windows(cfg):
        part.size = trees.SIZE
    data = cfg.test_dataloader.dataset
    data.update(changes, data_root=root)
    checked = unloaded(data.to_dict())
    names, findings = find_sequences(checked)
    reports = list(check_sequences(checked, names))
    assert [fault for report in reports for fault in report.findings] == []
    assert [fault for fault in findings if fault.level == 'error'] == [] and names
    assert cfg.test_cfg.num_given_frames == 1  # one mask an object, whatever the benchmark

    if name in ('davis2017', 'youtube-vos', 'mose'):  # those of the paper train on DAVIS 2016 or not at all
        cfg.train_dataloader.dataset.update(data_root=root, split='train')
        cfg.train_dataloader.dataset.clip_sampler.clip_length = 2
        runner = Runner.from_cfg(cfg)
        runner.train()
        assert runner.iter == 2
    cfg.experiment_name += '-test'
    hand_in(cfg, ['zip'])
    runner = Runner.from_cfg(cfg)
    runner.test()
    if name in HANDED_IN:
        with zipfile.ZipFile(Path(runner.test_loop.out_dir, 'submission.zip')) as archive:
            assert sorted(archive.namelist()) == HANDED_IN[name]
    table = runner.test_loop.evaluator.metrics[0].scores
    assert {sequence: (table.objects(sequence), scores['J']['frames'])
            for sequence, scores in table.sequences.items()} == scored
    assert all(0 <= scores['J']['mean'] <= 1 for scores in table.sequences.values())
    assert [*table.group_means] == (['J_seen', 'F_seen', 'J_unseen', 'F_unseen', 'G'] if name == 'youtube-vos' else [])
