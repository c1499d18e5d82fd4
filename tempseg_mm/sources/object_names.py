"""Assigns object ids to colours. A colour is the same object in every mask of a run, given masks and ground truth."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tempseg_mm.visualization.palette import color_palette

Color = tuple  # (red, green, blue), 0 to 255
WHITE: Color = (255, 255, 255)
TOLERANCE = 24  # compressed colours match if no channel differs by more
NAMES = {
    (255, 0, 0): 'red', (0, 255, 0): 'green', (0, 0, 255): 'blue', (255, 255, 0): 'yellow', (255, 0, 255): 'magenta',
    (0, 255, 255): 'cyan', WHITE: 'white', (0, 0, 0): 'black', (128, 128, 128): 'gray', (255, 128, 0): 'orange',
    (128, 0, 0): 'dark red', (0, 128, 0): 'dark green', (0, 0, 128): 'dark blue', (128, 128, 0): 'olive',
    (128, 0, 128): 'purple', (0, 128, 128): 'teal',
}


class ObjectNames:
    """Assigns ids to colours in the order in which the colours first appear. An id always stays the same object.

    Attributes:
        colors: colour -> id, for colours that masks have shown.
        numbers: ids that masks hold as numbers.
        palette: colour -> id, from the palettes of masks.
        titles: id -> name of the object; '' if the masks do not name it.
    """

    def __init__(self) -> None:
        self.colors: dict[Color, int] = {}
        self.numbers: set[int] = set()
        self.palette: dict[Color, int] = {}
        self.titles: dict[int, str] = {}
        self._davis = {tuple(color): i for i, color in enumerate(color_palette().tolist()) if i}

    @property
    def known(self) -> set[int]:
        """Ids of all objects that masks have shown."""
        return {*self.colors.values(), *self.numbers}

    def add_numbers(self, ids: Iterable[int]) -> None:
        """Note the ids, without 0, that a mask holds as numbers."""
        self.numbers.update(map(int, ids))

    def add_palette(self, colors: Mapping[int, Color]) -> None:
        """Note the colours that the palette of a mask gives to ids, except black."""
        for i, color in colors.items():
            if any(color):
                self.palette.setdefault(color, int(i))

    def by_palette(self, colors: Mapping[int, Color]) -> dict[int, int]:
        """Find the ids of a mask's numbers by its palette, if other masks use its colours for other numbers.

        Args:
            colors: number -> colour, for the numbers that the mask shows.

        Returns:
            Number -> id, for all of these numbers; empty if the numbers themselves are the ids.
        """
        found = {i: self.colors.get(color, self.palette.get(color)) for i, color in colors.items()}
        if len(set(colors.values())) < len(colors) or all(found[i] in (None, i) for i in colors):
            return {}
        taken = {i for i in found.values() if i is not None}
        if len(taken) < sum(i is not None for i in found.values()):
            return {}
        free = (i for i in range(1, 256) if i not in taken | self.known | set(colors))
        return {i: (next(free) if i in taken else i) if known is None else known for i, known in found.items()}

    def id_of_the_object(self, *, is_white: bool = False) -> int | None:
        """Return the id of an object that its mask shows alone, without number or colour; ``None`` if several fit.

        Args:
            is_white: whether the object is drawn in white, so that white can be one colour among others.
        """
        known, are_numbers = self.known, set(self.colors) <= set(self._davis)
        if WHITE in self.colors or not known or is_white and not self.numbers and not are_numbers:
            return self.ids_of([WHITE])[0]
        return next(iter(known)) if len(known) == 1 else None

    def find(self, color: Color) -> int | None:
        """Return the id of a colour that is already known, also if compression changed it; ``None`` without one."""
        if color in self.colors:
            return self.colors[color]
        if color in self.palette:
            return self.palette[color]
        if len(set(color)) == 1 and color[0] in self.numbers:  # a gray level is its number
            return color[0]
        near = [i for other, i in {**self.palette, **self.colors}.items()
                if max(abs(a - b) for a, b in zip(color, other, strict=True)) <= TOLERANCE]
        return near[0] if len(set(near)) == 1 else None

    def ids_of(self, colors: Sequence[Color], *, exact: bool = True) -> list[int]:
        """Return the id of each colour of a mask. A new colour gets the next free id, or its index in DAVIS's palette.

        Args:
            colors: colours of one mask, without its background.
            exact: whether the colours are exact, not changed by compression.

        Raises:
            ValueError: if there are more than 255 objects.
        """
        # Colours of DAVIS's palette mean its indices also if other masks showed white, as masks of one object do.
        are_davis = all(color in self._davis for color in [*colors, *(set(self.colors) - {WHITE})])
        for color in colors:
            known = self._exactly(color) if exact else self.find(color)
            taken = self.known
            if known is None and are_davis and self._davis[color] not in \
                    {i for other, i in self.colors.items() if other != WHITE}:
                known = self._davis[color]
            if known is None:
                known = next((i for i in range(1, 256) if i not in taken), None)
            if known is None:
                raise ValueError('the masks of the sequence show more than 255 objects')
            self.colors[color] = known
        return [self.colors[color] for color in colors]

    def _exactly(self, color: Color) -> int | None:
        if color in self.colors or color in self.palette or len(set(color)) == 1 and color[0] in self.numbers:
            return self.find(color)
        return None

    def sentences(self) -> list[str]:
        """Return at most one sentence that says which object each colour is, if the masks do not make that obvious."""
        ids = list(self.colors.values())
        told = [f'{self.text(color)} is object {i}' for color, i in sorted(self.colors.items(), key=lambda of: of[1])
                if ids.count(i) > 1 or self._davis.get(color) != i and self.palette.get(color) != i]
        is_plain = len(self.known) < 2 and len(self.colors) < 2
        return [f'Colours of the masks: {", ".join(told)}.'] if told and not is_plain else []

    @staticmethod
    def text(color: Color) -> str:
        """Return the text that names a colour to people, such as ``'red (255, 0, 0)'``."""
        return f'{NAMES[color]} {color}' if color in NAMES else f'the colour {color}'

    def saved_palette(self) -> np.ndarray:
        """Return the palette for written masks, (256, 3) uint8 RGB: the user's colours, else DAVIS's; 0 is black."""
        table = color_palette()
        found = {**self.palette, **self.colors}
        for color, i in found.items():
            if i and color != WHITE and any(color):
                table[i] = color
        return table
