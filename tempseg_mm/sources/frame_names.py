"""Finds the frame that a name or a number means, for masks, boxes and ground truth. A name counts before a number."""

import re
from collections import Counter
from collections.abc import Sequence

from .frame_source import FrameSource

MASK_WORDS = ('mask', 'masks', 'gt', 'groundtruth', 'ground_truth', 'label', 'labels', 'seg', 'segmentation', 'matte',
              'annotation', 'anno', 'alpha')
_WORD = f'(?:{"|".join(sorted(MASK_WORDS, key=len, reverse=True))})'
_BETWEEN = r'[_\-. ]+'
TELLING_DIGITS = 3  # fewer digits at the end of a name may count something else than frames


def without_mask_word(stem: str) -> str:
    """Return a name without its mask word: ``'00007_mask'`` and ``'gt-00007'`` become ``'00007'``."""
    match = re.fullmatch(f'{_WORD}{_BETWEEN}(.+)|(.+?){_BETWEEN}{_WORD}', stem, re.IGNORECASE)
    return match[1] or match[2] if match else stem


def is_mask_word(stem: str) -> bool:
    """Return True if a name is a mask word, perhaps with a number, such as ``'mask'`` and ``'gt_001'``."""
    return re.fullmatch(f'{_WORD}[_\\-. 0-9]*', stem, re.IGNORECASE) is not None


def last_digits(stem: str) -> str:
    """Return the digits at the end of a name; '' without any."""
    return re.search('[0-9]*$', stem)[0]


class FrameNames:
    """Finds the frames of a source by name.

    A position is the number of a frame in the whole source, counted from 0.

    Args:
        names: stems of all frames, by position; ``None``: they are called ``'00000'``, ``'00001'``, ....
        start: first frame of the part that is segmented.
        num_frames: number of frames in that part; ``None`` if it is not known.
        sequence: name of the source, for mask files that hold several sequences.
    """

    def __init__(self, names: Sequence[str] | None = None, *, start: int = 0, num_frames: int | None = None,
                 sequence: str = '') -> None:
        self.names, self.start, self.num_frames, self.sequence = names, start, num_frames, sequence
        self._by_name = {name.casefold(): i for i, name in enumerate(names or ())}
        digits = Counter(map(last_digits, names or ()))
        self._by_digits = {last_digits(name): i for i, name in enumerate(names or ())
                           if digits[last_digits(name)] == 1 and last_digits(name)}

    @classmethod
    def of(cls, source: FrameSource) -> 'FrameNames':
        """Make the names of a source's frames."""
        return cls(source.names, start=source.start, num_frames=source.num_frames, sequence=source.name)

    def name(self, i: int) -> str:
        """Return the name of the frame at a position."""
        return self.names[i] if self.names is not None and 0 <= i < len(self.names) else f'{i:05d}'

    def called(self, stem: str) -> int | None:
        """Return the position of the frame with exactly this name, ignoring case; ``None`` without one."""
        if self.names is None:
            # Five digits are the name of a frame. More digits may be a date, so the frame must exist.
            is_name = re.fullmatch('[0-9]{5}|[1-9][0-9]{5,}', stem) and (len(stem) == 5 or self._is_there(int(stem)))
            return int(stem) if is_name else None
        return self._by_name.get(stem.casefold())

    def meant(self, stem: str) -> int | None:
        """Return the position of the frame that a mask of this name is for; ``None`` without one.

        The frame has the same name, apart from a word such as ``mask``, or else the same digits at its end, if there
        are at least three or the mask's name has nothing else.
        """
        bare = without_mask_word(stem)
        for name in (stem, bare):
            if (found := self.called(name)) is not None:
                return found
        digits = last_digits(bare)
        if self.names is None:
            return self.called(digits)
        return self._by_digits.get(digits) if len(digits) >= TELLING_DIGITS or digits == bare else None

    def is_within(self, i: int | None) -> bool:
        """Return True if a position lies in the part that is segmented."""
        return i is not None and i >= self.start and (self.num_frames is None or i < self.start + self.num_frames)

    def numbers_differ(self, i: int) -> bool:
        """Return True if the name of a frame ends in another number than its position."""
        digits = last_digits(self.name(i))
        return self.names is not None and digits != '' and int(digits) != i

    def place(self, what: str, number: str | None, stem: str | None) -> tuple[int | None, str]:
        """Find the frame that a mask or a box is for.

        Args:
            what: the mask or box, for notices, such as ``'mask dog.png'``.
            number: text after ``@``, the name or position of a frame; ``None`` without one.
            stem: stem of the mask's file; ``None`` if it is no file.

        Returns:
            The position, ``None`` if neither name nor number tell it; and a notice for the user, or ''.

        Raises:
            ValueError: if ``number`` is neither a position nor the name of a frame.
        """
        named = None if stem is None else self.meant(stem)
        if number is None:
            return self._by_its_name(what, named)
        called = self.called(number)
        if called is not None and (not number.isdecimal() or called != int(number)):
            return called, f'{what} was taken for the frame called {self.name(called)}, frame {called} counted from 0'
        if not number.isdecimal():
            raise ValueError(f'{what}: there is no frame called {number!r}; give a name ({self.name(self.start)}, ...) '
                             'or a number, counted from 0')
        i = int(number)
        if named is not None and named != i:
            return self._by_both(what, named, i, int(last_digits(without_mask_word(stem)) or -1))
        if self.numbers_differ(i) and self._is_there(i):
            other = next((name for name in self.names if last_digits(name) and int(last_digits(name)) == i), None)
            hint = f'; @{other} takes the frame of that name' if other else ''
            return i, (f'{what} was taken for the frame called {self.name(i)}, because frames are counted from 0 '
                       f'whatever their names say{hint}')
        return i, ''

    def _by_its_name(self, what: str, named: int | None) -> tuple[int | None, str]:
        if named is None or named == self.start:
            return named, ''
        if not self.is_within(named):
            return None, (f'{what} has the name of frame {named}, which is not among those to segment, so its name was '
                          'ignored; @FRAME says which frame it is for')
        return named, (f'{what} was taken for frame {named} ({self.name(named)}) because of its name; @{self.start} '
                       'takes it for the first frame')

    def _by_both(self, what: str, named: int, i: int, own: int) -> tuple[int, str]:
        if own == i:
            other = f'. Frame {i} counted from 0 is {self.name(i)}: rename the mask if you mean that frame' \
                if self._is_there(i) else ''
            return named, f'{what} was taken for {self.name(named)} because of its name{other}'
        return i, (f'{what} was taken for frame {i} ({self.name(i)}), although it is named like frame {named}: leave '
                   f'out @{i} if its name is right')

    def _is_there(self, i: int) -> bool:
        return i < len(self.names) if self.names is not None else self.num_frames is None or (
            i < self.start + self.num_frames)
