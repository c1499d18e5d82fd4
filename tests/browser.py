"""A headless Chromium for tests of pages, spoken to over a pipe: no package and no port. Used through ``Browser``."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')
# Without a sandbox: CI runs as root, and the pages are the tests' own.
OPTIONS = ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
           '--disable-extensions', '--disable-background-networking', '--disable-component-update', '--mute-audio',
           '--hide-scrollbars', '--autoplay-policy=no-user-gesture-required', '--remote-debugging-pipe')
# Chromium reads commands from file descriptor 3 and writes answers to 4.
START = 'import os, sys; i, o, *a = sys.argv[1:]; os.dup2(int(i), 3); os.dup2(int(o), 4); os.execv(a[0], a)'


def find_chromium() -> str | None:
    """Path of a Chromium or Chrome; ``None`` where there is none (Debian: ``apt-get install chromium``)."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One tab.

    ::

        with Browser(find_chromium(), tmp_path) as browser:
            browser.open(tmp_path / 'page.html')
            assert browser.evaluate('document.title') == 'Hello'
            assert browser.errors == []

    Args:
        program: from :func:`find_chromium`.
        profile: an empty folder for what the browser keeps.
        patience: seconds to wait for any answer.

    Attributes:
        errors: console errors, uncaught exceptions and failed loads of the page that is open, in words.

    Raises:
        RuntimeError: if the browser goes, does not answer in time, or an expression throws.
    """

    def __init__(self, program: str, profile: Path, *, patience: float = 30) -> None:
        self.patience = patience
        self.errors: list[str] = []
        self._count, self._buffer, self._events = 0, b'', []
        their_in, our_out = self._pipe()
        our_in, their_out = self._pipe()
        self._in, self._out = our_in, our_out
        command = [sys.executable, '-c', START, str(their_in), str(their_out), program, *OPTIONS,
                   f'--user-data-dir={profile}', 'about:blank']
        self._process = subprocess.Popen(
            command, pass_fds=(their_in, their_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(their_in)
        os.close(their_out)
        target = self._call('Target.createTarget', url='about:blank')['targetId']
        self._session = self._call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log'):
            self.call(f'{domain}.enable')
        self.call('Page.setLifecycleEventsEnabled', enabled=True)

    def open(self, page: Path) -> None:
        """Load a file and wait until it is loaded."""
        self.errors.clear()
        self._events.clear()
        answer = self.call('Page.navigate', url=page.resolve().as_uri())
        if 'errorText' in answer:
            raise RuntimeError(f'{page}: {answer["errorText"]}')
        mine = dict(loaderId=answer['loaderId'], name='load')
        self._wait('the page to load', lambda: any(
            mine.items() <= event.get('params', {}).items() for event in self._events))

    def evaluate(self, expression: str) -> object:
        """Value of an expression, of what it promises if it is a promise."""
        answer = self.call('Runtime.evaluate', expression=expression, awaitPromise=True, returnByValue=True)
        if 'exceptionDetails' in answer:
            raise RuntimeError(f'{expression}: {_told(answer["exceptionDetails"])}')
        return answer['result'].get('value')

    def wait_for(self, expression: str) -> object:
        """Evaluate again and again until the value is true in JavaScript's sense; the value."""
        ends = time.monotonic() + self.patience
        while not (value := self.evaluate(expression)):
            if time.monotonic() > ends:
                raise RuntimeError(f'{expression} did not come true in {self.patience} s; page errors: {self.errors}')
            time.sleep(0.02)
        return value

    def press(self, key: str, *, shift: bool = False) -> None:
        """A key, by its name in JavaScript, such as ``'ArrowRight'`` or ``' '``, to what has the focus."""
        text = {'Enter': '\r', ' ': ' '}.get(key, '')
        code = {'Enter': 13, ' ': 32, 'Tab': 9}.get(key, 0)
        keys = dict(key=key, modifiers=8 if shift else 0, windowsVirtualKeyCode=code, text=text)
        self.call('Input.dispatchKeyEvent', type='keyDown', **keys)
        self.call('Input.dispatchKeyEvent', type='keyUp', **keys)

    def click(self, x: float, y: float) -> None:
        """The left button at a point of the window, in CSS pixels."""
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Size of the window in CSS pixels, and the colour scheme that is preferred."""
        self.call('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = dict(name='prefers-color-scheme', value='dark' if dark else 'light')
        self.call('Emulation.setEmulatedMedia', features=[scheme])

    def screenshot(self, path: Path, *, whole: bool = True) -> None:
        """A PNG of the page, or of what the window shows of it."""
        shot = self.call('Page.captureScreenshot', captureBeyondViewport=whole)
        Path(path).write_bytes(base64.b64decode(shot['data']))

    def call(self, method: str, **parameters: object) -> dict:
        """A command of the DevTools protocol to the tab; its result."""
        return self._call(method, self._session, **parameters)

    def close(self) -> None:
        """End the browser."""
        try:
            self._call('Browser.close')
            self._process.wait(5)
        except (RuntimeError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)

    def __enter__(self) -> 'Browser':
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _call(self, method: str, session: str | None = None, **parameters: object) -> dict:
        self._count += 1
        number, answers = self._count, []
        message = dict(id=number, method=method, params=parameters, **({'sessionId': session} if session else {}))
        os.write(self._out, json.dumps(message).encode() + b'\0')

        def answered() -> bool:
            answers[:] = [event for event in self._events if event.get('id') == number]
            return bool(answers)
        self._wait(f'an answer to {method}', answered)
        self._events.remove(answers[0])
        if 'error' in answers[0]:
            raise RuntimeError(f'{method}: {answers[0]["error"]["message"]}')
        return answers[0].get('result', {})

    def _wait(self, what: str, done) -> None:
        ends = time.monotonic() + self.patience
        while not done():
            ready, _, _ = select.select([self._in], [], [], max(0, ends - time.monotonic()))
            piece = os.read(self._in, 1 << 20) if ready else None
            if not piece:
                raise RuntimeError(f'the browser {"is gone" if ready else "did not answer"}; waited for {what}')
            *messages, self._buffer = (self._buffer + piece).split(b'\0')
            for message in map(json.loads, messages):
                self._note(message)
                self._events.append(message)

    def _note(self, message: dict) -> None:
        details = message.get('params', {})
        kind = message.get('method')
        if kind == 'Runtime.exceptionThrown':
            self.errors.append(_told(details['exceptionDetails']))
        elif kind == 'Runtime.consoleAPICalled' and details['type'] in ('error', 'warning', 'assert'):
            self.errors.append(' '.join(str(item.get('value', item.get('description'))) for item in details['args']))
        elif kind == 'Log.entryAdded' and details['entry']['level'] == 'error':
            self.errors.append(details['entry']['text'])

    @staticmethod
    def _pipe() -> tuple[int, int]:
        """Ends of a pipe with numbers out of the way of 3 and 4."""
        ends = os.pipe()
        moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
        for end in ends:
            os.close(end)
        return moved


def _told(details: dict) -> str:
    return details.get('exception', {}).get('description', details['text'])
