"""Carries the masks of K objects from frame to frame; K may be 1.

Example::

    propagator = generator_propagator(model, {1: generator_of_1, 2: generator_of_2}, size=240)
    propagator.start(first_frame, first_labels)
    for frame in frames:
        probabilities = propagator.step(frame)
        labels = labels_of(probabilities, propagator.object_ids)
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import numpy as np
import torch
from torch import nn

from tempseg_mm.ops.resize import Size
from tempseg_mm.ops.soft_aggregation import soft_aggregation

from .object_mask import ObjectMask
from .prepared_frame import FramePreparer, PreparedFrame, frame_preparer
from .views import View, WholeFrame, view_of

# Function of an object id, a frame, and the object's mask in the previous frame; returns its mask in the frame.
NextMask = Callable[[int, PreparedFrame, ObjectMask], ObjectMask]


class Propagator:
    """Finds the next mask of each object separately and merges the masks by soft aggregation (paper note P19).

    Each object carries its own mask to the next frame, not the merged one. So it loses only the pixels that another
    object claims too. Merging does not change the mask of a single object, bit for bit. An object takes part from its
    first given mask on; before that, its probability is 0.

    Args:
        next_mask: finds the mask of an object in a new frame.
        object_ids: ids of the objects, 1 to 255.
        preparer: brings frames to the working size; not used for prepared frames.
        view: what the network sees of a frame; default: the whole frame.

    Raises:
        ValueError: if there is no object, or an id is out of range.
    """

    def __init__(self, next_mask: NextMask, object_ids: Sequence[int], preparer: FramePreparer, *,
                 view: View | None = None) -> None:
        if not object_ids or not all(1 <= object_id <= 255 for object_id in object_ids):
            raise ValueError(f'there must be at least one object, with ids from 1 to 255, got {sorted(object_ids)}')
        self.next_mask = next_mask
        self.object_ids = tuple(sorted(object_ids))
        self.preparer = preparer
        self.view = WholeFrame() if view is None else view
        self._frame: PreparedFrame | None = None
        self._masks: dict[int, ObjectMask] = {}  # only objects that take part

    @property
    def masks(self) -> dict:
        """Object id -> its own mask in the last frame; each frame makes new masks."""
        return dict(self._masks)

    def start(self, frame: np.ndarray | PreparedFrame, labels: np.ndarray, *, hidden: Collection[int] = (),
              areas: Mapping[int, float] | None = None) -> None:
        """Begin with the first frame and its given masks.

        Args:
            frame: (H, W, 3) uint8 RGB, or prepared.
            labels: (H, W) uint8 object ids, 0 the background.
            hidden: objects that take part although the masks do not show them; the network looks for them.
            areas: as in :meth:`correct`.

        Raises:
            ValueError: if the sizes differ, or an id is not among the objects.
        """
        self._frame = self.preparer.first(frame)
        nothing = np.zeros(labels.shape, np.uint8)
        self._masks = {object_id: self.view.given(self._frame, nothing) for object_id in hidden}
        self.correct(labels, areas=areas)

    def resume(self, frame: np.ndarray | PreparedFrame, masks: Mapping[int, ObjectMask]) -> None:
        """Continue after a frame whose :attr:`masks` were stored."""
        self._frame = self.preparer.first(frame)
        self._masks = {object_id: found.to(self._frame.tensor.device) for object_id, found in masks.items()}

    @torch.no_grad()
    def step(self, frame: np.ndarray | PreparedFrame) -> np.ndarray:
        """Advance by one frame.

        Returns:
            (K, H, W) float32 in [0, 1] in the order of :attr:`object_ids`; their sum is at most 1.

        Raises:
            RuntimeError: before :meth:`start`.
            ValueError: if the frame differs in size from the previous one.
        """
        if self._frame is None:
            raise RuntimeError('call start(frame, labels) with the first frame before step(frame)')
        self._frame = self.preparer.following(frame)
        self._masks = {object_id: self.next_mask(object_id, self._frame, mask)
                       for object_id, mask in self._masks.items()}
        return self._merged()

    def correct(self, labels: np.ndarray, *, going_on: Collection[int] = (),
                areas: Mapping[int, float] | None = None) -> None:
        """Replace the masks of objects by given masks, which are then the references for the next frame.

        Args:
            labels: (H, W) uint8 object ids. An object that takes part and is not among them is gone.
            going_on: objects that are not gone although ``labels`` lack them. They keep their masks, without the pixels
                of the others.
            areas: object id -> remembered area in pixels, used if the mask shows less of the object.

        Raises:
            ValueError: as :meth:`start`.
        """
        present = {int(label) for label in np.unique(labels)} - {0}
        if not present <= set(self.object_ids):
            raise ValueError(f'the given mask holds the ids {sorted(present)}, but the objects are '
                             f'{list(self.object_ids)}')
        taken = (labels != 0).astype(np.uint8)
        self._masks = {
            object_id: self.view.without(self._frame, self._masks[object_id], taken)
            if object_id in going_on and object_id in self._masks and object_id not in present
            else self.view.given(self._frame, (labels == object_id).astype(np.uint8), (areas or {}).get(object_id, 0.0))
            for object_id in self.object_ids if object_id in present or object_id in self._masks}

    def _merged(self) -> np.ndarray:
        probabilities = np.zeros((len(self.object_ids), *self._frame.size), np.float32)
        if self._masks:
            own = np.stack([self.view.pasted(self._frame, found) for found in self._masks.values()])
            merged = soft_aggregation(torch.from_numpy(own))[1:]
            probabilities[[self.object_ids.index(object_id) for object_id in self._masks]] = merged
        return probabilities


def generator_propagator(model: nn.Module, generators: Mapping[int, nn.Module | None], *, size: Size = None,
                         averaging: Callable | None = None) -> Propagator:
    """Make a propagator by the network: the reference is the last mask, moved along the flow (paper note P16).

    Args:
        model: a ``TempSegGAN`` in eval mode, with a flow provider in its data preprocessor.
        generators: object id -> the generator that finds the object; ``None``: the model's own. It is looked up for
            each frame.
        size: working size of the network, or only of the flow if the network sees windows.
        averaging: a ``TestTimeAugmentation`` of the predictions.
    """
    view = view_of(model)
    threads = nullcontext if model.window is None else half_of_the_threads

    def next_mask(object_id: int, frame: PreparedFrame, last: ObjectMask) -> ObjectMask:
        with threads():
            reference = view.moved(frame, last)
            return view.found(frame, reference, model.predict(
                view.pixels(frame, reference), reference.mask, generator=generators[object_id], averaging=averaging,
                shown=reference.shown))
    return Propagator(next_mask, tuple(generators), frame_preparer(model, size=size), view=view)


@contextmanager
def half_of_the_threads() -> Iterator[None]:
    """Let torch use half of its threads in the block, at least one.

    Flow, CRF and files take turns on the other cores meanwhile. With two cores, a layer that is split between both
    waits for them again and again; the layers of a window are too small to gain as much from the second core.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // 2))
    try:
        yield
    finally:
        torch.set_num_threads(before)
