"""The result of one check, and how a list of results is shown. Every module of the doctor uses it."""

import shutil
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

OK, NOTE, MISSING, TOO_OLD, BROKEN, WRONG = 'ok', 'note', 'missing', 'too old', 'broken', 'wrong'
WELL = (OK, NOTE)


@dataclass(frozen=True)
class Check:
    """The result of one check.

    Attributes:
        name: what was checked: a thing, or a place in the config.
        state: 'ok', 'note' (fine, but worth knowing), 'missing', 'too old', 'broken' or 'wrong'.
        text: what was found, in one line.
        remedy: the command or the advice that fixes it.
        needed: False if the project works without it.
    """
    name: str
    state: str
    text: str = ''
    remedy: str = ''
    needed: bool = True

    @property
    def is_fault(self) -> bool:
        """True if something that the project needs is at fault."""
        return self.needed and self.state not in WELL


def lines(checks: Iterable[Check], *, width: int | None = None) -> list[str]:
    """Return the lines that show the checks: one per check and one for its remedy. Longer texts are wrapped.

    Args:
        checks: the checks, in order.
        width: number of columns; default: width of the terminal, at most 120.
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
            shown.append(f'{indent}-> {check.remedy}')  # not wrapped, so that it can be copied
    return shown
