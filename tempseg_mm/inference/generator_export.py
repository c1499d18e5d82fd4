"""Exports the generator as TorchScript or ONNX, so that it runs without this project, and checks the file.

Called by ``tempseg_mm.apis.export``. A file appears under its name only after it has been read back and compared with
the model.
"""

import copy
import inspect
import json
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tempseg_mm.datasets.synthetic.draw import SceneParams, draw_scene
from tempseg_mm.runtime.atomic import written_beside

INPUTS, OUTPUT = ('frames', 'reference_masks'), 'probabilities'
OPSET = 17  # version of the ONNX operators: every supported PyTorch writes it
TRACED_SIZE = (2, 37, 51)  # B, H, W
CHECKED_SIZES = ((1, 33, 47), (2, 61, 45), (3, 16, 90), (1, 1, 1))
TOLERANCE = 1e-4
RENDERED_SCENES, FRAMES_OF_SCENE = 2, 4  # see changed_masks
TRIES = 3  # per size, see largest_difference

Run = Callable[[Tensor, Tensor], Tensor]


class BareGenerator(nn.Module):
    """Normalisation, generator and sigmoid of a ``TempSegGAN``, without its other parts, in eval mode.

    Args:
        model: a ``TempSegGAN``; it is copied and does not change.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.generator = copy.deepcopy(model.generator).float().cpu()
        self.register_buffer('mean', model.data_preprocessor.mean.float().cpu())
        self.register_buffer('std', model.data_preprocessor.std.float().cpu())
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor, reference_masks: Tensor | None = None) -> Tensor:
        """Compute probabilities (B, 1, H, W) in [0, 1].

        Args:
            frames: (B, 3, H, W) float, RGB 0..255.
            reference_masks: (B, 1, H, W) in [0, 1]; ``None`` if the generator reads none.
        """
        return torch.sigmoid(self.generator((frames - self.mean) / self.std, reference_masks))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in order."""
        return INPUTS[:1 + self.generator.uses_reference]


def write_torchscript(model: nn.Module, path: str | Path, *, metadata: Mapping[str, str] | None = None) -> float:
    """Write the generator as TorchScript, for any batch size and any frame size; see :class:`BareGenerator`.

    Args:
        model: a ``TempSegGAN``.
        path: the file; its folder is created.
        metadata: texts to store in the file as ``metadata.json``, see ``_extra_files`` of :func:`torch.jit.load`.

    Returns:
        The largest difference between the probabilities of the file and the model, see :func:`largest_difference`.

    Raises:
        ValueError: if a component of the generator cannot be traced, or if file and model differ by more than 1e-4.
    """
    bare = BareGenerator(model)
    with written_beside(path) as beside, _exporting('TorchScript'):
        traced = torch.jit.trace(bare, _example(bare), check_trace=False)  # checked below, on other sizes
        torch.jit.save(traced, str(beside), _extra_files={'metadata.json': json.dumps(dict(metadata or {}))})
        read = torch.jit.load(str(beside))
        return _require_same(lambda *inputs: read(*inputs[:len(bare.inputs)]), bare)


