import json
import re
from dataclasses import replace

import numpy as np
import pytest
from browser import chromium_tab

from tempseg_mm.structures.frame_record import FrameRecord
from tempseg_mm.visualization.exporters import OverlayVideoWriter
from tempseg_mm.visualization.report.sequence_report import SequenceReport, write_sequence_report

COUNT = 30
HOSTILE = '</script><b id="broken">"é\'<!--.mp4'

# The number of the frame on the screen, from its colour; once no seek is under way.
SHOWN = """new Promise(resolve => {
  const video = document.getElementById('video'), canvas = document.createElement('canvas');
  canvas.width = canvas.height = 4;
  (function look() {
    if (video.seeking || video.readyState < 2) return setTimeout(look, 10);
    const context = canvas.getContext('2d');
    context.drawImage(video, 0, 0, 4, 4);
    const [red, green] = context.getImageData(1, 1, 1, 1).data;
    resolve(Math.round((red - 20) / 40) + 6 * Math.round((green - 20) / 40));
  })();
})"""
NUMBER = "document.getElementById('number').textContent"
BOX = """(() => { const box = document.querySelectorAll('.chart svg')[%d].getBoundingClientRect();
  return [box.left, box.width, box.top + box.height / 2]; })()"""


def record(i):
    return FrameRecord(
        frame_id=i + 5, file_name=f'{i + 5:05d}', given=i == 2, areas={1: 100 + i, 7: 0}, confidences={1: 0.9, 7: None},
        changes={1: i / 100, 7: 0.0} if i else {1: None, 7: None}, scores={1: 0.5, 7: 1.0})


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    """Thirty frames, each of its own colour."""
    video = tmp_path_factory.mktemp('video') / 'overlay.webm'
    with OverlayVideoWriter(video, 29.97) as writer:
        for i in range(COUNT):
            writer.write(np.full((48, 64, 3), (20 + 40 * (i % 6), 20 + 40 * (i // 6), 60), np.uint8))
    return SequenceReport(
        title=HOSTILE, video=video, fps=29.97, records=[record(i) for i in range(COUNT)],
        finetune_losses={1: [0.7, 0.5, 0.4]}, settings=dict(checkpoint=HOSTILE, model=dict(width=0.5)),
        versions=dict(torch='2.1'), timings=dict(finetune_s=1.5), notices=[HOSTILE], lost=[(7, 8, 11)],
        thumbnails=[(4, np.zeros((9, 16, 3), np.uint8)), (21, np.zeros((9, 16, 3), np.uint8))])


@pytest.fixture(scope='module')
def browser():
    with chromium_tab(patience=15) as browser:
        browser.look(1280, 2000)
        yield browser


@pytest.fixture(scope='module')
def page(browser, report, tmp_path_factory):
    """The page, open in the browser, in a folder with an awkward name."""
    path = tmp_path_factory.mktemp('out') / 'a "b" é#%20' / 'report.html'
    write_sequence_report(path, report)
    browser.open(path)
    return browser


def test_what_goes_wrong_in_a_page_is_heard(browser, tmp_path):
    (tmp_path / 'a.html').write_text('<script>console.error("first"); missing()</script><img src="gone.png">')
    browser.open(tmp_path / 'a.html')
    for words in ('first', 'missing is not defined', 'ERR_FILE_NOT_FOUND'):
        assert any(words in error for error in browser.errors)
    with pytest.raises(Exception, match='nothing is not defined'):
        browser.evaluate('nothing')


def test_waiting_for_a_promise_is_waiting_for_its_value(browser, monkeypatch):
    monkeypatch.setattr(browser, 'patience', 0.1)
    browser.wait_for('Promise.resolve(3).then(three => three === 3)')
    with pytest.raises(RuntimeError, match='did not come true in 0.1 s'):
        browser.wait_for('Promise.resolve(3).then(three => three === 4)')


def wait_until_shown(page, index):
    page.wait_for(f'({SHOWN}).then(shown => shown === {index})')


def slide(page, index):
    page.evaluate(f"""(slider => {{ slider.value = {index}; slider.dispatchEvent(new Event('input')); }})
        (document.getElementById('slider'))""")


def test_the_page_opens_without_complaint_at_the_first_frame(page):
    wait_until_shown(page, 0)
    assert page.evaluate(NUMBER) == 'frame 000051 of 30'
    assert page.errors == []


@pytest.mark.parametrize('index', [17, 16, 11, 12, 29, 1])
def test_the_slider_moves_to_the_very_frame(page, index):
    slide(page, index)
    wait_until_shown(page, index)
    assert page.evaluate(NUMBER) == f'frame {index + 5:05d}{index + 1} of 30'
    assert page.errors == []


def test_of_many_moves_in_a_row_the_last_one_counts(page):
    for index in (3, 25, 8, 14, 22):
        slide(page, index)
    wait_until_shown(page, 22)


def test_a_click_on_a_curve_jumps(page):
    left, width, y = page.evaluate(BOX % 1)
    page.mouse.click(left + 46 + (width - 56) * 10 / (COUNT - 1), y)
    wait_until_shown(page, 10)
    assert page.evaluate("document.getElementById('slider').value") == '10'
    cursors = page.evaluate("[...document.querySelectorAll('.cursor')].map(line => Number(line.getAttribute('x1')))")
    assert len(cursors) == 4 and cursors == pytest.approx([46 + (width - 56) * 10 / (COUNT - 1)] * 4, abs=0.5)


def test_keys_move_step_by_step(page):
    slide(page, 10)
    for key, expected in (('ArrowRight', 11), ('Shift+ArrowRight', 21), ('ArrowLeft', 20), ('Home', 0),
                          ('ArrowLeft', 0), ('End', 29)):
        page.keyboard.press(key)
        wait_until_shown(page, expected)


def test_it_plays_and_pauses(page):
    page.keyboard.press('Home')
    page.evaluate('document.activeElement.blur()')
    page.keyboard.press(' ')
    page.wait_for("Number(document.getElementById('slider').value) > 3")
    assert page.evaluate("document.getElementById('play').getAttribute('aria-label')") == 'Pause'
    page.keyboard.press(' ')
    page.wait_for("document.getElementById('play').getAttribute('aria-label') === 'Play'")
    wait_until_shown(page, page.evaluate("document.getElementById('slider').value"))


def test_a_thumbnail_jumps(page):
    page.evaluate("document.querySelectorAll('#thumbnails button')[1].click()")
    wait_until_shown(page, 21)
    assert page.evaluate("document.querySelectorAll('#thumbnails [aria-current=true]').length") == 1
    assert 'change 0.21' in page.evaluate("document.querySelectorAll('#thumbnails button')[1].textContent")


def test_figures_of_the_frame(page):
    slide(page, 2)
    rows = "[...document.querySelectorAll('#readout tr')].map(row => [...row.children].map(cell => cell.textContent))"
    assert page.evaluate(rows) == [['1', '102 px', '0.900', '0.020', '0.500'], ['7', '0 px', '–', '0.000', '1.000']]
    assert page.evaluate("document.getElementById('given').hidden") is False


def test_curves_settings_and_notices(page):
    titles = page.evaluate("[...document.querySelectorAll('.chart h2')].map(title => title.firstChild.textContent)")
    assert titles == ['J', 'Area', 'Confidence', 'Change', 'Fine-tuning']
    assert page.evaluate("[...document.querySelectorAll('.given')].length") == 4
    assert 'mean J0.750' in page.evaluate("document.getElementById('facts').textContent")
    tables = page.evaluate("[...document.querySelectorAll('#tables details')].map(table => table.innerText || "
                           "table.textContent)")
    assert [text.split('\n')[0][:6] for text in tables] == ['Timing', 'Settin', 'Versio']
    assert page.evaluate("document.querySelectorAll('#tables td')[1].textContent") == HOSTILE


def test_stretches_that_were_lost_or_have_no_mask_are_tinted_in_the_lane_of_their_object(page):
    bands = page.evaluate("""[...document.querySelectorAll('.chart')].map(chart =>
        [...chart.querySelectorAll('rect')].map(band => [band.getAttribute('class'), band.textContent,
            ...['x', 'y', 'width', 'height'].map(name => Number(band.getAttribute(name)))]))""")
    assert [len(of) for of in bands] == [2, 2, 2, 2, 0]  # of fine-tuning there are none
    width = page.evaluate(BOX % 0)[1] - 56
    lost, empty = bands[0]
    assert lost[:2] == ['lost', 'object 7 probably lost, frames 00008 to 00011']
    assert lost[2:] == pytest.approx([46 + 2.5 * width / 29, 53, 4 * width / 29, 41], abs=0.5)
    assert empty[:2] == ['empty', 'object 7 without a mask, frames 00005 to 00034'] and empty[3] > lost[3]
    assert empty[2] == 46 and empty[4] == pytest.approx(width, abs=0.5)  # not beyond the axes
    assert page.evaluate("[...document.querySelectorAll('.bands span')].map(key => key.innerText)") == [
        'probably lost', 'no mask']


def test_hostile_names_stay_text(page):
    assert page.evaluate('document.title') == HOSTILE
    assert page.evaluate("document.querySelector('h1').textContent") == HOSTILE
    assert page.evaluate("document.querySelector('#notices li').textContent") == HOSTILE
    assert page.evaluate("document.getElementById('broken')") is None


@pytest.mark.parametrize('dark', [False, True])
def test_a_narrow_screen_needs_no_sideways_scrolling(page, dark):
    page.look(360, 700, dark=dark)
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    colors = [page.evaluate(f'getComputedStyle(document.body).{name}') for name in ('backgroundColor', 'color')]
    lightness = [sum(map(int, re.findall(r'\d+', color)[:3])) / 3 for color in colors]
    assert abs(lightness[0] - lightness[1]) > 180 and (lightness[0] < lightness[1]) == dark
    page.look(1280, 2000)


def test_without_ground_truth_and_fine_tuning_there_is_less_to_show(browser, report, tmp_path):
    one = replace(report, records=[replace(record(0), scores={})], finetune_losses={}, thumbnails=(), notices=(),
                  lost=())
    write_sequence_report(tmp_path / 'a.html', one)
    browser.open(tmp_path / 'a.html')
    wait_until_shown(browser, 0)
    assert browser.evaluate("document.querySelectorAll('.chart').length") == 2  # of one frame there is no change
    assert browser.evaluate("document.querySelectorAll('rect').length") == 2 and browser.evaluate(  # of object 7
        "[document.getElementById('key-lost').hidden, document.getElementById('key-empty').hidden]") == [True, False]
    assert browser.evaluate("document.getElementById('changed').hidden && document.getElementById('notices').hidden")
    assert browser.errors == []


def test_a_video_that_cannot_be_played_is_said(browser, report, tmp_path):
    (tmp_path / 'broken.webm').write_bytes(b'nothing')
    write_sequence_report(tmp_path / 'a.html', replace(report, video=tmp_path / 'broken.webm'))
    browser.open(tmp_path / 'a.html')
    browser.wait_for("!document.getElementById('trouble').hidden")
    browser.keyboard.press('ArrowRight')
    assert browser.evaluate(NUMBER) == 'frame 000062 of 30'


def test_what_the_page_is_made_of(report, tmp_path):
    write_sequence_report(tmp_path / 'a.html', report)
    text = (tmp_path / 'a.html').read_text(encoding='utf-8')
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    assert [item['id'] for item in data['objects']] == [1, 7]
    assert data['objects'][0]['color'] == [255, 64, 64]
    assert data['frames'][2] == {'id': 7, 'name': '00007', 'given': True}
    assert data['curves']['changes']['1'][:3] == [None, 0.01, 0.02]
    assert data['losses'] == {'1': [0.7, 0.5, 0.4]}


@pytest.mark.parametrize('change, message', [
    (dict(records=[]), 'needs a record of at least one frame'),
    (dict(fps=0), 'fps must be positive, got 0'),
    (dict(thumbnails=[(30, np.zeros((2, 2, 3), np.uint8))]), 'a thumbnail belongs to record 30, but there are 30'),
])
def test_what_makes_no_page_is_named(report, tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        write_sequence_report(tmp_path / 'a.html', replace(report, **change))
    assert list(tmp_path.iterdir()) == []
