"""Decides which object each annotation of COCO JSON shows."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from .coco_file import CocoAnnotation, CocoImage

MOST_OBJECTS = 255
NAMELESS = 'object'  # this project writes 'object' or 'object 3' for an object without a name
FEW = 5  # most names listed in a message


class CocoObjects:
    """Assigns an object id to every annotation of a sequence.

    Annotations with the same track number are one object. Without track numbers, annotations of the same category are
    one object if the sequence has several images and none of them has two of a category. Otherwise each annotation is
    an object of its own.

    Args:
        images: the images of the sequence.

    Attributes:
        by: clause for people that says how objects were told apart.
        names: object id -> name; '' without a name.

    Raises:
        ValueError: if there are more than 255 objects.
    """

    def __init__(self, images: Sequence[CocoImage]) -> None:
        every = [annotation for image in images for annotation in image.annotations]
        tracks = sorted({annotation.track for annotation in every} - {None})
        rest = [annotation for annotation in every if annotation.track is None]
        with suppress(TypeError):  # ids of mixed types cannot be sorted and keep the order of the file
            rest.sort(key=lambda annotation: annotation.id)
        self._by_category = not tracks and len(images) > 1 and _have_one_of_each(images)
        keys = [*map(_track_key, tracks), *dict.fromkeys(map(self._key, rest))]
        if len(keys) > MOST_OBJECTS:
            raise ValueError(f'it holds {len(keys)} objects in the frames, but {MOST_OBJECTS} is the most. '
                             'Annotations of several images with the same "track_id" count as one object')
        kept = {_track_key(track): track for track in tracks} if all(0 < i <= MOST_OBJECTS for i in tracks) else {}
        free = (i for i in range(1, MOST_OBJECTS + 1) if i not in kept.values())
        self._ids = {key: kept[key] if key in kept else next(free) for key in keys}
        self.by = self._told_apart(tracks, rest, len(images), kept)
        self.names: dict[int, str] = {}
        for annotation in every:
            i, name = self.id_of(annotation), annotation.category
            self.names[i] = self.names.get(i) or ('' if name in (NAMELESS, f'{NAMELESS} {i}') else name)

    def id_of(self, annotation: CocoAnnotation) -> int:
        """Return the id of an annotation's object, 1 to 255."""
        return self._ids[self._key(annotation)]

    def text(self, i: int) -> str:
        """Return the text that names an object to people, such as ``'object 2 (dog)'``."""
        return f'object {i}{f" ({self.names[i]})" if self.names[i] else ""}'

    def _key(self, annotation: CocoAnnotation) -> tuple:
        if annotation.track is not None:
            return _track_key(annotation.track)
        return ('category', annotation.category) if self._by_category else ('annotation', annotation.id)

    def _told_apart(self, tracks: list, rest: list, num_images: int, kept: Mapping) -> str:
        if self._by_category:
            return 'one for each category, as no image has two objects of a category'
        if not tracks:
            more = '; a "track_id" makes annotations of several images one object' if num_images > 1 else ''
            return f'one for each annotation, in the order of ids{more}'
        told = 'told apart by track_id'
        if not kept:
            told += ' (' + listed([f'{track} is {self._ids[_track_key(track)]}' for track in tracks]) + ')'
        return told + ('; each annotation without a track_id is an object of its own' if rest else '')


def _track_key(track: int) -> tuple:
    return 'track', track


def _have_one_of_each(images: Iterable[CocoImage]) -> bool:
    """Return True if every annotation has a category and no image has two annotations of the same one."""
    names = [[annotation.category for annotation in image.annotations] for image in images]
    return all(len(set(own)) == len(own) and all(own) for own in names)


def listed(names: Sequence[str]) -> str:
    """Join the first few names, and add the number of all if there are more."""
    return ', '.join(names[:FEW]) + (f', ... ({len(names)} in all)' if len(names) > FEW else '')
