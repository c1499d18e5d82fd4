"""TempSeg-GAN: the mathematics of both half-steps and of prediction, without optimiser, schedule or loop."""

import dataclasses
import logging
from collections.abc import Callable, Collection
from functools import partial

import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel, is_model_wrapper
from torch import Tensor, nn

from tempseg_mm.models.adversary import frozen
from tempseg_mm.models.compute import Compute
from tempseg_mm.models.losses.adversarial import discriminator_adversarial_loss
from tempseg_mm.ops.warp import references_from
from tempseg_mm.registry import MODELS, TASK_UTILS
from tempseg_mm.structures import ClipBatch, ClipPrediction
from tempseg_mm.structures.clip_batch import without_void

Predict = Callable[[Tensor, Tensor], Tensor]


@MODELS.register_module()
class TempSegGAN(BaseModel):
    """Generator, adversary, and the terms of the combined loss (eq. 10).

    The optimisers find the sub-modules by their names ``generator`` and ``adversary``.

    Args:
        generator: config of the generator.
        losses: name -> config of a generator loss. The ``loss_weight`` of each is its α. ``None`` instead of a config
            leaves the term out, which makes an ablation one line.
        adversary: config, or ``None`` to train without an adversary. Losses that need one are then left out, with a
            warning.
        data_preprocessor: config; default: ``VOSDataPreprocessor``.
        width: default width multiplier of generator and adversary.
        reach: largest distance from the reference mask at which an object is predicted, in object sizes, see
            :func:`within_reach`. Beyond it the probability is 0, which keeps out similar objects. ``None``: no limit.
            It acts at test time only, and is not in the paper.
        window: config of an ``ObjectWindow``. At test time the network then sees windows that follow the object, so
            training must show it the same windows (``ClipObjectWindow``). ``None``: whole frames, as in the paper.
        compute: settings of a :class:`~tempseg_mm.models.compute.Compute`: precision, memory layout, CUDA graphs.

    Attributes:
        loss_names: names of all losses in the config, including those that are left out.
        own_reference_prob: share of the training clips that get the generator's own masks as reference masks; see
            ``OwnReferenceHook``.

    Raises:
        ValueError: if ``reach`` is negative.
    """

    def __init__(self, generator: dict, losses: dict, *, adversary: dict | None = None,
                 data_preprocessor: dict | None = None, width: float = 1.0, reach: float | None = None,
                 window: dict | None = None, compute: dict | None = None, init_cfg=None) -> None:
        # Built here and not by mmengine, which would not find it without a default scope.
        super().__init__(MODELS.build(data_preprocessor or dict(type='VOSDataPreprocessor')), init_cfg)
        self.compute = Compute.of(compute)
        self.generator = self.compute.laid_out(MODELS.build({'width': width, **generator}))
        self.uses_reference = self.generator.uses_reference  # whether frames need reference masks
        self.adversary = None if adversary is None else MODELS.build({'width': width, **adversary})
        self.loss_names = tuple(losses)
        self.losses = nn.ModuleDict({name: MODELS.build(loss) for name, loss in losses.items() if loss is not None})
        if self.adversary is None:
            self._drop_what_needs_an_adversary()
        self.data_preprocessor.needs_flow = self.uses_reference or any(
            loss.needs_flow for loss in self.losses.values())
        if reach is not None and not reach >= 0:
            raise ValueError(f'reach must be a distance in object sizes, at least 0, or None; got {reach!r}')
        self.reach = reach
        self.window = None if window is None else TASK_UTILS.build(window)
        self.own_reference_prob = 0.0

    def _drop_what_needs_an_adversary(self) -> None:
        needing = [name for name, loss in self.losses.items() if loss.needs_adversary]
        for name in needing:
            del self.losses[name]
        if needing:
            silence = ', '.join(f'{name}=None' for name in needing)
            print_log(f'adversary=None, so the losses that need an adversary are left out: {", ".join(needing)}. To '
                      f'avoid this warning, set losses=dict({silence}).', 'current', logging.WARNING)

    def forward(self, batch: ClipBatch, *, generator: nn.Module | None = None) -> ClipPrediction:
        """Compute Ŷ = G(I) for every frame of every clip separately; ``generator`` replaces G if given."""
        generator = self.generator if generator is None else generator
        n, t = batch.frames.shape[:2]
        with self.compute.autocast(batch.frames.device):
            if self.training and self.own_reference_prob > 0:
                batch = with_own_references(generator, batch, self.own_reference_prob)
            logits = generator(batch.frames.flatten(0, 1), batch.reference_masks.flatten(0, 1))
        return ClipPrediction(logits.unflatten(0, (n, t)))

    def discriminator_losses(self, prediction: ClipPrediction, batch: ClipBatch) -> dict:
        """Compute both terms of eq. 4, BCE(1, D(E(Y))) and BCE(0, D(E(Ŷ))), Ŷ detached, and how often D is right."""
        verdict = self.adversary(
            prediction.masks.detach().flatten(0, 1), batch.gt_masks.flatten(0, 1), judge_real=True)
        real_term, fake_term = discriminator_adversarial_loss(verdict.real, verdict.fake)
        return dict(
            loss_d_real=real_term, loss_d_fake=fake_term,
            d_acc_real=(verdict.real.detach() > 0).float().mean(),
            d_acc_fake=(verdict.fake.detach() <= 0).float().mean())

    def generator_losses(self, prediction: ClipPrediction, batch: ClipBatch, *, leave_out: Collection[str] = ()
                         ) -> dict:
        """Compute the weighted terms of eq. 10, except those in ``leave_out``. The adversary is frozen meanwhile.

        Void pixels are background for every term, in the prediction as in the ground truth, so none learns from them.
        """
        prediction, batch = without_void(prediction, batch)
        losses = {name: loss for name, loss in self.losses.items() if name not in leave_out}
        if any(loss.needs_adversary for loss in losses.values()):
            prediction = self._judged(prediction, batch)
        return {f'loss_{name}': loss(prediction, batch) for name, loss in losses.items()}

    def _judged(self, prediction: ClipPrediction, batch: ClipBatch) -> ClipPrediction:
        n, t = prediction.logits.shape[:2]
        # Without its distributed wrapper, which would wait for gradients of the parameters that are frozen here.
        adversary = self.adversary.module if is_model_wrapper(self.adversary) else self.adversary
        with frozen(adversary):
            verdict = adversary(prediction.masks.flatten(0, 1), batch.gt_masks.flatten(0, 1), judge_real=False)
        return ClipPrediction(prediction.logits, verdict.fake.view(n, t))

    @torch.no_grad()
    def predict(self, frames: Tensor, reference_masks: Tensor, *, generator: nn.Module | None = None,
                averaging: Callable[[Predict, Tensor, Tensor], Tensor] | None = None, shown: float = 1.0) -> Tensor:
        """Predict the probabilities of frames as read from disk.

        Args:
            frames: (B, 3, H, W) RGB 0..255.
            reference_masks: (B, 1, H, W) in [0, 1], already moved to where the object should be in these frames.
            generator: replaces the model's own generator, e.g. one that is adapted to another object.
            averaging: averages over views of the frames, see ``tempseg_mm.inference.tta``; ``None``: no averaging.
            shown: visible share of the object in the reference masks, in (0, 1]. ``reach`` is measured in sizes of the
                whole object.

        Returns:
            (B, 1, H, W) in [0, 1].
        """
        predict = partial(self._predict, self.generator if generator is None else generator, shown)
        return predict(frames, reference_masks) if averaging is None else averaging(predict, frames, reference_masks)

    def _predict(self, generator: nn.Module, shown: float, frames: Tensor, reference_masks: Tensor) -> Tensor:
        masks = torch.sigmoid(generator(self.data_preprocessor.normalize(frames), reference_masks).float())
        return masks if self.reach is None else masks * within_reach(reference_masks, self.reach / shown ** 0.5)


