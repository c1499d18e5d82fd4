"""Which frames form a training clip. Used by ``VOSDataset``; configured there as ``clip_sampler=dict(...)``."""


class ClipSampler:
    """Every clip of T frames, ``stride`` apart, starting at every ``step``-th frame.

    Paper note: "mini-batches of 50 frames" are read as 10 clips of 5 consecutive frames (paper note P14).

    Args:
        clip_length: T, at least 1. Losses between frames need 2 or more.
        stride: distance between neighbouring frames of a clip. Above 1 the flow on disk, which joins neighbouring
            frames only, no longer fits; it is then left to the flow provider.
        step: distance between the first frames of neighbouring clips.

    Raises:
        ValueError: if one of them is not an integer of at least 1.
    """

    def __init__(self, clip_length: int = 5, *, stride: int = 1, step: int = 1) -> None:
        for name, value in (('clip_length', clip_length), ('stride', stride), ('step', step)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} of ClipSampler must be an integer of at least 1, got {value!r}')
        self.clip_length, self.stride, self.step = clip_length, stride, step

    @property
    def span(self) -> int:
        """Number of frames from the first to the last of a clip, both included."""
        return (self.clip_length - 1) * self.stride + 1

    def clips(self, num_frames: int) -> list:
        """All clips of a sequence.

        Args:
            num_frames: length of the sequence.

        Returns:
            Lists of T frame indices each; none if the sequence is shorter than :attr:`span`.

        >>> ClipSampler(3, stride=2, step=1).clips(6)
        [[0, 2, 4], [1, 3, 5]]
        """
        starts = range(0, num_frames - self.span + 1, self.step)
        return [list(range(start, start + self.span, self.stride)) for start in starts]
