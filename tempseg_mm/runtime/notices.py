"""Sentences that tell the user how inputs were read. Readers add them; the terminal, results and pages show them."""

import os
from collections.abc import Iterator


class Notices:
    """Holds sentences in order, each once. If a sentence is true of many files, it names the first and counts the rest.

    ::

        notices.add('has soft edges: half of its largest value or more is object', file='masks/00000.png')
        notices.add('has soft edges: half of its largest value or more is object', file='masks/00001.png')
        list(notices)  # ['masks/00000.png has soft edges: ... is object (same for 1 more file)']

    Args:
        kind: noun for the things that :meth:`add` names as ``file``: 'file' or 'sequence'.
    """

    def __init__(self, kind: str = 'file') -> None:
        self.kind = kind
        self._files: dict[str, dict] = {}

    def add(self, sentence: str, *, file: str | os.PathLike | None = None) -> None:
        """Add a sentence.

        Args:
            sentence: a whole sentence or, with ``file``, its predicate without a full stop ("has soft edges ..."). It
                says how to get another reading, if there is one.
            file: the file that the sentence is about.
        """
        self._files.setdefault(sentence, {}).update({} if file is None else {os.fspath(file): None})

    def update(self, others: 'Notices') -> None:
        """Add all sentences of ``others``."""
        for sentence, files in others._files.items():
            self._files.setdefault(sentence, {}).update(files)

    def __iter__(self) -> Iterator[str]:
        for sentence, files in self._files.items():
            first, rest = next(iter(files), None), len(files) - 1
            more = f' (same for {rest} more {self.kind}{"s" if rest > 1 else ""})' if rest > 0 else ''
            yield sentence if first is None else f'{first} {sentence}{more}'

    def __len__(self) -> int:
        return len(self._files)
