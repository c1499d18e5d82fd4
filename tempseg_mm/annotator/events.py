"""What the page is told while it looks on: events from any thread, to any number of listeners in the server's loop."""

import asyncio
import threading
from collections.abc import AsyncIterator

MOST_WAITING = 10_000  # events of a listener that does not read; it is cut off, and a browser asks anew


class EventHub:
    """Passes events on to whoever listens. Safe for several threads; nothing is kept for those who come later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Queue, asyncio.AbstractEventLoop] = {}
        self._is_closed = False

    def publish(self, event: dict) -> None:
        """Hand an event to all listeners; from any thread."""
        with self._lock:
            for waiting, loop in list(self._listeners.items()):
                if waiting.qsize() >= MOST_WAITING:
                    self._end(waiting, loop)
                else:
                    loop.call_soon_threadsafe(waiting.put_nowait, event)

    async def listen(self, patience: float) -> AsyncIterator[dict | None]:
        """Events from now on, until the hub is closed.

        Args:
            patience: seconds without an event after which ``None`` comes, so that a dead connection is noticed.
        """
        waiting: asyncio.Queue = asyncio.Queue()
        with self._lock:
            if self._is_closed:
                return
            self._listeners[waiting] = asyncio.get_running_loop()
        try:
            while True:
                try:
                    event = await asyncio.wait_for(waiting.get(), patience)
                except TimeoutError:
                    event = None
                else:
                    if event is None:
                        return
                yield event
        finally:
            with self._lock:
                self._listeners.pop(waiting, None)

    def close(self) -> None:
        """End all listening."""
        with self._lock:
            self._is_closed = True
            for waiting, loop in list(self._listeners.items()):
                self._end(waiting, loop)

    def _end(self, waiting: asyncio.Queue, loop: asyncio.AbstractEventLoop) -> None:
        del self._listeners[waiting]
        loop.call_soon_threadsafe(waiting.put_nowait, None)
