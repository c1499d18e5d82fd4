"""Sequences in memory, for tests that read no files."""

from tempseg_mm.datasets.vos_sequence import MERGED
from tempseg_mm.sources.frame_source import SourceFrame
from tempseg_mm.sources.given_sequence import GivenSequence
from tempseg_mm.sources.mask_files import Labels


class MemorySequence:
    """What a ``VOSSequence`` answers, from arrays; ``reads`` lists the frames that were asked for."""
    name = 'square'
    objects = MERGED

    def __init__(self, frames, masks):
        self.frames, self.masks, self.reads = frames, masks, []

    def __len__(self):
        return len(self.frames)

    def frame(self, i):
        self.reads.append(i)
        return self.frames[i]

    def mask(self, i):
        return self.masks[i]

    def annotation(self, i):
        return None if self.masks[i] is None else Labels(self.masks[i])

    def is_annotated(self, i):
        return self.masks[i] is not None

    def file_name(self, i):
        return f'{i:05d}'


class MemoryGiven(GivenSequence):
    """A ``MemorySequence`` with some of its masks given, as those of one object."""

    def __init__(self, sequence, frame_ids, object_id):
        self.sequence, self.name, self.num_frames = sequence, sequence.name, len(sequence)
        self.labels = {i: object_id * sequence.masks[i] for i in frame_ids}

    def frames(self):
        for i in range(self.start, len(self.sequence)):
            yield SourceFrame(i, self.sequence.file_name(i), self.sequence.frame(i))

    def given_image(self, frame_id):
        return self.sequence.frames[frame_id]

    def earlier(self, frame_id):
        return SourceFrame(frame_id, self.sequence.file_name(frame_id), self.sequence.frame(frame_id))
