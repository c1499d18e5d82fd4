"""A generator for each object of the given frames, adapted now or by the call that was interrupted."""

import copy
from collections.abc import Callable

import torch

from tempseg_mm.inference.object_finetuning import AdaptedGenerator, GivenObject, adapt_to_object

from .inputs import Inputs
from .loading import Segmenter
from .run_state import RunState

OnProgress = Callable[[str, int, int | None], None]
STAGE = 'fine-tuning'


def adapt_to_all(segmenter: Segmenter, inputs: Inputs, *, seed: int = 0, state: RunState | None = None,
                 on_progress: OnProgress = lambda stage, done, total: None) -> dict[int, AdaptedGenerator]:
    """Fine-tune on each object on its own: K objects take K times as long.

    Args:
        segmenter: with the network to start from, which is left as it is.
        inputs: the given frames.
        seed: of all random draws.
        state: keeps what is done, and knows what was.
        on_progress: told ``'fine-tuning'``, steps done and steps in all.

    Returns:
        Object id -> its generator.

    Raises:
        FloatingPointError: if a loss is not finite.
    """
    steps, adapted = segmenter.finetuner.steps, {}
    total = steps * len(inputs.object_ids)
    for k, object_id in enumerate(inputs.object_ids):
        found = state and state.kept_generator(object_id, lambda: copy.deepcopy(segmenter.model.generator))
        if not found:
            given = GivenObject(inputs.source.name, object_id, inputs.images, inputs.labels)
            found = adapt_to_object(segmenter.model, segmenter.finetuner, given, size=segmenter.size, seed=seed,
                                    on_step=lambda step, done=k * steps: on_progress(STAGE, done + step, total))
            if state:
                state.keep_generator(object_id, found)
        adapted[object_id] = found
    for found in adapted.values():
        # A CPU predicts a quarter faster in this layout; fine-tuned in it the small networks would be slower.
        if next(found.generator.parameters()).device.type == 'cpu':
            found.generator.to(memory_format=torch.channels_last)
    return adapted
