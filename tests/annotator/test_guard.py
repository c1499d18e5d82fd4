"""Which requests get an answer. Each refusal is tested over a real connection."""

import socket

import pytest

from tempseg_mm.annotator import guard
from tempseg_mm.annotator.messages import MOST_BYTES, MOST_BYTES_OF_WORDS

OTHER_TOKEN = 'a' * 24


@pytest.mark.parametrize('headers, status', [
    ({}, 200),
    ({'Host': 'localhost:{port}'}, 200), ({'Host': 'LOCALHOST:{port}'}, 200), ({'Host': '127.0.0.1:{port}'}, 200),
    ({'Host': 'example.com'}, 403), ({'Host': 'example.com:{port}'}, 403), ({'Host': '127.0.0.1'}, 403),
    ({'Host': '127.0.0.1:1'}, 403), ({'Host': ''}, 403), ({'Host': '0.0.0.0:{port}'}, 403),
    ({'Host': 'localhost:{port}.example.com'}, 403), ({'Host': 'localhost:{port}@example.com'}, 403),
    ({'Origin': 'http://127.0.0.1:{port}'}, 200), ({'Origin': 'http://localhost:{port}'}, 200),
    ({'Origin': 'http://example.com'}, 403), ({'Origin': 'null'}, 403), ({'Origin': ''}, 403),
    ({'Origin': 'https://127.0.0.1:{port}'}, 403), ({'Origin': 'http://127.0.0.1:1'}, 403),
])
def test_host_and_origin(client, headers, status):
    port = client.host.partition(':')[2]
    answer = client.ask('GET', 'api/state', headers={name: value.format(port=port) for name, value in headers.items()})
    assert answer.status == status
    assert status == 200 or set(answer.body) == {'error'}


@pytest.mark.parametrize('base', [
    '/', '', '//', f'/{OTHER_TOKEN}/', '/{token}x/', '/{short}/', '/%C3%A9/', '/../{token}/'])
def test_without_the_token_there_is_nothing(client, base):
    token = client.base.strip('/')
    answer = client.ask('GET', 'api/state', base=base.format(token=token, short=token[:-1]) or '/')
    assert answer.status == 404 and token not in str(answer.body)
    assert 'open the address that the terminal shows' in answer.body['error']


@pytest.mark.parametrize('length', [MOST_BYTES + 1, 10 ** 30, -1, 'many'])
def test_what_is_too_long_is_refused_before_it_is_sent(client, length):
    host, port = client.host.split(':')
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(f'PUT {client.base}api/masks/0 HTTP/1.1\r\nHost: {client.host}\r\n'
                           f'Content-Length: {length}\r\n\r\n'.encode())
        status = int(connection.recv(100).split()[1])
    assert status == 413 if isinstance(length, int) and 0 < length < 10 ** 18 else status in (400, 413)


def test_what_is_too_long_without_saying_so_is_given_up(client):
    pieces = (b'x' * (MOST_BYTES_OF_WORDS // 2 + 1) for _ in range(2))  # sent in chunks, without a length
    answer = client.ask('POST', 'api/objects', pieces, {'Transfer-Encoding': 'chunked'})
    assert answer.status == 413


def test_browsers_are_told_to_keep_strangers_out(client):
    for path in ('', 'api/state', 'static/base.css', 'api/nothing'):
        headers = client.ask('GET', path).headers
        assert "default-src 'self'" in headers['Content-Security-Policy']
        assert "frame-ancestors 'none'" in headers['Content-Security-Policy']
        assert (headers['X-Content-Type-Options'], headers['Referrer-Policy']) == ('nosniff', 'no-referrer')
        assert 'Access-Control-Allow-Origin' not in headers


def test_tokens_cannot_be_guessed():
    tokens = {guard.new_token() for _ in range(100)}
    assert len(tokens) == 100 and min(map(len, tokens)) >= 24
