"""One thing looked at, and how a list of them is shown. Used by everything in the doctor; relies on nothing."""

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

OK, NOTE, MISSING, TOO_OLD, BROKEN, WRONG = 'ok', 'note', 'missing', 'too old', 'broken', 'wrong'
WELL = (OK, NOTE)


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        name: of the thing, or its place in the config.
        state: 'ok', 'note' (well, but worth knowing), 'missing', 'too old', 'broken' or 'wrong'.
        text: what was found, on a line.
        remedy: the command, or the words, that mend it.
        needed: whether the project does without.
    """
    name: str
    state: str
    text: str = ''
    remedy: str = ''
    needed: bool = True

    @property
    def is_fault(self) -> bool:
        """Whether something that is needed is not well."""
        return self.needed and self.state not in WELL


def lines(checks: Iterable[Check], *, width: int | None = None) -> list[str]:
    """A line for each check, and one more for what mends it; longer texts are wrapped.

    Args:
        checks: in order.
        width: columns; default: those of the terminal, at most 120.
    """
    checks = list(checks)
    width = width or min(shutil.get_terminal_size((120, 24)).columns, 120)
    column = max((len(check.name) for check in checks), default=0)
    column = min(column, 24)
    shown = []
    for check in checks:
        state = check.state if check.needed or check.state in WELL else f'({check.state})'
        indent = ' ' * 13
        shown += textwrap.wrap(f'  {state:10} {check.name:{column}}  {check.text}'.rstrip(), width,
                               subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
        if check.remedy and check.state != OK:
            shown.append(f'{indent}-> {check.remedy}')  # unwrapped: it is there to be copied
    return shown
