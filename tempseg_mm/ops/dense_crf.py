"""Fully connected CRF over the pixels of one frame, through pydensecrf. Used by ``tempseg_mm.inference.refine``.

The module imports neither torch nor mmengine, because worker processes import it and must start quickly.
"""

from dataclasses import dataclass
from types import ModuleType

import cv2
import numpy as np

from tempseg_mm.runtime.command_names import pydensecrf_install

# pydensecrf numbers cells of these widths by integers. Narrower cells can overflow them, which kills the process.
SMALLEST = dict(sxy_gaussian=0.5, sxy_bilateral=0.5, srgb=1.0)
MAYBE = 0.02  # least probability of a pixel that counts as possibly the object


def require_pydensecrf() -> ModuleType:
    """Return the module ``pydensecrf.densecrf``.

    Raises:
        ImportError: if it is missing; the message says how to install it.
    """
    try:
        import pydensecrf.densecrf
    except ImportError as error:
        raise ImportError('the dense CRF needs the package pydensecrf, which is missing or broken: '
                          f'{pydensecrf_install()} (needs a C++ compiler). {error}') from error
    return pydensecrf.densecrf


@dataclass(frozen=True)
class DenseCRF:
    """Mean-field inference in a fully connected CRF of two labels (Krähenbühl and Koltun, 2011), called per frame::

        E(x) = Σ_i -log P(x_i) + Σ_i<j [x_i ≠ x_j] ( compat_gaussian  exp(-|p_i - p_j|² / 2 sxy_gaussian²)
                                                   + compat_bilateral exp(-|p_i - p_j|² / 2 sxy_bilateral²
                                                                          -|c_i - c_j|² / 2 srgb²) )

    with positions p in pixels and colours c in 0..255. Both kernels are normalised symmetrically, pydensecrf's default.

    Paper note: "a well-tuned Conditional Random Field is used as a post-processing module", without numbers. These
    defaults are mild and not tuned on any data; ``tempseg-tune-crf`` searches better ones (paper note P17).

    Args:
        sxy_gaussian: reach of the smoothness term, pixels, at least 0.5. Small reaches are slow: at 480x854 the term
            takes 0.3 s with a reach of 3 and 5 s with 1.
        compat_gaussian: weight of the smoothness term; 0 switches it off.
        sxy_bilateral: reach of the appearance term, pixels, at least 0.5; small reaches are slow here too.
        srgb: width of the appearance term in colour, at least 1.
        compat_bilateral: weight of the appearance term; 0 switches it off.
        iterations: number of mean-field iterations.
        margin: pixels around the object that are refined with it; all others keep their probability. ``None``: the
            whole frame is refined.
        side: side of a square, pixels. The reaches hold for an area as large as the square, and shrink or grow with the
            area, so that a small object is refined as a large one. An area with more pixels than the square is refined
            in a copy with as many, so that a frame costs the same at any resolution. ``None``: the reaches hold for
            every area, and there is no copy.
        overlap: least IoU of the object before and after. A refinement that changes more is no longer one of the
            outline, and all probabilities stay as they are.
        clip: least distance of probabilities from 0 and 1. The logarithm of a probability is its unary energy.

    Raises:
        ImportError: without pydensecrf.
        ValueError: for a setting out of range.
    """
    sxy_gaussian: float = 3.0
    compat_gaussian: float = 1.0
    sxy_bilateral: float = 20.0
    srgb: float = 8.0
    compat_bilateral: float = 2.0
    iterations: int = 5
    margin: int | None = None
    side: int | None = None
    overlap: float = 0.0
    clip: float = 1e-5

    def __post_init__(self) -> None:
        for name in ('sxy_gaussian', 'sxy_bilateral', 'srgb', 'compat_gaussian', 'compat_bilateral'):
            value, least = getattr(self, name), SMALLEST.get(name, 0)
            if not (least <= value < float('inf')):
                raise ValueError(f'{name} of DenseCRF must be a number of at least {least}, got {value!r}')
        if not (isinstance(self.iterations, int) and self.iterations >= 0):
            raise ValueError(f'iterations of DenseCRF must be a whole number of at least 0, got {self.iterations!r}')
        for name, least in (('margin', 0), ('side', 8)):
            value = getattr(self, name)
            if not (value is None or (isinstance(value, int) and value >= least)):
                raise ValueError(f'{name} of DenseCRF must be None or a whole number from {least} up, got {value!r}')
        if not 0 <= self.overlap <= 1:
            raise ValueError(f'overlap of DenseCRF must lie between 0 and 1, got {self.overlap!r}')
        if not 0 < self.clip < 0.5:
            raise ValueError(f'clip of DenseCRF must lie between 0 and 0.5, got {self.clip!r}')
        require_pydensecrf()

    def __call__(self, probability: np.ndarray, image: np.ndarray) -> np.ndarray:
        """Return the object's marginal probability at each pixel.

        Args:
            probability: (H, W) float in [0, 1]. Values are clipped to [``clip``, 1 - ``clip``], so an empty or full
                mask is not entirely certain either.
            image: (H, W, 3) uint8 RGB of the same size.

        Returns:
            (H, W) float32 in [0, 1].

        Raises:
            ValueError: for another shape, dtype or range. This check keeps input that would crash the process from
                pydensecrf.
        """
        _check(probability, image)
        probability = probability.astype(np.float32)
        area = _around(probability, self.margin)
        if area is None:
            return probability
        refined = self._at_its_scale(probability[area], image[area])
        if _iou(probability[area] > 0.5, refined > 0.5) >= self.overlap:
            probability[area] = refined
        return probability

    def _at_its_scale(self, probability: np.ndarray, image: np.ndarray) -> np.ndarray:
        scale = 1.0 if self.side is None else self.side / np.sqrt(probability.size)
        if scale >= 1:
            return self._refined(probability, image, reach=1 / scale)
        shape = probability.shape[::-1]
        size = tuple(max(1, round(length * scale)) for length in shape)
        copies = (cv2.resize(whole, size, interpolation=cv2.INTER_AREA) for whole in (probability, image))
        return cv2.resize(self._refined(*copies), shape, interpolation=cv2.INTER_LINEAR)

    def _refined(self, probability: np.ndarray, image: np.ndarray, reach: float = 1.0) -> np.ndarray:
        height, width = probability.shape
        sure = np.clip(probability, np.float32(self.clip), np.float32(1 - self.clip))
        unary = -np.log(np.stack([1 - sure, sure])).reshape(2, -1)  # [2, H, W] -> [2, HW]
        sxy = {name: max(reach * getattr(self, name), SMALLEST[name]) for name in ('sxy_gaussian', 'sxy_bilateral')}
        crf = require_pydensecrf().DenseCRF2D(width, height, 2)
        crf.setUnaryEnergy(unary)
        if self.compat_gaussian:
            crf.addPairwiseGaussian(sxy=sxy['sxy_gaussian'], compat=self.compat_gaussian)
        if self.compat_bilateral:
            crf.addPairwiseBilateral(sxy=sxy['sxy_bilateral'], srgb=self.srgb, compat=self.compat_bilateral,
                                     rgbim=np.require(image, requirements='CW'))  # contiguous and writeable
        return np.array(crf.inference(self.iterations), dtype=np.float32)[1].reshape(height, width)


