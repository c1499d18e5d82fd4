"""What a person does on the page, in a Chromium, on the real server and session with a tiny network."""

import json

import numpy as np
import pytest
from browser import chromium_tab

PATIENCE = 20
TEXT = "document.getElementById('%s').textContent"
SAVED = TEXT % 'saved' + " === '✓ saved'"
SHOWN = "document.getElementById('canvas').ariaLabel === 'Frame %d with its masks'"
IDLE = "document.getElementById('progress').hidden && document.getElementById('export-progress').hidden"


@pytest.fixture(scope='module')
def page(client):
    with chromium_tab(patience=PATIENCE) as page:
        page.look(1280, 720)
        page.open(client.address)
        page.wait_for(SHOWN % 0 + " && document.querySelector('.picked') !== null")
        yield page


class Hand:
    """A mouse that is moved in pixels of the frame."""

    def __init__(self, page, size):
        self.page, (height, width) = page, size
        box = page.locator('#canvas').bounding_box()
        self.scale = min(box['width'] / width, box['height'] / height)
        self.left = box['x'] + (box['width'] - self.scale * width) / 2
        self.top = box['y'] + (box['height'] - self.scale * height) / 2

    def place(self, x, y):
        return self.left + self.scale * x, self.top + self.scale * y

    def click(self, x, y, **how):
        self.page.mouse.click(*self.place(x, y), **how)

    def drag(self, start, end):
        self.page.mouse.move(*self.place(*start))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*end), steps=3)
        self.page.mouse.up()


@pytest.fixture(scope='module')
def hand(page, session):
    return Hand(page, session.size)


def saved_labels(page, session, frame_id):
    page.wait_for(SAVED)
    labels = session.labels(frame_id)
    return np.zeros(session.size, np.uint8) if labels is None else labels


def set_size(page, pixels):
    page.evaluate(f"(bar => {{ bar.value = {pixels}; bar.dispatchEvent(new Event('input')); }})"
                  "(document.getElementById('size'))")


def work(page, button):
    page.click(button)  # which clears what was told
    page.wait_for(f"({TEXT % 'export-told'} || {TEXT % 'told'}) && {IDLE}")


def test_brush_eraser_and_undo(page, hand, session):
    set_size(page, 4)
    hand.drag((10, 10), (20, 10))
    drawn = saved_labels(page, session, 0).copy()
    rows, columns = np.nonzero(drawn)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 11, 8, 21)
    assert set(np.unique(drawn)) == {0, 1} and 48 <= drawn.sum() < 56  # round at its ends

    page.keyboard.press('e')
    hand.drag((15.5, 5.5), (15.5, 16.5))
    assert not saved_labels(page, session, 0)[9:12, 14:17].any()
    page.keyboard.press('Control+z')
    np.testing.assert_array_equal(saved_labels(page, session, 0), drawn)
    page.keyboard.press('Control+z')
    page.wait_for(SAVED)
    assert not saved_labels(page, session, 0).any()
    page.keyboard.press('Control+Shift+z')
    np.testing.assert_array_equal(saved_labels(page, session, 0), drawn)
    page.keyboard.press('Control+z')
    page.wait_for(SAVED)


def test_polygon_of_a_second_object(page, hand, session):
    page.click('#add-object')
    page.wait_for("document.querySelectorAll('#objects li').length === 2")
    page.fill('#objects li:nth-child(2) input', '<b>corner</b>')
    page.keyboard.press('Enter')
    page.keyboard.press('p')
    for corner in ((30, 22), (44, 22), (44, 30), (20, 20), (30, 30)):
        hand.click(*corner)
        if corner == (20, 20):
            page.keyboard.press('Control+z')
    hand.click(30, 22)
    expected = np.zeros(session.size, np.uint8)
    expected[22:30, 30:44] = 2
    np.testing.assert_array_equal(saved_labels(page, session, 0), expected)
    assert session.objects[2] == '<b>corner</b>' and page.evaluate("document.querySelector('#objects b')") is None


