"""Admits only requests from the page that this server delivered to a browser on this machine.

Any web page that is open in a browser can send requests to 127.0.0.1. The token keeps out everyone who does not know
the address. The check of ``Host`` keeps out foreign host names that resolve to 127.0.0.1. The check of ``Origin`` keeps
out pages of other sites.
"""

import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .messages import MOST_BYTES

NAMES = ('127.0.0.1', 'localhost')
HEADERS = {
    'Content-Security-Policy': "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'; "
                               "base-uri 'none'; form-action 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',  # the address holds the token
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
}
NEW_TOKEN_BYTES = 18


def new_token() -> str:
    """Make a random text for addresses that nobody can guess."""
    return secrets.token_urlsafe(NEW_TOKEN_BYTES)


class Guard:
    """ASGI middleware that admits requests with the right host, origin, token and length.

    Args:
        app: application that gets the admitted requests.
        token: first part of every valid path.
        port: port of the server.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self._hosts = {f'{name}:{port}' for name in NAMES} | (set(NAMES) if port == 80 else set())
        self._origins = {f'http://{host}' for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer with the status and reason of the refusal (ASGI interface)."""
        if scope['type'] != 'http':
            return
        async def send_guarded(message: Message) -> None:
            if message['type'] == 'http.response.start':
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)
        refusal = self._refusal(scope)
        if refusal is not None:
            status, sentence = refusal
            await JSONResponse(dict(error=sentence), status)(scope, receive, send_guarded)
        else:
            await self.app(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = Headers(scope=scope)
        if headers.getlist('host') != [headers.get('host')] or headers['host'].lower() not in self._hosts:
            return 403, 'this server answers only requests to 127.0.0.1 and localhost'
        if not set(headers.getlist('origin')) <= self._origins:
            return 403, 'this server does not answer pages of other sites'
        given = scope['path'].split('/')[1] if scope['path'].startswith('/') else ''
        if not secrets.compare_digest(given.encode('utf-8', 'surrogateescape'), self.token.encode()):
            return 404, 'there is nothing here: open the address that the terminal shows'
        length = headers.get('content-length', '0')
        if not length.isdecimal() or len(length) > 18 or int(length) > MOST_BYTES:
            return 413, f'a request may have at most {MOST_BYTES} bytes'
        return None
