from dataclasses import replace

import numpy as np
import pytest
from browser import chromium_tab

from tempseg_mm.visualization.report.dataset_report import DatasetReport, SequenceRow, write_dataset_report
from tempseg_mm.visualization.report.page import picture_uri

HOSTILE = '<img src=x onerror="window.broken=1">é'
NAMES = "[...document.querySelectorAll('#scores tbody th')].map(cell => cell.textContent)"
SORTED = "[...document.querySelectorAll('thead th[aria-sort]')].map(h => [h.dataset.key, h.getAttribute('aria-sort')])"
PICTURE = picture_uri(np.zeros((9, 16, 3), np.uint8))


@pytest.fixture
def report():
    scores = {'bear 10': dict(J_mean=0.9, T_mean=0.2), 'bear 9': dict(J_mean=0.4, T_mean=float('nan')),
              HOSTILE: dict(J_mean=0.6, T_mean=0.1)}
    rows = [SequenceRow(name, 20 + i, 3.0 - i, [(7, 0.25, PICTURE), (3, 0.5, PICTURE)], {'overlay': 'a%20b/x%23.mp4'})
            for i, name in enumerate([*scores, 'unscored'])]
    curves = {'bear 9': {'J': dict(frames=[1, 2, 4], per_frame=[0.1, 0.2, 0.6])}}
    return DatasetReport('A test', rows, ('J_mean', 'T_mean'), scores, dict(J_mean=0.633, T_mean=0.15), curves,
                         settings=dict(model=dict(width=0.5)), versions=dict(torch='2.1'))


@pytest.fixture(scope='module')
def browser():
    with chromium_tab() as browser:
        yield browser


@pytest.fixture
def page(browser, report, tmp_path):
    write_dataset_report(tmp_path / 'report.html', report)
    browser.open(tmp_path / 'report.html')
    return browser


def test_worst_first_and_the_worst_unfolded(page):
    assert page.errors == []
    assert page.evaluate(NAMES) == ['bear 9', HOSTILE, 'bear 10', 'unscored']
    assert page.evaluate(SORTED) == [['J_mean', 'ascending']]
    detail = "document.querySelector('#scores .detail')"
    assert page.evaluate(f"[...{detail}.querySelectorAll('.caption')].map(caption => caption.textContent)") == [
        'frame 7J 0.250', 'frame 3J 0.500']
    assert page.evaluate(f"[...{detail}.querySelectorAll('a')].map(link => link.getAttribute('href'))") == [
        'a%20b/x%23.mp4']
    assert page.evaluate(f"{detail}.querySelector('.legend b').textContent") == '0.300'  # the mean of the curve
    assert page.evaluate("document.querySelectorAll('.detail').length") == 1


@pytest.mark.parametrize('key, first, second', [
    ('name', [HOSTILE, 'bear 9', 'bear 10', 'unscored'], ['unscored', 'bear 10', 'bear 9', HOSTILE]),
    ('T_mean', [HOSTILE, 'bear 10', 'bear 9', 'unscored'], ['bear 10', HOSTILE, 'bear 9', 'unscored']),
    ('frames', ['bear 10', 'bear 9', HOSTILE, 'unscored'], ['unscored', HOSTILE, 'bear 9', 'bear 10']),
])
def test_a_click_sorts_and_a_second_one_turns_round(page, key, first, second):
    button = f"document.querySelector('th[data-key={key}] button')"
    page.evaluate(f'{button}.click()')
    assert page.evaluate(NAMES) == first  # what is not known comes last both ways
    assert page.evaluate(SORTED) == [[key, 'ascending']]
    page.evaluate(f'{button}.click()')
    assert page.evaluate(NAMES) == second
    assert page.evaluate(SORTED) == [[key, 'descending']]


def test_the_keyboard_sorts_and_unfolds(page):
    page.evaluate("document.querySelector('th[data-key=seconds] button').focus()")
    page.keyboard.press('Enter')
    assert page.evaluate(SORTED) == [['seconds', 'ascending']]
    page.keyboard.press('Tab')  # on to the first sequence
    page.keyboard.press(' ')
    assert page.evaluate("document.activeElement.getAttribute('aria-expanded')") == 'true'
    assert page.evaluate("document.querySelectorAll('.detail').length") == 2


def test_all_can_be_unfolded_and_folded(page):
    visible = "[...document.querySelectorAll('.detail')].filter(row => !row.hidden).length"
    page.evaluate("document.getElementById('unfold').click()")
    assert page.evaluate(visible) == 4
    page.evaluate("document.getElementById('unfold').click()")
    assert page.evaluate(visible) == 0
    assert page.errors == []


def test_means_and_tables(page):
    assert page.evaluate("[...document.querySelectorAll('tfoot *')].slice(1).map(cell => cell.textContent)") == [
        'mean', '0.633', '0.150', '22', '1.5']
    assert page.evaluate("document.getElementById('facts').textContent").startswith('J mean0.633T mean0.150sequences4')
    assert page.evaluate("document.querySelector('#tables td').textContent") == '0.5'


def test_a_hostile_name_stays_text(page):
    assert page.evaluate('window.broken') is None
    assert page.evaluate("document.querySelectorAll('img[src=x]').length") == 0


def test_a_narrow_screen_scrolls_the_table_only(page):
    page.look(360, 700, dark=True)
    assert page.evaluate('document.documentElement.scrollWidth') <= 360


def test_without_scores_rows_come_by_name(browser, report, tmp_path):
    bare = replace(report, columns=(), scores={}, means={}, curves={}, notices=['No scores.'])
    write_dataset_report(tmp_path / 'report.html', bare)
    browser.open(tmp_path / 'report.html')
    assert browser.evaluate(NAMES) == [HOSTILE, 'bear 9', 'bear 10', 'unscored']
    assert browser.evaluate("document.getElementById('notices').textContent") == 'No scores.'
    assert browser.errors == []


def test_no_row_and_two_of_one_name_are_refused(report, tmp_path):
    for rows in ([], [report.rows[0]] * 2):
        with pytest.raises(ValueError, match='at least one sequence, and each of them once'):
            write_dataset_report(tmp_path / 'a.html', replace(report, rows=rows))
