"""Keeps the log's memory as long as what is averaged over it, so that neither time nor checkpoints grow with it."""

from mmengine.hooks import Hook

from tempseg_mm.registry import HOOKS


@HOOKS.register_module()
class BoundedLogHook(Hook):
    """Keeps of every scalar what the largest window of the ``log_processor`` needs.

    mmengine keeps a million values of each, copies all of them for every new one, and writes them into every
    checkpoint. The curves are in the files of the visualizer. Where the config asks for a window over the whole run
    (``window_size='global'``), the scalar it names is kept whole.
    """

    priority = 'VERY_HIGH'

    def before_train(self, runner) -> None:
        wanted = [(cfg['data_src'], cfg.get('window_size', 1)) for cfg in runner.log_processor.custom_cfg]
        self._window = max([runner.log_processor.window_size, *(size for _, size in wanted if isinstance(size, int))])
        self._whole = {f'train/{name}'.replace('train/train/', 'train/') for name, size in wanted
                       if not isinstance(size, int)}

    def before_train_iter(self, runner, batch_idx: int, data_batch=None) -> None:
        for name, buffer in runner.message_hub.log_scalars.items():
            if name not in self._whole:
                buffer.max_length = self._window
