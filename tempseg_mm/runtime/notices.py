"""What a user should read of how inputs were taken: filled by readers, shown on terminal, in results and on pages."""

import os
from collections.abc import Iterator


class Notices:
    """Sentences in the order they came, each once; of many files that fare alike the first is named.

    ::

        notices.add('has soft edges: half of its largest value or more is object', file='masks/00000.png')
        notices.add('has soft edges: half of its largest value or more is object', file='masks/00001.png')
        list(notices)  # ['masks/00000.png has soft edges: ... is object (1 more file likewise)']

    Args:
        kind: what :meth:`add` calls a file: 'file', or 'sequence'.
    """

    def __init__(self, kind: str = 'file') -> None:
        self.kind = kind
        self._files: dict[str, dict] = {}

    def add(self, sentence: str, *, file: str | os.PathLike | None = None) -> None:
        """Note something.

        Args:
            sentence: whole, or what a file is or has, the way to another reading included; no full stop where a file
                is named.
            file: what it is about.
        """
        self._files.setdefault(sentence, {}).update({} if file is None else {os.fspath(file): None})

    def update(self, others: 'Notices') -> None:
        """Note all that others hold."""
        for sentence, files in others._files.items():
            self._files.setdefault(sentence, {}).update(files)

    def __iter__(self) -> Iterator[str]:
        for sentence, files in self._files.items():
            first, rest = next(iter(files), None), len(files) - 1
            more = f' ({rest} more {self.kind}{"s" if rest > 1 else ""} likewise)' if rest > 0 else ''
            yield sentence if first is None else f'{first} {sentence}{more}'

    def __len__(self) -> int:
        return len(self._files)
