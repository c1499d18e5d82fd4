"""Top-k accuracy of image classification. Used by mmengine's validation loop in pre-training."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric

from tempseg_mm.registry import METRICS


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """Share of images whose class is among the k highest scores: ``accuracy/top1``, ``accuracy/top5``, in [0, 1].

    Args:
        topk: the values of k. If k is above the number of classes, every image counts as correct.
        collect_device: see mmengine's ``BaseMetric``, also for ``prefix`` and ``collect_dir``.
        prefix: prepended to the names of the scalars.
        collect_dir: folder in which distributed processes exchange their results.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: Sequence[int] = (1, 5), *, collect_device: str = 'cpu', prefix: str | None = None,
                 collect_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.topk = tuple(topk)

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """Count the classes that score above the right one, from ``scores``, (K,), and ``label`` of each image."""
        for sample in data_samples:
            scores, label = sample['scores'], int(sample['label'])
            self.results.append(int(torch.count_nonzero(scores > scores[label])))  # number of classes ranked above it

    def compute_metrics(self, results: list) -> dict:
        """Return the accuracies. ``results`` holds, for each image, the number of classes above the right one."""
        return {f'top{k}': sum(before < k for before in results) / len(results) for k in self.topk}
