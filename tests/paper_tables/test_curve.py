import numpy as np
import pytest
from PIL import Image

from tempseg_mm.paper_tables.curve import curve_points, write_curve
from tempseg_mm.paper_tables.rows import Row


class Results:
    """What a table knows, without running anything: ``{(row, seed): (J, seconds)}``."""
    seeds = (0, 1)

    def __init__(self, rows, known):
        self.rows, self.known = rows, known

    def result(self, row, seed):
        if (row.key, seed) not in self.known:
            return None
        j, seconds = self.known[row.key, seed]
        return dict(scores=dict(J=dict(mean=j)), **({} if seconds is None else dict(finetune_seconds=seconds)))


SHORT, LONG = (Row(key, key, '', curve=True) for key in ('short', 'long'))
OTHER = Row('other', 'other', '')


def test_points_are_means_over_seeds_of_what_is_known():
    table = Results([LONG, SHORT, OTHER], {
        ('short', 0): (0.5, 10.0), ('short', 1): (0.7, 20.0), ('long', 0): (0.8, None), ('other', 1): (None, 3.0)})
    assert curve_points(table) == [(SHORT, 15.0, pytest.approx(60.0))]


def test_a_line_and_the_points_beside_it(tmp_path):
    known = {('short', 0): (0.5, 10.0), ('long', 0): (0.8, 40.0)}
    assert write_curve(Results([LONG, SHORT, OTHER], known), tmp_path / 'a/line.png', title='t')
    assert write_curve(Results([LONG, SHORT, OTHER], {**known, ('other', 0): (0.6, 20.0)}), tmp_path / 'a/more.png',
                       title='t')
    line, more = (np.asarray(Image.open(tmp_path / f'a/{name}.png').convert('RGB')) for name in ('line', 'more'))
    assert line.shape == more.shape and (line != more).any()
    assert sorted(path.name for path in (tmp_path / 'a').iterdir()) == ['line.png', 'more.png']


def test_one_point_is_no_line(tmp_path):
    assert not write_curve(Results([SHORT, OTHER], {('short', 0): (0.5, 1.0), ('other', 0): (0.5, 1.0)}),
                           tmp_path / 'no.png', title='t')
    assert not list(tmp_path.iterdir())
