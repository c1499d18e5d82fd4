"""The generator as a file that runs without this project: TorchScript or ONNX, and how close such a file is.

Called by ``tempseg_mm.apis.export``. Nothing appears under the name asked for before the file has been read back and
compared with the model.
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
OPSET = 17  # of ONNX; the highest that PyTorch 2.1 writes
TRACED_SIZE = (2, 37, 51)  # B, H, W
CHECKED_SIZES = ((1, 33, 47), (2, 61, 45), (3, 16, 90), (1, 1, 1))
TOLERANCE = 1e-4
RENDERED_SCENES, FRAMES_OF_SCENE = 2, 4  # see changed_masks
TRIES = 3  # for each size, see largest_difference

Run = Callable[[Tensor, Tensor], Tensor]


class BareGenerator(nn.Module):
    """Normalisation, generator and sigmoid of a ``TempSegGAN``, and nothing else of it; in evaluation mode.

    Args:
        model: a ``TempSegGAN``; it is copied and stays as it is.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.generator = copy.deepcopy(model.generator).float().cpu()
        self.register_buffer('mean', model.data_preprocessor.mean.float().cpu())
        self.register_buffer('std', model.data_preprocessor.std.float().cpu())
        self.eval().requires_grad_(False)

    def forward(self, frames: Tensor, reference_masks: Tensor | None = None) -> Tensor:
        """Probabilities.

        Args:
            frames: (B, 3, H, W) float, RGB 0..255.
            reference_masks: (B, 1, H, W) in [0, 1]; ``None`` for a generator that reads none.

        Returns:
            (B, 1, H, W) in [0, 1].
        """
        return torch.sigmoid(self.generator((frames - self.mean) / self.std, reference_masks))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what it reads, in order."""
        return INPUTS[:1 + self.generator.uses_reference]


def write_torchscript(model: nn.Module, path: str | Path, *, metadata: Mapping[str, str] | None = None) -> float:
    """Write the generator as TorchScript, for any batch size and any frame size; see :class:`BareGenerator`.

    Args:
        model: a ``TempSegGAN``.
        path: the file; its folder is made.
        metadata: kept in the file as ``metadata.json``, see ``_extra_files`` of :func:`torch.jit.load`.

    Returns:
        The largest difference between the file's probabilities and the model's, see :func:`largest_difference`.

    Raises:
        ValueError: if the generator has a component that cannot be traced, or the file does not do what the model does.
    """
    bare = BareGenerator(model)
    with written_beside(path) as beside, _exporting('TorchScript'):
        traced = torch.jit.trace(bare, _example(bare), check_trace=False)  # checked below, on other sizes
        torch.jit.save(traced, str(beside), _extra_files={'metadata.json': json.dumps(dict(metadata or {}))})
        read = torch.jit.load(str(beside))
        return _require_same(lambda *inputs: read(*inputs[:len(bare.inputs)]), bare)


def write_onnx(model: nn.Module, path: str | Path, *, metadata: Mapping[str, str] | None = None) -> float:
    """Write the generator as ONNX with inputs ``frames`` and, where it reads them, ``reference_masks``, and the output
    ``probabilities``; batch, height and width are dynamic. See :func:`write_torchscript` for arguments and errors.

    Raises:
        ImportError: without onnx or onnxruntime.
    """
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        raise ImportError('writing ONNX, and checking what was written, needs packages that are not installed: '
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
    """How far two ways to the probabilities are apart, over several odd sizes and batch sizes of random frames.

    Two values in a window of max-pooling that differ in their last bit only may change places between two programs, or
    between two machines; the pixels around then differ more. So each size is tried up to three times, with other
    frames, until it agrees; the best try counts.

    Args:
        run: (B, 3, H, W) RGB 0..255 and (B, 1, H, W) in [0, 1] to (B, 1, H, W).
        expected: likewise.

    Returns:
        The largest absolute difference; infinite where one of the two is not finite or of another shape.
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
    """How much of the masks changes between two ways to the probabilities, on rendered frames with an object, each
    with the mask of the frame before as its reference.

    Args:
        run: see :func:`largest_difference`.
        expected: likewise.

    Returns:
        Pixels that only one of the two shows as object (above 0.5), over those that either shows; ``None`` where none
        shows any.
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
        raise ValueError(f'what was written gives probabilities up to {difference:.1e} from those of the model, '
                         f'allowed is {TOLERANCE:.0e}; no file was left. A component from outside the project must '
                         'derive every size from its input, for it is traced with frames of another size')
    return difference


def _example(bare: BareGenerator) -> tuple[Tensor, ...]:
    batch, height, width = TRACED_SIZE
    return (torch.zeros(batch, 3, height, width), torch.zeros(batch, 1, height, width))[:len(bare.inputs)]


def _by_tracing() -> dict:
    """The option that asks for ONNX by tracing, which PyTorch before 2.5 does without being asked.

    The other way, through ``torch.export``, takes tens of times as long, and onnxscript.
    """
    return {'dynamo': False} if 'dynamo' in inspect.signature(torch.onnx.export).parameters else {}


@contextmanager
def _exporting(kind: str) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # what tracing warns of, the comparison with the model decides
        try:
            yield
        except (OSError, ValueError):
            raise
        except Exception as error:  # of whatever kind the exporter and the runtime have
            reason = textwrap.shorten(str(error), 300, placeholder=' ...')
            raise ValueError(f'this generator cannot be written as {kind}: {reason}. Every backbone and decoder of the '
                             'project can; look at those that come from elsewhere') from error
