"""Tables in Markdown that are as easy to read as plain text. Used wherever scores of several methods stand together.

Not rich: its Markdown tables have no colons in the rule, so a page would show numbers to the left, and wrap at a width.
"""

from collections.abc import Sequence


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns padded to one width; the first to the left, the others to the right.

    Args:
        header: titles of the columns.
        rows: cells as text, as many as titles in each.

    Raises:
        ValueError: a row with another number of cells than the header.
    """
    cells = [list(header), *(list(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ['| ' + ' | '.join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))]) + ' |'
             for row in cells]
    rule = '|' + '|'.join('-' * (w + 1) + ('-' if i == 0 else ':') for i, w in enumerate(widths)) + '|'
    return '\n'.join([lines[0], rule, *lines[1:]])
