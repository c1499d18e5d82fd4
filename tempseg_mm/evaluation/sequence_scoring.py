"""Computes J, F and T of the masks of one sequence on disk, object by object.

It follows the protocol of semi-supervised segmentation in DAVIS 2017: the first annotation of an object is given, and
later frames are scored. If the first annotation shows all objects, frames and values equal those of the official code
(davis2017-evaluation), which looks for objects in the first annotation only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tempseg_mm.runtime.notices import Notices
from tempseg_mm.sources.mask_files import MaskReader
from tempseg_mm.sources.stored_mask import MaskValueError
from tempseg_mm.structures.segmented_frame import ids_of

from .identities import IdentityCheck
from .mask_folders import MaskSequence
from .object_track import ObjectTrack
from .score_table import MEASURES
from .sequence_labels import Annotations

MOST_FAULTS = 3  # at most this many unread masks are listed one by one
ALL = 1  # stands for the object of a sequence with one object, whatever its id


@dataclass
class SequenceScores:
    """Scores, faults and notices of one sequence.

    Attributes:
        objects: ``{object: {measure: {frame: value}}}``; the object is 1 if the sequence has only one.
        faults: reasons why the sequence cannot be scored, as texts.
        notices: notices on its objects; their "files" are sequences.
        file_notices: notices on the values of its masks.
    """
    objects: dict[int, dict[str, dict[int, float]]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    notices: Notices = field(default_factory=lambda: Notices('sequence'))
    file_notices: Notices = field(default_factory=Notices)


def score_sequence(sequence: MaskSequence, *, measures: Sequence[str] = MEASURES, merge_objects: bool = False
                   ) -> SequenceScores:
    """Score one sequence, mask by mask.

    Args:
        sequence: paths of its masks.
        measures: some of 'J', 'F' and 'T'.
        merge_objects: treat all ids as one object.
    """
    found = SequenceScores()
    reader = MaskReader(found.file_notices, masks=sequence.gt_paths)
    truth = Annotations(sequence.gt_paths, reader)
    found.faults += truth.faults
    if merge_objects:  # ids need not agree with those of the ground truth
        pred_reader = MaskReader(found.file_notices, masks=sequence.pred_paths)
    else:
        pred_reader = reader.companion(masks=sequence.pred_paths)
    scoring = _Scoring(sequence, truth, pred_reader, found, measures, merge_objects)
    if truth.first_seen and scoring.tracks:
        scoring.run()
    elif not truth.faults:
        found.faults.append(
            'no object shows in it before the last annotation that counts, and the first annotation of an object is '
            'given, not scored; leave it out (--split names the sequences to score)' if truth.first_seen else
            'no annotation of it holds an object; leave it out (--split names the sequences to score)')
    return found


class _Scoring:
    """Scores the masks of one sequence in order."""

    def __init__(self, sequence: MaskSequence, truth: Annotations, pred_reader: MaskReader, found: SequenceScores,
                 measures: Sequence[str], merge_objects: bool) -> None:
        self.sequence, self.truth, self.found = sequence, truth, found
        self._reader = pred_reader
        self.is_one, self.is_merged = merge_objects or len(truth.first_seen) < 2, merge_objects
        self.starts = {ALL: min(truth.first_seen.values(), default=0)} if self.is_one else truth.first_seen
        self.stop = len(sequence) if sequence.last_counts else len(sequence) - 1
        self.tracks = {label: ObjectTrack(measures, None if self.is_one else label)
                       for label, start in self.starts.items() if start < self.stop - 1}
        found.objects = {label: {measure: {} for measure in measures} for label in self.tracks}
        self._predicted: set[int] = set()
        self._has_void = False
        self._unknown: dict[tuple, list[str]] = {}
        self._unread: list[str] = []
        self._check = IdentityCheck()

    def run(self) -> None:
        self._note_truth()
        for frame in range(min(self.starts.values()), self.stop):
            gt = self.truth.read(frame)
            if gt is None:
                continue
            for label, track in self.tracks.items():
                if self.starts[label] == frame:
                    track.begin(gt)
            begun = [label for label in self.tracks if self.starts[label] < frame]
            pred = self._prediction(frame) if begun else None
            if pred is None:
                continue
            for label in begun:
                for measure, value in self.tracks[label].score(pred, gt).items():
                    self.found.objects[label][measure][frame] = value
            if not self.is_one:
                self._check.look(pred, gt.ids, begun)
        self._add_faults()
        self._note_prediction()

    def _prediction(self, frame: int) -> np.ndarray | None:
        path = self.sequence.pred_paths[frame]
        try:
            labels = self._reader.read(path)
        except (OSError, ValueError) as error:
            hint = '; --merge-objects treats all objects as one' if isinstance(error, MaskValueError) else ''
            self._unread.append(f'{error}{"" if self.is_one else hint}')
            return None
        self._has_void |= labels.void is not None
        ids = ids_of(labels.ids)
        self._predicted.update(ids)
        unknown = [] if self.is_one else [label for label in ids if label not in self.truth.first_seen]
        if unknown:
            self._unknown.setdefault(tuple(unknown), []).append(path)
            return None
        return labels.ids

    def _add_faults(self) -> None:
        if len(self._unread) > MOST_FAULTS:
            self._unread[1:] = [f'{len(self._unread) - 1} more predicted masks could not be read']
        self.found.faults += self._unread
        for unknown, paths in self._unknown.items():
            colors = [color for color, label in self._reader.names.colors.items() if label in unknown]
            meant = f', which stand for {", ".join(map(self._reader.names.text, colors))}' if colors else ''
            more = f', and {len(paths) - 1} more masks do' if len(paths) > 1 else ''
            self.found.faults.append(
                f'{paths[0]} holds the ids {_listed(unknown)}{meant}{more}; the ground truth has '
                f'{_listed(self.truth.first_seen)}: give objects the {"colours" if colors else "ids"} of the ground '
                'truth, clear objects that it does not have, or treat all as one object (--merge-objects)')

    def _note_truth(self) -> None:
        if self.truth.has_void:
            self._note('has void pixels in its ground truth: these were left out of all scores')
        late = {label: start for label, start in self.starts.items() if start > 0}
        if late:
            shown = ', '.join(f'{"it" if self.is_one else label} in {Path(self.sequence.gt_paths[start]).stem}'
                              for label, start in late.items() if label in self.tracks)
            self._note(f'has objects that first show after the first annotation ({shown}): each is scored from the '
                       'next frame on')
        lost = [label for label in self.starts if label not in self.tracks]
        if lost:
            self._note(f'has objects that first show too late to be scored: {_listed(lost)}')

    def _note_prediction(self) -> None:
        if self._has_void:
            self._note('has void pixels in its prediction: they count as background')
        if not self._predicted:
            self._note('has an empty prediction: no mask of it that counts holds an object')
        elif not self.is_one:
            never = [label for label in self.tracks if label not in self._predicted]
            if never:
                self._note(f'has objects that its prediction never shows ({_listed(never)}): their masks count as '
                           'empty; --merge-objects treats all objects as one')
            if self._check.sentence:
                self._note(self._check.sentence)
        elif not self.is_merged and len(self._predicted) > 1:
            self._note(f'has one object in the ground truth ({_listed(self.truth.first_seen)}) and the ids '
                       f'{_listed(sorted(self._predicted))} in the prediction: all of them were scored as that object; '
                       'clear the ids of other objects')
        elif not self.is_merged and self._predicted != {*self.truth.first_seen}:
            self._note(f'has one object, {_listed(self.truth.first_seen)} in the ground truth and '
                       f'{_listed(self._predicted)} in the prediction: they were scored as the same object')

    def _note(self, sentence: str) -> None:
        self.found.notices.add(sentence, file=self.sequence.name)


def _listed(ids: Sequence[int] | Mapping[int, int] | set[int]) -> str:
    return ', '.join(map(str, ids))