def _around(probability: np.ndarray, margin: int | None) -> tuple[slice, slice] | None:
    """Return the rows and columns within ``margin`` pixels of what may be the object; ``None`` if there is nothing."""
    if margin is None:
        return slice(None), slice(None)
    maybe = probability > MAYBE
    rows, columns = (np.flatnonzero(maybe.any(axis)) for axis in (1, 0))
    if not rows.size:
        return None
    return tuple(slice(max(0, at[0] - margin), at[-1] + margin + 1) for at in (rows, columns))


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    either = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / either if either else 1.0


def _check(probability: np.ndarray, image: np.ndarray) -> None:
    if probability.ndim != 2 or not probability.size or not np.issubdtype(probability.dtype, np.floating):
        raise ValueError('the CRF refines probabilities, (H, W) float and not empty; got '
                         f'{probability.shape} {probability.dtype}')
    if image.shape != (*probability.shape, 3) or image.dtype != np.uint8:
        raise ValueError('the CRF needs the frame as (H, W, 3) uint8 RGB, in the size of its probabilities '
                         f'{probability.shape}; got {image.shape} {image.dtype}')
    if not (probability.min() >= 0 and probability.max() <= 1):  # written this way, NaN fails too
        raise ValueError('the CRF refines probabilities in [0, 1]; got values from '
                         f'{probability.min()} to {probability.max()}')
