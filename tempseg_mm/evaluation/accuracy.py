"""Share of images whose class is among the best guesses. Fed by mmengine's validation loop while pre-training."""

from collections.abc import Sequence

import torch
from mmengine.evaluator import BaseMetric

from tempseg_mm.registry import METRICS


@METRICS.register_module()
class TopKAccuracy(BaseMetric):
    """``accuracy/top1``, ``accuracy/top5``: in [0, 1], over all images.

    Args:
        topk: the k of each share; a k above the number of classes counts every image.
        collect_device: see mmengine's ``BaseMetric``, as the two below.
        prefix: prepended to the names of the scalars.
        collect_dir: where distributed processes exchange their results.
    """

    default_prefix = 'accuracy'

    def __init__(self, topk: Sequence[int] = (1, 5), *, collect_device: str = 'cpu', prefix: str | None = None,
                 collect_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.topk = tuple(topk)

    def process(self, data_batch: object, data_samples: Sequence[dict]) -> None:
        """``data_samples``: for each image ``scores`` (K,) and ``label``, a number."""
        for sample in data_samples:
            scores, label = sample['scores'], int(sample['label'])
            self.results.append(int(torch.count_nonzero(scores > scores[label])))  # how many guesses come before it

    def compute_metrics(self, results: list) -> dict:
        """The shares of ``results``, the number of classes that scored above the right one, image by image."""
        return {f'top{k}': sum(before < k for before in results) / len(results) for k in self.topk}
