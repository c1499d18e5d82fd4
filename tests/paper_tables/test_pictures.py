import numpy as np
import pytest
from PIL import Image

from tempseg_mm.paper_tables.pictures import curve_points, write_bars, write_curve
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


def read(path):
    return np.asarray(Image.open(path).convert('RGB')).astype(int)


def test_points_are_means_over_seeds_of_what_is_known():
    table = Results([LONG, SHORT, OTHER], {
        ('short', 0): (0.5, 10.0), ('short', 1): (0.7, 20.0), ('long', 0): (0.8, None), ('other', 1): (None, 3.0)})
    assert curve_points(table) == [(SHORT, 15.0, pytest.approx(60.0))]


def test_a_line_and_the_points_beside_it(tmp_path):
    known = {('short', 0): (0.5, 10.0), ('long', 0): (0.8, 40.0)}
    assert write_curve(Results([LONG, SHORT, OTHER], known), tmp_path / 'a/line.png', title='t')
    more_known = Results([LONG, SHORT, OTHER], {**known, ('other', 0): (0.6, 20.0)})
    assert write_curve(more_known, tmp_path / 'a/more.png', title='t')
    line, more = (read(tmp_path / f'a/{name}.png') for name in ('line', 'more'))
    assert line.shape == more.shape and (line != more).any()
    assert sorted(path.name for path in (tmp_path / 'a').iterdir()) == ['line.png', 'more.png']


def test_one_point_is_no_line(tmp_path):
    assert not write_curve(Results([SHORT, OTHER], {('short', 0): (0.5, 1.0), ('other', 0): (0.5, 1.0)}),
                           tmp_path / 'no.png', title='t')
    assert not list(tmp_path.iterdir())


def test_bars_are_as_long_as_the_means(tmp_path):
    def blue(path):
        """Lengths of J's bars in pixels, from the top."""
        picture = read(path)
        bar = (picture == (31, 119, 180)).all(2).sum(1)
        return [int(bar[at]) for at in np.nonzero((bar > 50) & (np.roll(bar, 1) <= 50))[0] + 3]
    rows = [SHORT, LONG, OTHER]
    assert write_bars(Results(rows, {('short', 0): (0.5, 1.0), ('other', 0): (0.7, 1.0), ('long', 0): (None, 1.0)}),
                      tmp_path / 'one.png', title='t')
    short, other = (length for length in blue(tmp_path / 'one.png') if length > 60)
    assert other / short == pytest.approx((70 - 45) / (50 - 45), rel=0.05)  # the axis begins five points below
    seeds = {('short', 0): (0.5, 1.0), ('short', 1): (0.5, 1.0), ('other', 0): (0.7, 1.0), ('long', 0): (None, 1.0)}
    assert write_bars(Results(rows, seeds), tmp_path / 'two.png', title='t')
    one, two = ((read(tmp_path / f'{name}.png') < 60).all(2).sum() for name in ('one', 'two'))
    assert 5 < two - one < 50  # a point at the end of the bar of two seeds


def test_no_row_is_no_picture(tmp_path):
    assert not write_bars(Results([SHORT], {}), tmp_path / 'no.png', title='t')
    assert not list(tmp_path.iterdir())
