"""The config of a call that names none. Called by ``VOSInferencer`` and by the doctor."""

import os

from mmengine.config import Config

from tempseg_mm.runtime.project_files import find_file

from .loading import find_config, weights_to_start_from

DEFAULT_CONFIG = 'configs/segment_video.py'  # its `checkpoint` names the weights that come with the project
SCRATCH_CONFIG = 'configs/segment_video_scratch.py'


def default_config(checkpoint: str | None = None, options: dict | None = None) -> Config:
    """The one that suits the weights.

    Random numbers take more steps of fine-tuning than trained weights, of cross-entropy alone, so there is a config for
    each. Without weights it is the latter, if there is one: for ``checkpoint='none'``, and
    where the file is missing that the former names.

    Args:
        checkpoint: as for :func:`~.loading.load_segmenter`.
        options: settings to override, by dotted name.

    Raises:
        FileNotFoundError: if there is no such config, or no such checkpoint.
    """
    cfg = find_config(DEFAULT_CONFIG, options)
    if weights_to_start_from(cfg, checkpoint) is None and os.path.isfile(find_file(SCRATCH_CONFIG)):
        return find_config(SCRATCH_CONFIG, options)
    return cfg
