"""What tests of the page draw, and a client that sends requests to its server over real connections."""

import http.client
import io
import json
import time
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

SIZE = (32, 48)
NUM_FRAMES = 6
PATIENCE = 60  # seconds


def disk(frame_id, object_id=1):
    """(H, W) uint8: where the object of a frame is."""
    mask = np.zeros(SIZE, np.uint8)
    mask[8:20, 8 + 2 * frame_id:22 + 2 * frame_id] = object_id
    return mask


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, 'PNG')
    return file.getvalue()


class Client:
    """Sends requests over real connections."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.address, self.host, self.base = address, parts.netloc, parts.path

    def ask(self, method, path, body=None, headers=None, *, base=None):
        """Send a request and return status, headers and body; dicts are sent, and answers decoded, as JSON."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            body = json.dumps(body) if isinstance(body, dict) else body
            connection.request(method, (self.base if base is None else base) + path, body, headers or {},
                               encode_chunked='Transfer-Encoding' in (headers or {}))
            answer = connection.getresponse()
            found = answer.read()
            if answer.headers.get_content_type() == 'application/json':
                found = json.loads(found)
            return SimpleNamespace(status=answer.status, headers=answer.headers, body=found)
        finally:
            connection.close()

    def events(self, until):
        """Events from now on, up to one of the type ``until``."""
        connection, ends = http.client.HTTPConnection(self.host, timeout=60), time.monotonic() + PATIENCE
        try:
            connection.request('GET', f'{self.base}api/events')
            with connection.getresponse() as answer:
                while line := answer.readline():  # also a sign of life every 15 seconds
                    if time.monotonic() > ends:
                        raise TimeoutError(f'none of {until} came in {PATIENCE} seconds')
                    if line.startswith(b'data: '):
                        event = json.loads(line[6:])
                        yield event
                        if event['type'] in until:
                            return
        finally:
            connection.close()

    def pixels(self, path):
        return np.asarray(Image.open(io.BytesIO(self.ask('GET', path).body)))

    def work(self, path, body=None, until=('done', 'stopped', 'error')):
        """Start a job and wait for its end; all events of it."""
        events = self.events(until)
        first = next(events)  # it listens
        answer = self.ask('POST', path, body or {})
        assert answer.status == 202, answer.body
        return [first, *events]
