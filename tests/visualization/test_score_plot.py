import numpy as np
import pytest
from PIL import Image

from tempseg_mm.visualization.palette import MEASURE_COLORS, object_colors
from tempseg_mm.visualization.score_plot import write_score_plot


def curve(values):
    return dict(frames=list(range(1, len(values) + 1)), per_frame=values, mean=float(np.mean(values)))


def test_a_curve_a_measure(tmp_path):
    write_score_plot(tmp_path / 'new' / 'two.png', dict(J=curve([0.2, 0.9]), F=curve([0.5, 0.5])), title='camel')
    write_score_plot(tmp_path / 'new' / 'one.png', dict(J=curve([0.2, 0.9])), title='camel')
    two, one = (np.asarray(Image.open(tmp_path / 'new' / f'{name}.png').convert('RGB')) for name in ('two', 'one'))
    assert two.shape == one.shape and min(two.shape[:2]) > 200
    assert len(np.unique(two.reshape(-1, 3), axis=0)) > len(np.unique(one.reshape(-1, 3), axis=0)) > 10
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == ['one.png', 'two.png']


def test_nothing_to_draw_is_an_empty_plot(tmp_path):
    write_score_plot(tmp_path / 'empty.png', {})
    assert (tmp_path / 'empty.png').exists()


def has_color(path, measure):
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    return (np.abs(picture - object_colors()[MEASURE_COLORS[measure]]).max(-1) < 8)


@pytest.mark.parametrize('value', [0.0, 1.0])
def test_a_line_at_an_end_of_the_axis_is_whole(tmp_path, value):
    for name, level in (('end', value), ('middle', 0.5)):
        write_score_plot(tmp_path / f'{name}.png', dict(F=curve([level] * 30)))
    end, middle = (has_color(tmp_path / f'{name}.png', 'F')[40:] for name in ('end', 'middle'))  # below the legend
    thickness = [rows.sum(0).max() for rows in (end, middle)]
    assert thickness[0] == thickness[1] > 0


@pytest.mark.parametrize('values', [[0.3, float('nan'), 2.5, 0.1], [float('nan'), 0.4, float('nan')]])
def test_t_is_drawn_beyond_one_and_where_it_stands_alone(tmp_path, values):
    t = dict(frames=list(range(1, len(values) + 1)), per_frame=values, mean=float(np.nanmean(values)))
    write_score_plot(tmp_path / 't.png', dict(J=curve([0.9] * len(values)), T=t))
    rows, columns = np.nonzero(has_color(tmp_path / 't.png', 'T')[40:])
    assert len(rows) > 3  # a point at least
    write_score_plot(tmp_path / 'none.png', dict(J=curve([0.9] * 3), T=dict(t, per_frame=[float('nan')] * len(values))))
    assert not has_color(tmp_path / 'none.png', 'T')[40:].any()
