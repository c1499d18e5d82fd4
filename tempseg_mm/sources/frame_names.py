"""Which frame a name or a number means: masks and ground truth are found by it. Names decide where they can."""

import re
from collections import Counter
from collections.abc import Sequence

from .frame_source import FrameSource

MASK_WORDS = ('mask', 'masks', 'gt', 'groundtruth', 'ground_truth', 'label', 'labels', 'seg', 'segmentation', 'matte',
              'annotation', 'anno', 'alpha')
_WORD = f'(?:{"|".join(sorted(MASK_WORDS, key=len, reverse=True))})'
_BETWEEN = r'[_\-. ]+'
TELLING_DIGITS = 3  # fewer at the end of a name may count anything


def without_mask_word(stem: str) -> str:
    """``'00007_mask'``, ``'gt-00007'`` -> ``'00007'``; a name without such a word is returned as it is."""
    match = re.fullmatch(f'{_WORD}{_BETWEEN}(.+)|(.+?){_BETWEEN}{_WORD}', stem, re.IGNORECASE)
    return match[1] or match[2] if match else stem


def is_mask_word(stem: str) -> bool:
    """Whether a name is such a word and perhaps a number, as in ``'mask'`` and ``'gt_001'``."""
    return re.fullmatch(f'{_WORD}[_\\-. 0-9]*', stem, re.IGNORECASE) is not None


def last_digits(stem: str) -> str:
    """Digits at the end of a name; '' where there are none."""
    return re.search('[0-9]*$', stem)[0]


class FrameNames:
    """The frames of a source by name.

    Args:
        names: stems of all frames, by position; ``None``: they are called ``'00000'``, ``'00001'``, ....
        start: first frame of the part that is segmented.
        num_frames: how many there are from it on; ``None``: nobody knows.
        sequence: name of the source, for files that hold several.
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
        """Those of a source."""
        return cls(source.names, start=source.start, num_frames=source.num_frames, sequence=source.name)

    def name(self, i: int) -> str:
        """Of the frame at a position."""
        return self.names[i] if self.names is not None and 0 <= i < len(self.names) else f'{i:05d}'

    def called(self, stem: str) -> int | None:
        """Position of the frame that has exactly this name, in either case of letters."""
        if self.names is None:
            # Five digits are a frame's name, more may be a date.
            is_name = re.fullmatch('[0-9]{5}|[1-9][0-9]{5,}', stem) and (len(stem) == 5 or self._is_there(int(stem)))
            return int(stem) if is_name else None
        return self._by_name.get(stem.casefold())

    def meant(self, stem: str) -> int | None:
        """Position of the frame that a mask of this name is for: of the same name, but for a word such as ``mask``, or
        with the same digits at its end (three at least, or nothing else)."""
        bare = without_mask_word(stem)
        for name in (stem, bare):
            if (found := self.called(name)) is not None:
                return found
        digits = last_digits(bare)
        if self.names is None:
            return self.called(digits)
        return self._by_digits.get(digits) if len(digits) >= TELLING_DIGITS or digits == bare else None

    def is_within(self, i: int | None) -> bool:
        """Whether a frame is in the part that is segmented."""
        return i is not None and i >= self.start and (self.num_frames is None or i < self.start + self.num_frames)

    def numbers_differ(self, i: int) -> bool:
        """Whether a frame's name holds another number than its position."""
        digits = last_digits(self.name(i))
        return self.names is not None and digits != '' and int(digits) != i

    def place(self, what: str, number: str | None, stem: str | None) -> tuple[int | None, str]:
        """Which frame a mask or a box is for.

        Args:
            what: it, for notices.
            number: what is said after ``@``; ``None``: nothing.
            stem: name of its file, if it is one.

        Returns:
            The position, ``None`` where neither name nor number tell; and what is to be said of it, or ''.

        Raises:
            ValueError: a ``number`` that is none and no name of a frame.
        """
        named = None if stem is None else self.meant(stem)
        if number is None:
            return self._by_its_name(what, named)
        called = self.called(number)
        if called is not None and (not number.isdecimal() or called != int(number)):
            return called, f'{what} was taken for the frame called {self.name(called)}, frame {called} counted from 0'
        if not number.isdecimal():
            raise ValueError(f'{what}: there is no frame called {number!r}; frames are called {self.name(self.start)}, '
                             '... or counted from 0')
        i = int(number)
        if named is not None and named != i:
            return self._by_both(what, named, i, int(last_digits(without_mask_word(stem)) or -1))
        if self.numbers_differ(i) and self._is_there(i):
            other = next((name for name in self.names if last_digits(name) and int(last_digits(name)) == i), None)
            hint = f'; @{other} takes the one of that name' if other else ''
            return i, (f'{what} was taken for the frame called {self.name(i)}, as frames are counted from 0 whatever '
                       f'their names say{hint}')
        return i, ''

    def _by_its_name(self, what: str, named: int | None) -> tuple[int | None, str]:
        if named is None or named == self.start:
            return named, ''
        if not self.is_within(named):
            return None, (f'{what} has the name of frame {named}, which is not among those to segment, so its name was '
                          'left out of account; @FRAME says which frame it is for')
        return named, (f'{what} was taken for frame {named} ({self.name(named)}), as its name says; @{self.start} '
                       'takes it for the first one')

    def _by_both(self, what: str, named: int, i: int, own: int) -> tuple[int, str]:
        if own == i:
            other = f', and frame {i} counted from 0 is {self.name(i)}: rename the mask if that is meant' \
                if self._is_there(i) else ''
            return named, f'{what} was taken for {self.name(named)}, as its name says{other}'
        return i, (f'{what} was taken for frame {i} ({self.name(i)}), though it is named as frame {named}: leave out '
                   f'@{i} if its name is right')

    def _is_there(self, i: int) -> bool:
        return i < len(self.names) if self.names is not None else self.num_frames is None or (
            i < self.start + self.num_frames)
