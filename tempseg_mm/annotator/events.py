"""Events for open pages: published from any thread, received by any number of listeners in the server's loop."""

import asyncio
import threading
from collections.abc import AsyncIterator

MOST_WAITING = 10_000  # a listener with this many unread events is disconnected; a browser then connects again


class EventHub:
    """Passes events on to all current listeners. Safe for several threads. Later listeners do not get past events."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Queue, asyncio.AbstractEventLoop] = {}
        self._is_closed = False

    def publish(self, event: dict) -> None:
        """Send an event to all listeners. Any thread may call this."""
        with self._lock:
            for waiting, loop in list(self._listeners.items()):
                if waiting.qsize() >= MOST_WAITING:
                    self._end(waiting, loop)
                else:
                    loop.call_soon_threadsafe(waiting.put_nowait, event)

    async def listen(self, patience: float) -> AsyncIterator[dict | None]:
        """Yield events from now on, until the hub is closed.

        Args:
            patience: seconds without an event after which ``None`` is yielded, so that a dead connection is noticed.
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
        """End all listeners, and refuse new ones."""
        with self._lock:
            self._is_closed = True
            for waiting, loop in list(self._listeners.items()):
                self._end(waiting, loop)

    def _end(self, waiting: asyncio.Queue, loop: asyncio.AbstractEventLoop) -> None:
        del self._listeners[waiting]
        loop.call_soon_threadsafe(waiting.put_nowait, None)
