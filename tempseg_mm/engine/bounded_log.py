"""Keeps the log's memory as long as what is averaged over it, so that neither time nor checkpoints grow with it.

Used by ``AtomicCheckpointHook``.
"""

from collections.abc import Mapping

from mmengine.logging import HistoryBuffer
from mmengine.runner import LogProcessor


class BoundedLog:
    """Keeps of every scalar of the log what the largest window of the ``log_processor`` needs.

    mmengine keeps a million values of each, copies all of them for every new one, and writes them into every
    checkpoint. The curves are in the files of the visualizer. Where the config asks for a window over the whole run
    (``window_size='global'``), the scalar it names is kept whole.

    Args:
        processor: of the Runner.
    """

    def __init__(self, processor: LogProcessor) -> None:
        wanted = [(cfg['data_src'], cfg.get('window_size', 1)) for cfg in processor.custom_cfg]
        self.window = max([processor.window_size, *(size for _, size in wanted if isinstance(size, int))])
        self.whole = {f'train/{name}'.replace('train/train/', 'train/') for name, size in wanted
                      if not isinstance(size, int)}

    def shorten(self, log_scalars: Mapping[str, HistoryBuffer]) -> None:
        """Have the scalars that there are keep no more than that from their next value on."""
        for name, buffer in log_scalars.items():
            if name not in self.whole:
                buffer.max_length = self.window
