"""Each ablation works on each base that docs/paper_tables.md names for it, and dropping a part takes one line."""

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from tempseg_mm.engine.optim.gan_constructor import GANOptimWrapperConstructor
from tempseg_mm.registry import MODELS, TASK_UTILS

ROOT = Path(__file__).resolve().parents[2]
ABLATIONS = sorted(path.stem for path in (ROOT / 'configs/ablations').glob('*.py'))
LINE = re.compile(r'^\| `configs/ablations/(\w+)\.py` \|[^|]*\|([^|]*)\|', re.MULTILINE)
BASES = {name: re.findall(r'`([\w/]+)`', bases)
         for name, bases in LINE.findall((ROOT / 'docs/paper_tables.md').read_text(encoding='utf-8'))}


def test_the_table_of_bases_names_every_ablation_and_only_bases_that_exist():
    assert sorted(BASES) == ABLATIONS
    for bases in BASES.values():
        assert bases and all((ROOT / f'configs/{base}.py').is_file() for base in bases)


@pytest.mark.parametrize('name, base', [(name, base) for name, bases in BASES.items() for base in bases])
def test_builds_on_its_base_and_changes_it(name, base, monkeypatch):
    monkeypatch.setenv('TEMPSEG_BASE', base)
    cfg, plain = (Config.fromfile(ROOT / f'configs/{path}.py') for path in (f'ablations/{name}', base))
    assert cfg.to_dict() != plain.to_dict()
    for part in filter(None, (cfg.model, cfg.model.generator, cfg.model.adversary)):
        part.width = 0.0625
    model, finetuner = MODELS.build(cfg.model).eval(), TASK_UTILS.build(cfg.default_hooks.finetune.finetuner)
    assert model.predict(torch.zeros(1, 3, 32, 48), torch.zeros(1, 1, 32, 48)).shape == (1, 1, 32, 48)
    assert set(finetuner.leave_out) <= set(model.loss_names)
    wrappers = {part: wrapper for part, wrapper in cfg.optim_wrapper.items() if part != 'constructor'}
    assert 'generator' in GANOptimWrapperConstructor(wrappers)(model).keys()


@pytest.mark.parametrize('line, gone', [
    ('model = dict(adversary=None)', {'adv', 'iftl', 'l_iftl'}), ('model = dict(losses=dict(adv=None))', {'adv'}),
    ('model = dict(losses=dict(itsd=None))', {'itsd'})])
def test_one_line_trains_and_tests(line, gone, tiny_config, tmp_path, caplog):
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = '{ROOT}/configs/tempseg_synthetic.py'\n{line}\n")
    cfg = tiny_config(path, **{'train_cfg.max_iters': 2, 'test_dataloader.dataset.sequences': ['test_000']})
    runner = Runner.from_cfg(cfg)
    runner.train()
    parts = {'generator'} if 'adversary' in line else {'generator', 'adversary'}
    assert runner.iter == 2 and set(runner.optim_wrapper.keys()) == set(runner.param_schedulers) == parts
    assert set(runner.model.loss_names) - set(runner.model.losses) == gone
    cfg.experiment_name += '-test'
    assert 0 <= Runner.from_cfg(cfg).test()['J_mean'] <= 1


def test_a_part_of_another_type_that_inherits_arguments_is_explained(tmp_path):
    path = tmp_path / 'mine.py'
    path.write_text(f"_base_ = '{ROOT}/configs/tempseg_davis_mobilenet.py'\n"
                    "model = dict(generator=dict(backbone=dict(type='TempSegBackbone')))\n")
    with pytest.raises(TypeError, match="TempSegBackbone takes no 'output_stride', 'norm_eval'; .*add `_delete_=True`"):
        MODELS.build(Config.fromfile(path).model)
