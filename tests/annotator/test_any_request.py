"""Requests that no page sends, to the real server: each is answered with 2xx or 4xx, and nothing is logged."""

import contextlib
import http.client
import json
import logging
import socket

import pytest
from annotator.small_page import Client, disk, png
from fuzz.damage import budget
from hypothesis import given
from hypothesis import strategies as st

from tempseg_mm.annotator import PageServer, Workspace

METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE']
PLACES = ['', 'api/state', 'api/frames/0.jpg', 'api/masks/0.png', 'api/masks/1', 'api/select', 'api/objects',
          'api/objects/1', 'api/segment', 'api/go-on', 'api/stop', 'api/export', 'api/exports/masks',
          'api/exports/report.html', 'static/base.css', 'static/annotate.html']
ODD = ['../', '%2e%2e/', '..%2f..%2fsetup.py', '%00', '%ff', 'static/../app.py', 'static/%2e%2e%2fapp.py', 'static//',
       'api/frames/-1.jpg', 'api/frames/999999999999999999999.jpg', f'api/frames/{"9" * 5000}.jpg', 'api/frames/x.jpg',
       'api/exports/..%2fsession.json', 'api/exports/.session', 'api/masks/0.png?download', '?' + 'a=b&' * 500, 'ä' * 9]
numbers = st.one_of(st.integers(-2, 8), st.integers(), st.floats(), st.booleans(), st.none(), st.text(max_size=3))
values = st.recursive(numbers, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
    st.sampled_from(['x', 'y', 'inside']), inner, max_size=3), max_leaves=8)
click = st.fixed_dictionaries(dict(x=numbers, y=numbers, inside=st.booleans()))
KEYS = ['frame', 'object', 'box', 'labels', 'name', 'kinds', 'direction']
body = st.dictionaries(st.sampled_from(KEYS), values).flatmap(
    lambda found: st.lists(click, max_size=3).map(lambda clicks: {**found, 'clicks': clicks}))
bodies = st.one_of(st.none(), st.binary(max_size=200), st.just(png(disk(0))), st.just(png(disk(0))[:50]),
                   body.map(lambda value: json.dumps(value).encode()), st.just(b'[' * 20000), st.just(b'{"a":' * 20000))
headers = st.dictionaries(st.sampled_from(['Origin', 'Content-Type', 'X-Tab', 'Accept', 'Range', 'Content-Encoding']),
                          st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=12))


@pytest.fixture(scope='module')
def logged():
    """Everything that is logged from errors on."""
    found, handler = [], logging.Handler(logging.ERROR)
    handler.emit = found.append
    loggers = [logging.getLogger(name) for name in (None, 'uvicorn', 'uvicorn.error', 'asyncio', 'mmengine')]
    for logger in loggers:
        logger.addHandler(handler)
    yield found
    for logger in loggers:
        logger.removeHandler(handler)


@pytest.fixture(scope='module')
def client(session, logged):
    """A client of a session whose jobs do nothing, since only the requests are tested here."""
    session.add_object()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, 'segment', lambda on_progress: iter(()))
        patch.setattr(session, 'go_on', lambda *arguments, **keywords: iter(()))
        with Workspace(session, str, {}) as workspace, PageServer(workspace).in_background() as address:
            yield Client(address)


@budget(80)
@given(method=st.sampled_from(METHODS), path=st.sampled_from(PLACES + ODD), body=bodies, headers=headers)
def test_every_request_has_an_answer(client, logged, method, path, body, headers):
    try:
        answer = client.ask(method, path.encode('utf-8').decode('latin-1'), body, headers)
    except (ValueError, UnicodeEncodeError, http.client.InvalidURL):
        return  # http.client refuses to send it
    assert 200 <= answer.status < 300 or 400 <= answer.status < 500, (answer.status, answer.body)
    assert not logged, [record.getMessage() for record in logged]


@budget(25)
@given(data=st.one_of(st.binary(min_size=1, max_size=300), st.just(b'GET / HTTP/9.9\r\n\r\n'), st.just(b'\x16\x03\x01'),
                      st.just(b'GET /' + b'a' * 100_000 + b' HTTP/1.1\r\n\r\n')))
def test_what_is_no_request(client, logged, data):
    host, port = client.host.split(':')
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        with contextlib.suppress(OSError):  # it may hang up in between
            connection.sendall(data + b'\r\n\r\n')
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(100)
            assert not answer or answer.split()[1].startswith(b'4'), answer
    assert not logged, [record.getMessage() for record in logged]
    assert client.ask('GET', 'api/state').status == 200
