import http.client
import logging
import socket
import threading
import time

import pytest
from annotator.small_page import Client

from tempseg_mm.annotator import PageServer
from tempseg_mm.annotator.server import HOST


def test_it_listens_on_this_machine_alone(workspace):
    with PageServer(workspace).in_background() as address:
        client = Client(address)
        port = int(client.host.partition(':')[2])
        assert client.host == f'{HOST}:{port}' == f'127.0.0.1:{port}'
        assert client.ask('GET', 'api/state').status == 200
        # Another address of this machine: 127.0.0.2 is refused, and so is everything that comes from outside.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(('127.0.0.2', port), timeout=5)
    with pytest.raises(ConnectionRefusedError):
        client.ask('GET', 'api/state')


def test_each_run_has_its_own_token(workspace):
    servers = [PageServer(workspace) for _ in range(2)]
    addresses = {server.address.rstrip('/').rpartition('/')[2] for server in servers}
    assert len(addresses) == 2
    for server in servers:
        server._socket.close()


def test_log_files_of_this_process_stay_open(workspace, tmp_path):
    file = logging.FileHandler(tmp_path / 'log')
    try:
        server = PageServer(workspace)
        server._socket.close()
        assert file.stream is not None
    finally:
        file.close()


def test_a_port_that_is_taken():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        for wrong in (port, 70000, -1):
            with pytest.raises(OSError, match=f'port {wrong} cannot be used .*--port 0 takes a free port'):
                PageServer(None, wrong)


def test_it_ends_while_somebody_listens(workspace):
    with PageServer(workspace).in_background() as address:
        client = Client(address)
        heard = []
        connection = http.client.HTTPConnection(client.host, timeout=20)
        connection.request('GET', f'{client.base}api/events')
        answer = connection.getresponse()
        assert answer.readline().startswith(b'data: ')
        thread = threading.Thread(target=lambda: heard.append(answer.read()))
        thread.start()
        started = time.monotonic()
    thread.join(20)
    assert heard and time.monotonic() - started < 5
    connection.close()


@pytest.mark.parametrize('display, opened', [('', []), (':0', ['page'])])
def test_a_browser_is_opened_where_there_is_a_desktop(workspace, monkeypatch, display, opened):
    found = []
    monkeypatch.setattr('webbrowser.open', lambda address: found.append('page'))
    monkeypatch.setattr('sys.platform', 'linux')
    monkeypatch.setenv('DISPLAY', display)
    monkeypatch.delenv('WAYLAND_DISPLAY', raising=False)
    server = PageServer(workspace)
    server.open_browser()
    server._socket.close()
    assert found == opened
