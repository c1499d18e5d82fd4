import numpy as np
import pytest
from browser import chromium_tab

from tempseg_mm.visualization.report.batch_report import VideoRow, write_batch_report


def test_names_stay_text_and_rows_without_a_result_show_no_figures(tmp_path):
    name = '</script><b id="broken">'
    rows = [VideoRow(name, frames=3, objects=1, seconds=1.0, thumbnail=np.zeros((9, 16, 3), np.uint8), caption=name,
                     lost=[name], notices=[name, name], links=dict(page='x%3C/report.html')),
            VideoRow('b', fault=name)]
    write_batch_report(tmp_path / 'a.html', title=name, rows=rows)
    with chromium_tab() as tab:
        tab.open(tmp_path / 'a.html')
        assert tab.errors == [] and tab.evaluate("document.getElementById('broken')") is None
        assert tab.evaluate("document.querySelector('h1').textContent") == name
        assert tab.evaluate("document.querySelector('#rows a').href").endswith('x%3C/report.html')
        cells = "[...document.querySelectorAll('#rows tr')].map(row => [...row.querySelectorAll('td[data-title]')]" \
                ".filter(cell => !cell.hidden).map(cell => cell.textContent))"
        assert tab.evaluate(cells) == [['3', '1', '1.0'], ['–', '–', '–']]  # and no J, as no row has one
        tab.look(360, 700, dark=True)
        assert tab.evaluate("document.querySelector('.failed td[data-title]').checkVisibility()") is False


def test_a_page_of_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match='needs at least one'):
        write_batch_report(tmp_path / 'a.html', title='a', rows=[])