def write_onnx(model: nn.Module, path: str | Path, *, metadata: Mapping[str, str] | None = None) -> float:
    """Write the generator as ONNX; arguments, result and errors are those of :func:`write_torchscript`.

    The inputs are ``frames`` and, if the generator reads them, ``reference_masks``. The output is ``probabilities``.
    Batch size, height and width are dynamic.

    Raises:
        ImportError: without onnx or onnxruntime.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ImportError('writing and checking an ONNX file needs packages that are not installed: '
                          'pip install onnx onnxruntime') from error
    bare = BareGenerator(model)
    axes = {0: 'batch', 2: 'height', 3: 'width'}
    with written_beside(path) as beside, _exporting('ONNX'):
        torch.onnx.export(
            bare, _example(bare), str(beside), input_names=list(bare.inputs), output_names=[OUTPUT],
            opset_version=OPSET, dynamic_axes={name: axes for name in (*bare.inputs, OUTPUT)}, **_by_tracing())
        written = onnx.load(beside)
        onnx.helper.set_model_props(written, dict(metadata or {}))
        onnx.checker.check_model(written)
        onnx.save(written, beside)
        session = onnxruntime.InferenceSession(str(beside), providers=['CPUExecutionProvider'])
        return _require_same(lambda *inputs: torch.from_numpy(session.run(
            None, {name: value.numpy() for name, value in zip(bare.inputs, inputs)})[0]), bare)


def largest_difference(run: Run, expected: Run) -> float:
    """Compare two ways to compute the probabilities, on random frames of several odd sizes and batch sizes.

    Two programs or machines may order two values in a window of max-pooling differently, if they differ only in their
    last bit; the pixels around then differ more. So each size is tried up to three times with other frames, until the
    results agree. The best try counts.

    Args:
        run: function of frames (B, 3, H, W) RGB 0..255 and reference masks (B, 1, H, W) in [0, 1] that returns
            (B, 1, H, W).
        expected: same kind of function.

    Returns:
        The largest absolute difference; infinite if a result is not finite, or if shapes differ.
    """
    draws = torch.Generator().manual_seed(0)
    worst = 0.0
    for batch, height, width in CHECKED_SIZES:
        best = math.inf
        for _ in range(TRIES):
            frames = torch.randint(0, 256, (batch, 3, height, width), generator=draws).float()
            references = torch.rand(batch, 1, height, width, generator=draws).round()
            best = min(_distance(run(frames, references), expected(frames, references)), best)
            if best <= TOLERANCE:
                break
        worst = max(worst, best)
    return worst


def changed_masks(run: Run, expected: Run) -> float | None:
    """Measure how much of the masks differs between two ways to compute the probabilities.

    The frames are rendered and show an object; the reference of each is the mask of the frame before.

    Args:
        run: see :func:`largest_difference`.
        expected: same kind of function.

    Returns:
        Number of pixels that only one of the two shows as object (above 0.5), divided by the number that at least one
        shows; ``None`` if neither shows any.
    """
    changed = shown = 0
    for seed in range(RENDERED_SCENES):
        scene = draw_scene(SceneParams(num_frames=2 * FRAMES_OF_SCENE), np.random.SeedSequence(seed))
        for t in range(1, 2 * FRAMES_OF_SCENE, 2):
            frame = torch.from_numpy(scene.image(t)).permute(2, 0, 1)[None].float()
            reference = torch.from_numpy(scene.mask(t - 1))[None, None].float()
            one, other = (way(frame, reference) > 0.5 for way in (run, expected))
            changed += int((one ^ other).sum())
            shown += int((one | other).sum())
    return changed / shown if shown else None


def _distance(a: Tensor, b: Tensor) -> float:
    distance = (a - b).abs().max().item() if a.shape == b.shape else math.nan
    return math.inf if math.isnan(distance) else distance


def _require_same(run: Run, bare: BareGenerator) -> float:
    difference = largest_difference(run, bare)
    if difference > TOLERANCE:
        raise ValueError(f'the probabilities of the exported file differ from those of the model by {difference:.1e}, '
                         f'but at most {TOLERANCE:.0e} is allowed; no file was left. A component from outside the '
                         'project must derive every size from its input, because it is traced with frames of another '
                         'size')
    return difference


def _example(bare: BareGenerator) -> tuple[Tensor, ...]:
    batch, height, width = TRACED_SIZE
    return (torch.zeros(batch, 3, height, width), torch.zeros(batch, 1, height, width))[:len(bare.inputs)]


def _by_tracing() -> dict:
    """Return the option that makes PyTorch 2.5 or later write ONNX by tracing, as earlier versions do.

    The other way, ``torch.export``, takes tens of times as long and needs onnxscript.
    """
    return {'dynamo': False} if 'dynamo' in inspect.signature(torch.onnx.export).parameters else {}


@contextmanager
def _exporting(kind: str) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # the comparison with the model decides whether a warning of tracing matters
        try:
            yield
        except (OSError, ValueError):
            raise
        except Exception as error:  # the exporter and the runtime raise many types
            reason = textwrap.shorten(str(error), 300, placeholder=' ...')
            raise ValueError(f'this generator cannot be written as {kind}: {reason}. Every backbone and decoder of '
                             'this project can be, so check the components from elsewhere') from error
