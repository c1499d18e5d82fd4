"""The HTTP endpoints of the annotation page. docs/annotating.md describes the page for its users."""

import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from tempseg_mm.apis.session.session import Session
from tempseg_mm.sources.selection import select_object
from tempseg_mm.visualization.palette import color_palette
from tempseg_mm.visualization.report import page

from . import messages
from .downloads import attached, download
from .jobs import BusyError
from .workspace import Workspace

STATIC = Path(__file__).with_name('static')
SHARED = {'base.css': Path(page.__file__).with_name('templates') / 'base.css'}  # styles shared with reports
# Headers: the browser may reuse an answer for an hour, must not store it, must ask before it reuses it.
KEPT, FRESH, ASKED = ({'Cache-Control': value} for value in ('private, max-age=3600', 'no-store', 'no-cache'))
PATIENCE = 15.0  # seconds without an event after which the event stream sends a sign of life
PICTURE = 'image/png'


def make_app(workspace: Workspace, token: str) -> Starlette:
    """Make the application that serves the page below ``/<token>/``. ``Guard`` must check requests before it."""
    return Starlette(routes=[Mount(f'/{token}', routes=_Answers(workspace).routes())], exception_handlers={
        HTTPException: lambda request, error: _refusal(error.status_code, error.detail),
        ImportError: lambda request, error: _refusal(400, str(error)),
        ValueError: lambda request, error: _refusal(400, str(error)),
        LookupError: lambda request, error: _refusal(404, str(error.args[0] if error.args else error)),
        BusyError: lambda request, error: _refusal(409, str(error)),
        OSError: lambda request, error: _refusal(507, str(error)),
        ClientDisconnect: lambda request, error: _refusal(400, 'the request ended too early'),
        Exception: lambda request, error: _refusal(500, f'{type(error).__name__}: {error}')})


def _refusal(status: int, sentence: str) -> JSONResponse:
    return JSONResponse(dict(error=sentence), status, FRESH)


def _with_body(read: Callable[[Request], Awaitable]) -> Callable:
    """Make a decorator for an endpoint that takes the body as its second argument.

    ``read`` reads the body first. The endpoint then runs in a thread, so that decoding and disks do not block the loop.
    """
    def decorate(answer: Callable) -> Callable:
        @wraps(answer)
        async def endpoint(self: '_Answers', request: Request) -> Response:
            return await run_in_threadpool(answer, self, request, await read(request))
        return endpoint
    return decorate


async def _read_long_json(request: Request) -> dict:
    return await messages.read_json(request, messages.MOST_BYTES)