def test_box_and_clicks_find_the_object(page, hand, session):
    page.keyboard.press('1')
    page.keyboard.press('r')
    hand.drag((5, 5), (25, 23))
    page.wait_for("document.getElementById('undo').disabled === false && " + SAVED)
    page.wait_for("!document.getElementById('stage').classList.contains('busy')")
    labels, truth = saved_labels(page, session, 0), np.zeros(session.size, bool)
    truth[8:20, 8:22] = True
    assert ((labels == 1) & truth).sum() / ((labels == 1) | truth).sum() > 0.9
    assert (labels == 2).sum() == 8 * 14  # nobody else's pixels
    page.keyboard.press('c')
    with page.expect_request('**/api/select') as asked:
        hand.click(23, 14, button='right')
    told = json.loads(asked.value.post_data)
    assert (told['clicks'], told['box'], told['object']) == ([dict(x=23, y=14, inside=False)], [5, 5, 21, 19], 1)
    page.wait_for("!document.getElementById('stage').classList.contains('busy')")


def test_frames_arrive_and_are_followed(page, session):
    page.wait_for(SAVED)
    work(page, '#segment')
    assert sorted(session.records) == list(session.frame_ids)
    page.wait_for(TEXT % 'position' + f" === '5 / {session.num_frames - 1}'")
    assert page.evaluate(TEXT % 'told').startswith('Done in ')
    value = page.get_attribute('#timeline', 'aria-valuetext')
    assert value.startswith('frame 5') and '<b>corner</b>' in value


def test_a_correction_goes_on_from_its_frame(page, hand, session):
    before = {i: record for i, record in session.records.items()}
    page.focus('#timeline')
    for key in ('Home', 'ArrowRight', 'ArrowRight', 'ArrowRight', 'ArrowLeft'):
        page.keyboard.press(key)
    page.wait_for(SHOWN % 2 + ' && ' + TEXT % 'frame-title' + " === 'Frame 2'")
    assert 'primary' not in (page.get_attribute('#go-forth', 'class') or '')
    assert page.get_attribute('#go-forth', 'title').endswith('so the network learns nothing new.')
    page.keyboard.press('b')
    hand.drag((14, 14), (24, 14))
    page.wait_for(SAVED + " && document.getElementById('go-forth').classList.contains('primary')")
    assert sorted(session.given) == [0, 2] and (session.labels(2) == 1).sum() >= 40
    assert page.get_attribute('#go-forth', 'title') == (
        'Segment the frames after this one again, up to the next given mask.')
    work(page, '#go-forth')
    assert page.evaluate(TEXT % 'told').startswith('Done in '), page.evaluate(TEXT % 'told')
    assert session.records[1] is before[1] and session.records[4] is not before[4]


def test_files_are_written_and_fetched(page, session):
    page.click('#take-away')
    page.check('input[value=coco]')
    work(page, '#export')
    with page.expect_download() as download:
        page.click('#kinds a[href$="coco.json"]')
    assert len(json.loads(download.value.path().read_text())['images']) == session.num_frames
    page.keyboard.press('Escape')


def test_a_reload_and_another_tab_show_the_same(page, hand, session):
    page.reload()
    page.wait_for("document.querySelectorAll('#objects li').length === 2")
    assert page.evaluate("document.querySelectorAll('#objects input')[1].value") == '<b>corner</b>'
    page.wait_for(SHOWN % 0)
    assert page.evaluate("document.getElementById('given').hidden") is False
    other = page.context.browser.new_page()
    other.goto(page.url)
    other.wait_for_selector('#given:not([hidden])')
    page.click('#take-back')
    other.wait_for_selector('#given', state='hidden')
    other.close()
    assert sorted(session.given) == [2]


@pytest.mark.parametrize('dark', [False, True])
def test_a_telephone_needs_no_sideways_scrolling(page, dark):
    page.look(390, 844, dark=dark)
    assert page.evaluate('document.documentElement.scrollWidth') <= 390
    assert page.evaluate("document.getElementById('canvas').clientHeight") > 150
    page.look(1280, 720)


def test_nothing_was_complained_about(page):
    assert page.errors == []
