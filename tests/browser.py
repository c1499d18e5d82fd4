"""A headless Chromium for tests of pages, driven by playwright. Used through ``chromium_tab``."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')


class Tab:
    """A page of playwright that notes what goes wrong; everything else is the page's.

    Attributes:
        patience: seconds to wait for anything.
        errors: console errors, uncaught exceptions and failed loads of the page that is open, in words.
    """

    def __init__(self, page, patience: float) -> None:
        self._page, self.patience, self._errors = page, patience, []
        page.set_default_timeout(1000 * patience)
        page.on('pageerror', lambda error: self._errors.append(str(error)))
        page.on('console', lambda told: told.type in ('error', 'warning', 'assert') and self._errors.append(told.text))

    @property
    def errors(self) -> list[str]:
        self._page.evaluate('0')  # what was said before has come by then
        return self._errors

    def open(self, place: Path | str) -> None:
        """Load a file, or an address, and wait until it is loaded."""
        self._errors.clear()
        self._page.goto(place if isinstance(place, str) else place.resolve().as_uri())

    def wait_for(self, expression: str) -> None:
        """Evaluate until the value, or what it promises, is true; playwright's own waiting takes any promise for true.

        Raises:
            RuntimeError: if that is not so in time.
        """
        ends = time.monotonic() + self.patience
        while not self._page.evaluate(expression):
            if time.monotonic() > ends:
                raise RuntimeError(f'{expression} did not come true in {self.patience} s; page errors: {self.errors}')
            self._page.wait_for_timeout(20)

    def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """Size of the window in CSS pixels, and the colour scheme that is preferred."""
        self._page.set_viewport_size(dict(width=width, height=height))
        self._page.emulate_media(color_scheme='dark' if dark else 'light')

    def __getattr__(self, name: str):
        return getattr(self._page, name)


@contextmanager
def chromium_tab(*, patience: float = 30) -> Iterator[Tab]:
    """A tab of the Chromium or Chrome of the machine; without one, or without playwright, the test is skipped.

    ::

        with chromium_tab() as tab:
            tab.open(tmp_path / 'page.html')
            assert tab.evaluate('document.title') == 'Hello'
            assert tab.errors == []

    Args:
        patience: seconds to wait for anything.
    """
    sync_api = pytest.importorskip('playwright.sync_api', reason='needs playwright: pip install playwright')
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip('needs a Chromium: apt-get install chromium')
    # Without a sandbox: CI runs as root, and the pages are the tests' own.
    options = dict(chromium_sandbox=False, args=['--disable-dev-shm-usage'])
    with sync_api.sync_playwright() as playwright, playwright.chromium.launch(
            executable_path=program, **options) as browser:
        yield Tab(browser.new_page(), patience)