class _Answers:
    """One method per endpoint. Starlette runs methods that are not coroutines in a thread."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def routes(self) -> list[Route]:
        frame, one_object = '{frame:int}', '{object_id:int}'
        table = [
            ('GET', '/', self.page), ('GET', '/static/{name}', self.static), ('GET', '/api/state', self.state),
            ('GET', '/api/events', self.events), ('GET', f'/api/frames/{frame}.jpg', self.frame),
            ('GET', f'/api/masks/{frame}.png', self.mask), ('PUT', f'/api/masks/{frame}', self.give),
            ('DELETE', f'/api/masks/{frame}', self.take_back), ('POST', '/api/select', self.select),
            ('POST', '/api/objects', self.add_object), ('PATCH', f'/api/objects/{one_object}', self.rename_object),
            ('DELETE', f'/api/objects/{one_object}', self.remove_object), ('POST', '/api/segment', self.segment),
            ('POST', '/api/go-on', self.go_on), ('POST', '/api/stop', self.stop), ('POST', '/api/export', self.export),
            ('GET', '/api/exports/{name}', self.download),
        ]
        return [Route(path, endpoint, methods=[method]) for method, path, endpoint in table]

    def page(self, request: Request) -> Response:
        return FileResponse(STATIC / 'annotate.html', headers=ASKED)

    def static(self, request: Request) -> Response:
        known = {path.name: path for path in STATIC.iterdir()} | SHARED
        if request.path_params['name'] not in known:
            raise HTTPException(404, 'there is no such file')
        return FileResponse(known[request.path_params['name']], headers=ASKED)

    def state(self, request: Request) -> Response:
        return JSONResponse(self.workspace.state(), headers=FRESH)

    def frame(self, request: Request) -> Response:
        frame_id = self._frame(request)
        jpeg = self.workspace.jpeg(frame_id, whole='full' in request.query_params)
        return Response(jpeg, media_type='image/jpeg', headers=KEPT)

    def mask(self, request: Request) -> Response:
        frame_id, session = self._frame(request), self.workspace.session
        labels = session.labels(frame_id)
        if labels is None:
            return Response(status_code=204, headers=FRESH)
        given = ','.join(map(str, session.given.get(frame_id, ())))
        if 'download' not in request.query_params:
            return Response(messages.png_of(labels), media_type=PICTURE, headers={**FRESH, 'X-Given': given})
        picture, file = Image.fromarray(labels), io.BytesIO()
        picture.putpalette(color_palette().tobytes())
        picture.save(file, 'PNG')
        name = f'{session.file_name(frame_id)}.png'
        return Response(file.getvalue(), media_type=PICTURE, headers={**FRESH, **attached(name)})

    @_with_body(messages.read_body)
    def give(self, request: Request, body: bytes) -> Response:
        frame_id, size = self._frame(request), self.workspace.session.size
        if 'read' in request.query_params:
            labels = messages.mask_of_a_person(body, size)
            return self._changed(request, lambda session: _give_read(session, frame_id, labels), frame_id)
        labels = messages.ids_of(body, size)
        return self._changed(request, lambda session: session.give(frame_id, labels), frame_id)

    def take_back(self, request: Request) -> Response:
        frame_id = self._frame(request)
        return self._changed(request, lambda session: session.take_back(frame_id), frame_id)

    @_with_body(_read_long_json)
    def select(self, request: Request, asked: dict) -> Response:
        workspace = self.workspace
        size = workspace.session.size
        frame_id = workspace.require_frame(messages.whole_number(asked.get('frame'), 'frame'))
        object_id = workspace.require_object(messages.whole_number(asked.get('object'), 'object'))
        box, clicks = messages.box_of(asked.get('box'), size), messages.clicks_of(asked.get('clicks'), size)
        labels = asked.get('labels')
        mask = None if labels is None else messages.ids_of_base64(labels, size) == object_id
        found = select_object(workspace.image(frame_id), box=box, clicks=clicks, mask=mask,
                              guess=workspace.session.loaded.guess)
        return Response(messages.png_of(found * 255), media_type=PICTURE, headers=FRESH)

    @_with_body(messages.read_json)
    def add_object(self, request: Request, asked: dict) -> Response:
        name = messages.plain_text(asked.get('name', ''), 'name')
        return self._changed(request, lambda session: session.add_object(name))

    @_with_body(messages.read_json)
    def rename_object(self, request: Request, asked: dict) -> Response:
        object_id = self._object(request)
        name = messages.plain_text(asked.get('name'), 'name')
        return self._changed(request, lambda session: session.rename(object_id, name))

    def remove_object(self, request: Request) -> Response:
        object_id = self._object(request)
        return self._changed(request, lambda session: session.remove_object(object_id))

    def segment(self, request: Request) -> Response:
        self.workspace.segment()
        return self._started()

    @_with_body(messages.read_json)
    def go_on(self, request: Request, asked: dict) -> Response:
        frame_id = self.workspace.require_frame(messages.whole_number(asked.get('frame'), 'frame'))
        self.workspace.go_on(frame_id, messages.plain_text(asked.get('direction', 'forwards'), 'direction'))
        return self._started()

    def stop(self, request: Request) -> Response:
        self.workspace.jobs.stop()
        return self._started()

    @_with_body(messages.read_json)
    def export(self, request: Request, asked: dict) -> Response:
        kinds = asked.get('kinds')
        if not isinstance(kinds, list):
            raise ValueError('kinds must be a list')
        self.workspace.export([messages.plain_text(kind, 'a kind') for kind in kinds])
        return self._started()

    def download(self, request: Request) -> Response:
        name = request.path_params['name']
        path = self.workspace.export_file(name) or self.workspace.export_file(name.removesuffix('.zip'))
        return download(path, FRESH)

    async def events(self, request: Request) -> Response:
        return StreamingResponse(self._events(), media_type='text/event-stream', headers=FRESH)

    async def _events(self) -> AsyncIterator[str]:
        job = self.workspace.jobs.current
        yield _event(dict(type='loading', ready_frames=self.workspace.proxies.num_ready))
        if job is not None:
            yield _event(dict(type='progress', stage=job['stage'], done=job['done'], total=job['total']))
        async for event in self.workspace.hub.listen(PATIENCE):
            yield ': still here\n\n' if event is None else _event(event)  # a comment line is a sign of life

    def _frame(self, request: Request) -> int:
        return self.workspace.require_frame(request.path_params['frame'])

    def _object(self, request: Request) -> int:
        return self.workspace.require_object(request.path_params['object_id'])

    def _changed(self, request: Request, change: Callable, frame_id: int | None = None) -> Response:
        self.workspace.change(change, frame_id, tab=request.headers.get('x-tab', '')[:64])
        return JSONResponse(self.workspace.state(records=False), headers=FRESH)

    def _started(self) -> Response:
        return JSONResponse(dict(job=self.workspace.jobs.current), 202, FRESH)


def _give_read(session: Session, frame_id: int, labels: np.ndarray) -> None:
    """Give a mask to a frame and make a new object for each id in it that the session does not know."""
    ids = {int(i) for i in np.unique(labels)} - {0}
    new = {object_id: session.add_object() for object_id in sorted(ids - session.objects.keys())}
    table = np.arange(256, dtype=np.uint8)
    table[list(new)] = list(new.values())
    session.give(frame_id, table[labels])


def _event(event: dict) -> str:
    return f'data: {json.dumps(event, separators=(",", ":"))}\n\n'
