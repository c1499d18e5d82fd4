import numpy as np
from PIL import Image

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
