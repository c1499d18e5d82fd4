"""Loading of published weights into the networks of FlowNet 2.0. Called by the flow providers."""

import textwrap
from pathlib import Path

import torch
from torch import Tensor, nn

from tempseg_mm.runtime.weight_files import read_weights

ORIGIN = ('They do not come with this project: https://github.com/NVIDIA/flownet2-pytorch says where they are, for '
          'research purposes only (FlowNet 2.0 as a whole: FlowNet2_checkpoint.pth.tar, 650 MB)')


def require_source(weights: str | None, who: str, *, must_exist: bool = True) -> str:
    """Return ``weights`` after a check that they are named, since a network without weights would answer nonsense.

    Args:
        weights: path or URL.
        who: name of the caller, for the message.
        must_exist: True if a path must already lead to a file.

    Raises:
        ValueError: for ``None`` or an empty string.
        FileNotFoundError: if there is no such file.
    """
    if not weights:
        raise ValueError(f"{who} needs weights: set `weights` to a path or a URL. {ORIGIN}. "
                         "dict(type='DISFlow') needs no weights")
    if must_exist and '://' not in weights and not Path(weights).is_file():
        raise FileNotFoundError(f'{who}: no weights at {weights}. {ORIGIN}')
    return weights


def build_with_weights(network: type[nn.Module], source: str, *, sha256: str | None = None) -> nn.Module:
    """Build a network for inference with weights from a file.

    Args:
        network: class of the network. Its ``prefix`` is how its keys begin in the weights of the whole FlowNet 2.0. If
            the file has such keys, only they are used; otherwise all keys are.
        source: path or URL, see :func:`~tempseg_mm.runtime.weight_files.read_weights`.
        sha256: digest of the file, as there.

    Returns:
        The network in eval mode, float32, on the CPU, its parameters without gradient.

    Raises:
        FileNotFoundError: if there is no such file; the message says where to get it.
        ValueError: if a key is missing, unknown or of another shape, naming the keys; otherwise as ``read_weights``.
    """
    try:
        weights = read_weights(source, sha256=sha256)
    except FileNotFoundError as error:
        raise FileNotFoundError(f'{error}. {ORIGIN}') from error
    weights = {key: value.float() for key, value in _own(weights, network.prefix).items()}
    with torch.device('meta'):  # no memory and no random numbers for parameters that are replaced at once
        built = network()
    _require_fit(weights, built.state_dict(), f'{source} does not fit {network.__name__}')
    built.load_state_dict(weights, assign=True)
    return built.eval().requires_grad_(False)


def _own(weights: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    own = {key.removeprefix(prefix): value for key, value in weights.items() if key.startswith(prefix)}
    return own or weights


def _require_fit(weights: dict[str, Tensor], wanted: dict[str, Tensor], what: str) -> None:
    shared = wanted.keys() & weights.keys()
    faults = dict(missing=wanted.keys() - shared, unknown=weights.keys() - shared,
                  misshapen={key for key in shared if wanted[key].shape != weights[key].shape})
    said = [f'{len(keys)} {kind} ({textwrap.shorten(", ".join(sorted(keys)), 200, placeholder=" ...")})'
            for kind, keys in faults.items() if keys]
    if said:
        raise ValueError(f'{what}: keys {", ".join(said)}. Each network needs its own weights')
