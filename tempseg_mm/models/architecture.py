"""Whether saved weights belong to a model: names and shapes compared. Called before weights are loaded."""

from collections.abc import Mapping


def require_same_architecture(saved: Mapping, wanted: Mapping) -> None:
    """Compare names and shapes of two state dicts.

    Raises:
        ValueError: listing the first keys that are missing, unknown or of another shape.
    """
    faults = [f'missing {key} {tuple(wanted[key].shape)}' for key in wanted if key not in saved]
    faults += [f'unknown {key} {tuple(saved[key].shape)}' for key in saved if key not in wanted]
    faults += [f'{key} is {tuple(saved[key].shape)}, the model has {tuple(wanted[key].shape)}'
               for key in wanted if key in saved and saved[key].shape != wanted[key].shape]
    if faults:
        more = f' ... and {len(faults) - 5} more' if len(faults) > 5 else ''
        raise ValueError('the checkpoint is of another architecture than the config: ' + '; '.join(faults[:5]) + more
                         + '. Use the config (width, reference_mask, backbone, decoder) that it was trained with.')
