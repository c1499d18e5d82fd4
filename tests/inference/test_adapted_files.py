import torch
from torch import nn

from tempseg_mm.inference.adapted_files import AdaptedFiles
from tempseg_mm.inference.given_fit import GivenFit
from tempseg_mm.inference.online_finetuner import AdaptedGenerator
from tempseg_mm.models.compute import Compute


def test_generators_are_kept_one_by_one(tmp_path):
    files, layer = AdaptedFiles(tmp_path / 'adapted'), nn.Linear(2, 2)
    files.keep(4, AdaptedGenerator(layer, [0.5, 0.25], 1.5, GivenFit(2, 0.5, 0.75)))
    assert files.kept(1, nn.Linear(2, 2)) is None
    kept = files.kept(4, nn.Linear(2, 2))
    assert torch.equal(kept.generator.weight, layer.weight) and not kept.generator.training
    assert (kept.losses, kept.seconds, kept.fit) == ([0.5, 0.25], 1.5, GivenFit(2, 0.5, 0.75))
    files.forget(1)
    files.forget(4)
    assert files.kept(4, nn.Linear(2, 2)) is None
    files.clear()
    assert not files.folder.exists()


def test_what_another_fine_tuning_can_start_from_is_kept_not_what_predicts(tmp_path):
    files, trained = AdaptedFiles(tmp_path), nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)).eval()
    files.keep(1, AdaptedGenerator(trained).for_prediction(Compute()))
    kept = files.kept(1, nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1)))
    assert kept.generator[1].weight.shape == (1,) and torch.equal(kept.generator[0].weight, trained[0].weight)
