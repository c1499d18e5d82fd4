"""The HTTP server of the page: uvicorn on 127.0.0.1, in this thread or (for tests and other programs) in another."""

import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from .app import make_app
from .guard import Guard, new_token
from .workspace import Workspace

HOST = '127.0.0.1'
PATIENCE = 2  # seconds that open connections get to finish when the server ends


class PageServer:
    """Serves a workspace to browsers on this machine.

    ::

        server = PageServer(workspace)
        print(server.address)
        server.run()  # until Ctrl-C

    Args:
        workspace: the session that the page shows and changes. The caller closes it.
        port: port of the server; 0: any free port.

    Attributes:
        address: URL of the page. Anyone on this machine who knows it can do everything that the page can.

    Raises:
        OSError: if the port is taken or may not be used.
    """

    def __init__(self, workspace: Workspace, port: int = 0) -> None:
        self._workspace = workspace
        self._socket = _bound(port)
        port, token = self._socket.getsockname()[1], new_token()
        self.address = f'http://{HOST}:{port}/{token}/'
        # No log of requests, because it would hold the token. No log set-up by uvicorn (log_config=None), because that
        # would close the log files of this process.
        config = uvicorn.Config(
            Guard(make_app(workspace, token), token, port), log_config=None, log_level='error', access_log=False,
            lifespan='off', ws='none', http='h11', server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=PATIENCE)
        self._server = _Server(config, on_shutdown=workspace.hub.close)

    def run(self) -> None:
        """Serve until SIGINT or SIGTERM arrives, then raise the signal again. Call this in the main thread."""
        self._server.run(sockets=[self._socket])

    def open_browser(self) -> None:
        """Open the page in the browser of the desktop. Without a desktop, do nothing: a text browser would block."""
        has_desktop = sys.platform != 'linux' or os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        if has_desktop:
            webbrowser.open(self.address)

    @contextmanager
    def in_background(self) -> Iterator[str]:
        """Serve in another thread while the block runs; gives the address."""
        thread = threading.Thread(target=self.run, name='page server', daemon=True)
        thread.start()
        try:
            yield self.address
        finally:
            self._server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """A uvicorn server that first ends the endless answers of ``api/events``, since shutdown waits for all answers."""

    def __init__(self, config: uvicorn.Config, on_shutdown: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_shutdown = on_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_shutdown()
        await super().shutdown(sockets)


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
        bound.listen()  # a browser may connect before the server runs
    except (OSError, OverflowError) as error:
        bound.close()
        raise OSError(f'port {port} cannot be used ({error}): --port 0 takes a free port') from error
    return bound
