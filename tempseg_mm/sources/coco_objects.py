"""Which object each annotation of COCO JSON is. Called by the reader of masks from such files."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress

from .coco_file import CocoAnnotation, CocoImage

MOST_OBJECTS = 255
NAMELESS = 'object'  # what this project calls an object without a name, with its number or without
FEW = 5  # that are named in a message


class CocoObjects:
    """Which object each annotation is, over the images of a sequence.

    Args:
        images: of the sequence.

    Attributes:
        by: how they were told apart.
        names: object id -> name, '' without one.

    Raises:
        ValueError: for more than 255 objects.
    """

    def __init__(self, images: Sequence[CocoImage]) -> None:
        every = [annotation for image in images for annotation in image.annotations]
        tracks = sorted({annotation.track for annotation in every} - {None})
        rest = [annotation for annotation in every if annotation.track is None]
        with suppress(TypeError):  # ids of mixed kinds stay in the order of the file
            rest.sort(key=lambda annotation: annotation.id)
        self._by_category = not tracks and len(images) > 1 and _have_one_of_each(images)
        keys = [*map(_track_key, tracks), *dict.fromkeys(map(self._key, rest))]
        if len(keys) > MOST_OBJECTS:
            raise ValueError(f'it holds {len(keys)} objects in the frames, and there may be {MOST_OBJECTS} at most. '
                             'Those of several images are one where they have the same "track_id"')
        kept = {_track_key(track): track for track in tracks} if all(0 < i <= MOST_OBJECTS for i in tracks) else {}
        free = (i for i in range(1, MOST_OBJECTS + 1) if i not in kept.values())
        self._ids = {key: kept[key] if key in kept else next(free) for key in keys}
        self.by = self._told_apart(tracks, rest, len(images), kept)
        self.names: dict[int, str] = {}
        for annotation in every:
            i, name = self.id_of(annotation), annotation.category
            self.names[i] = self.names.get(i) or ('' if name in (NAMELESS, f'{NAMELESS} {i}') else name)

    def id_of(self, annotation: CocoAnnotation) -> int:
        """Of the object of an annotation, 1 to 255."""
        return self._ids[self._key(annotation)]

    def text(self, i: int) -> str:
        """An object for people."""
        return f'object {i}{f" ({self.names[i]})" if self.names[i] else ""}'

    def _key(self, annotation: CocoAnnotation) -> tuple:
        if annotation.track is not None:
            return _track_key(annotation.track)
        return ('category', annotation.category) if self._by_category else ('annotation', annotation.id)

    def _told_apart(self, tracks: list, rest: list, num_images: int, kept: Mapping) -> str:
        if self._by_category:
            return 'one for each category, as no image has two of one'
        if not tracks:
            more = '; a "track_id" joins those of several images' if num_images > 1 else ''
            return f'one for each annotation, in the order of ids{more}'
        told = 'told apart by track_id'
        if not kept:
            told += ' (' + listed([f'{track} is {self._ids[_track_key(track)]}' for track in tracks]) + ')'
        return told + ('; annotations without one are objects of their own' if rest else '')


def _track_key(track: int) -> tuple:
    return 'track', track


def _have_one_of_each(images: Iterable[CocoImage]) -> bool:
    """Whether no image has two annotations of a category, and each has a category."""
    names = [[annotation.category for annotation in image.annotations] for image in images]
    return all(len(set(own)) == len(own) and all(own) for own in names)


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many there are."""
    return ', '.join(names[:FEW]) + (f', ... ({len(names)} in all)' if len(names) > FEW else '')
