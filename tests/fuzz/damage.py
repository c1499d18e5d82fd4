"""What the fuzz tests share: valid files with a few bytes changed, and how much is tried. The same cases every time."""

import struct
import zlib

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

PNG = b'\x89PNG\r\n\x1a\n'
# Sides and lengths that overflow, turn negative, or ask for more memory than there is.
NUMBERS = [0, 1, 2, 255, 2 ** 15, 2 ** 16, 10 ** 5, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]


def budget(max_examples: int) -> settings:
    """Settings of a fuzz test: so many cases, derived from the test itself and not from chance or the clock."""
    return settings(max_examples=max_examples, deadline=None, derandomize=True, database=None,
                    report_multiple_bugs=False,
                    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn, files: list) -> bytes:
    """One of these files after one to four of: bytes changed, cut off, left out, put in, a number of four bytes set."""
    content = bytearray(draw(st.sampled_from(files)))
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(['change', 'cut', 'leave out', 'put in', 'number', 'number']))
        if kind == 'change':
            content[place:place + 1] = draw(st.binary(min_size=1, max_size=1))
        elif kind == 'cut':
            del content[place:]
        elif kind == 'leave out':
            del content[place:place + draw(st.integers(1, 20))]
        elif kind == 'put in':
            content[place:place] = draw(st.binary(min_size=1, max_size=8))
        else:
            place = draw(st.integers(0, 32))  # where headers are
            content[place:place + 4] = struct.pack(draw(st.sampled_from('<>')) + 'I', draw(st.sampled_from(NUMBERS)))
    if content.startswith(PNG) and draw(st.booleans()):
        return with_checksums(bytes(content))  # else hardly any damage gets past them
    return bytes(content)


def with_checksums(png: bytes) -> bytes:
    """A PNG whose chunks all have the checksum that fits them, as far as there are whole chunks."""
    out, at = png[:len(PNG)], len(PNG)
    while at + 12 <= len(png):
        length, = struct.unpack('>I', png[at:at + 4])
        body = png[at + 4:at + 8 + length]
        if len(body) < 4 + length:
            break
        out += png[at:at + 4] + body + struct.pack('>I', zlib.crc32(body))
        at += 12 + length
    return out + png[at:]