@torch.no_grad()
def with_own_references(generator: nn.Module, batch: ClipBatch, prob: float) -> ClipBatch:
    """Replace the references of some clips by the generator's masks of the previous frames, moved along the flow.

    Paper note: "the network generated segmented masks are again used as reference masks". One pass without gradient and
    without dropout over all frames of the clips concerned, given the references they came with, stands for the walk
    from frame to frame of a test (paper note P16).

    Args:
        generator: turns frames and reference masks into logits; its mode is restored afterwards.
        batch: N clips.
        prob: probability that the references of a clip are replaced.

    Returns:
        The batch with new ``reference_masks``; frame 0 of each clip keeps its own.
    """
    chosen = torch.nonzero(torch.rand(len(batch.frames)) < prob).flatten()  # drawn on the CPU: no device sync
    if len(chosen) == 0:
        return batch
    chosen = chosen.to(batch.frames.device, non_blocking=True)
    frames, given, flow = (part[chosen] for part in (batch.frames, batch.reference_masks, batch.flow))
    references = batch.reference_masks.clone()
    references[chosen] = references_from(_masks(generator, frames, given), given[:, :1], flow)
    return dataclasses.replace(batch, reference_masks=references)


def _masks(generator: nn.Module, frames: Tensor, references: Tensor) -> Tensor:
    was_training = generator.training
    generator.eval()
    try:
        logits = generator(frames.flatten(0, 1), references.flatten(0, 1))
    finally:
        generator.train(was_training)
    return torch.sigmoid(logits.float()).unflatten(0, frames.shape[:2])


def within_reach(masks: Tensor, reach: float) -> Tensor:
    """Mark the pixels at most ``reach`` object sizes away from the object, along rows and along columns.

    The size of an object is the square root of its area. An empty mask says nothing about the place of the object, so
    all pixels are marked.

    Args:
        masks: (B, 1, H, W) in [0, 1]; the object is where they exceed 0.5.
        reach: at least 0, in object sizes.

    Returns:
        (B, 1, H, W) bool.

    Example:
        >>> within_reach(torch.tensor([[[[1., 0., 0., 0., 1., 1., 0., 0.]]]]), 0.5)  # √3 / 2: 1 pixel
        tensor([[[[ True,  True, False,  True,  True,  True,  True, False]]]])
    """
    objects = masks > 0.5
    areas = objects.sum((1, 2, 3), keepdim=True)
    exact = torch.float32 if masks.device.type == 'mps' else torch.float64  # MPS has no float64
    radii = (reach * areas.to(exact).sqrt()).round().long()
    return _near(_near(objects, radii, -1), radii, -2) | (areas == 0)


def _near(marked: Tensor, radii: Tensor, dim: int) -> Tensor:
    """Mark each pixel with a marked one at most a radius away along one dimension.

    The radii stay on the device, and their size costs no time: marked pixels are counted by differences of sums.
    """
    length = marked.shape[dim]
    sums = torch.cat([torch.zeros_like(marked.narrow(dim, 0, 1), dtype=torch.int32),
                      marked.cumsum(dim, dtype=torch.int32)], dim)
    at = torch.arange(length, device=marked.device).view(-1, *[1] * (-1 - dim))
    end, begin = (at + radii + 1).clamp(max=length), (at - radii).clamp(min=0)
    return sums.gather(dim, end.expand_as(marked)) > sums.gather(dim, begin.expand_as(marked))
