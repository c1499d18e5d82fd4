"""Draws pictures of the training step, in TensorBoard and on disk."""

from mmengine.hooks import Hook

from tempseg_mm.models.losses.itsd import itsd_target
from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class TrainingPictureHook(Hook):
    """Draws the last batch's first clip: frame, ground truth, prediction; reference, flow, warped target if present.

    Args:
        interval: number of iterations between pictures.
        patch_size: patch size of the warped target (ITSDL).
    """

    priority = 'LOW'

    def __init__(self, interval: int = 100, patch_size: int = 4) -> None:
        self.interval = interval
        self.patch_size = patch_size

    def after_train_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        if not (self.every_n_train_iters(runner, self.interval) or self.is_last_train_iter(runner)):
            return
        loop = runner.train_loop
        batch, preprocessor = loop.last_batch, loop.model.data_preprocessor
        moved = {}
        if batch.flow is not None:
            moved.update(reference_masks=_masks(batch.reference_masks))
        if batch.flow is not None and batch.flow.shape[1]:  # a clip of one frame has none
            warped = itsd_target(batch.gt_masks[:1], batch.flow[:1], self.patch_size)
            moved.update(flow=batch.flow[0].permute(0, 2, 3, 1).cpu().numpy(), warped_target=_masks(warped))
        frames = (batch.frames[0] * preprocessor.std + preprocessor.mean).round().clamp(0, 255).byte()
        runner.visualizer.add_clip(
            'train/clip', frames=frames.permute(0, 2, 3, 1).cpu().numpy(), gt_masks=_masks(batch.gt_masks),
            pred_masks=_masks(loop.last_prediction.masks), step=runner.iter + 1, **moved)


def _masks(clips):
    """Return the first clip of (N, T, 1, H, W) as an array (T, H, W)."""
    return clips[0, :, 0].detach().float().cpu().numpy()
