"""The server itself: uvicorn on 127.0.0.1, in this thread or, for tests and other programs, in one of its own."""

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
PATIENCE = 2  # seconds that open connections have when the server ends


class PageServer:
    """Serves a workspace to the browsers of this machine.

    ::

        server = PageServer(workspace)
        print(server.address)
        server.run()  # until Ctrl-C

    Args:
        workspace: what the page shows and changes; closing it is up to the caller.
        port: ``0``: a free one.

    Attributes:
        address: of the page; whoever knows it may do everything that the page can.

    Raises:
        OSError: if the port is taken or may not be used.
    """

    def __init__(self, workspace: Workspace, port: int = 0) -> None:
        self._workspace = workspace
        self._socket = _bound(port)
        port, token = self._socket.getsockname()[1], new_token()
        self.address = f'http://{HOST}:{port}/{token}/'
        # Only what is wrong with the server is told: the log of requests would hold the token. And by whoever writes
        # logs already: uvicorn's own set-up of logging closes the log files of this process.
        config = uvicorn.Config(
            Guard(make_app(workspace, token), token, port), log_config=None, log_level='error', access_log=False,
            lifespan='off', ws='none', http='h11', server_header=False, proxy_headers=False,
            timeout_graceful_shutdown=PATIENCE)
        self._server = _Server(config, on_shutdown=workspace.hub.close)

    def run(self) -> None:
        """Serve until a signal comes, which then does what it did before; in the main thread."""
        self._server.run(sockets=[self._socket])

    def open_browser(self) -> None:
        """Open the page in the browser of the desktop, where there is one; a browser in the terminal would block it."""
        has_desktop = sys.platform != 'linux' or os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        if has_desktop:
            webbrowser.open(self.address)

    @contextmanager
    def in_background(self) -> Iterator[str]:
        """Inside, another thread serves; gives the address."""
        thread = threading.Thread(target=self.run, name='page server', daemon=True)
        thread.start()
        try:
            yield self.address
        finally:
            self._server.should_exit = True
            thread.join()


class _Server(uvicorn.Server):
    """Ends the endless answers of ``api/events`` first, which it would wait for."""

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
        bound.listen()  # a browser may come before the server runs
    except (OSError, OverflowError) as error:
        bound.close()
        raise OSError(f'port {port} cannot be used ({error}): --port 0 takes a free one') from error
    return bound
