"""Formats Markdown tables that are also easy to read as plain text, for scores of several methods.

The library rich does not fit: its Markdown tables have no colons in the rule line, so a page would align numbers to the
left, and it wraps lines at a fixed width.
"""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table with all columns padded; the first column is aligned to the left, the others to the right.

    Args:
        header: titles of the columns.
        rows: cells as text, one per column.

    Raises:
        ValueError: if a row does not have one cell per column.
    """
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ['| ' + ' | '.join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) + ' |'
             for row in cells]
    rule = '|' + '|'.join('-' * (w + 1) + ('-' if i == 0 else ':') for i, w in enumerate(widths)) + '|'
    return '\n'.join([lines[0], rule, *lines[1:]])
