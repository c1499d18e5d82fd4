import numpy as np
import pytest

from tempseg_mm.inference.crf_search import (
    OFF,
    RANGES,
    MaskScores,
    SearchReport,
    save_frame,
    score_frames,
    search_crf,
)
from tempseg_mm.ops.dense_crf import DenseCRF
from tempseg_mm.runtime.worker_pool import WorkerPool
from tempseg_mm.structures import SegmentedFrame


@pytest.fixture
def kept(tmp_path):
    """Writes frames of bright squares with noisy probabilities; ``noise`` names a sequence -> how strong."""
    def keep(**noise):
        generator, paths = np.random.default_rng(0), []
        for name, strength in noise.items():
            for i in range(2):
                gt_mask = np.zeros((24, 32), np.uint8)
                gt_mask[6:18, 8 + i:22 + i] = 1
                probability = np.clip(0.5 + 0.2 * (2.0 * gt_mask - 1) + generator.normal(0, strength, (24, 32)), 0, 1)
                paths.extend(save_frame(tmp_path, SegmentedFrame(
                    sequence=name, frame_id=i, num_frames=9, file_name=f'{i:05d}',
                    image=np.repeat(40 + 160 * gt_mask[..., None], 3, axis=-1), gt_labels=gt_mask,
                    probabilities=probability.astype(np.float32)[None])))
        return paths
    return keep


@pytest.fixture
def pool():
    with WorkerPool(0) as pool:
        yield pool


def test_scores_weigh_sequences_alike(kept, pool):
    clean, noisy, both = (score_frames(paths, pool, None) for paths in (
        kept(a=0.0), kept(b=0.3), [*kept(a=0.0, b=0.3)][:3]))
    assert (clean.j, clean.f, clean.mean) == (1, 1, 1) and noisy.j < 0.9
    third = score_frames(kept(a=0.0, b=0.3)[2:3], pool, None)
    assert both.j == pytest.approx((1 + third.j) / 2) and both.f == pytest.approx((1 + third.f) / 2)


def test_the_crf_is_scored_on_what_it_makes_of_the_frames(kept, pool):
    paths = kept(a=0.3)
    refined = []
    for path in paths:
        frame = np.load(path)
        mask = DenseCRF(srgb=20)(frame['probability'], frame['image']) > 0.5
        truth = frame['gt_mask'] > 0
        refined.append((mask & truth).sum() / (mask | truth).sum())
    assert score_frames(paths, pool, DenseCRF(srgb=20)).j == pytest.approx(np.mean(refined))


def test_finds_settings_that_help_and_says_which(kept, pool):
    paths, told = kept(a=0.3, b=0.3), []
    report = search_crf(paths, pool, trials=12, seed=1, on_trial=lambda trial, scores: told.append((trial, scores)))
    assert report.gained and report.after.mean > report.before.mean + 0.05
    assert report.before == score_frames(paths, pool, None)
    assert report.after == score_frames(paths, pool, DenseCRF(**report.settings))
    assert [trial for trial, _ in told] == list(range(1, 13))
    assert report.after.mean == max(scores.mean for _, scores in told)
    assert report == search_crf(paths, pool, trials=12, seed=1)
    assert set(report.settings) == set(RANGES)
    assert all(low <= report.settings[name] <= high for name, (low, high) in RANGES.items())


def test_what_is_not_searched_holds_in_every_trial(kept, pool):
    paths = kept(a=0.3)
    report = search_crf(paths, pool, trials=3, seed=1, fixed=dict(iterations=1, margin=2))
    assert set(report.settings) == {*RANGES, 'iterations', 'margin'}
    assert report.settings['margin'] == 2 and report.settings['iterations'] == 1
    assert report.after == score_frames(paths, pool, DenseCRF(**report.settings))
    assert report.after != search_crf(paths, pool, trials=3, seed=1).after


def test_perfect_masks_gain_nothing_and_the_crf_is_off(kept, pool):
    paths = kept(a=0.0)
    report = search_crf(paths, pool, trials=3)
    assert not report.gained and report.settings == OFF and report.before == report.after == MaskScores(1, 1)
    assert score_frames(paths, pool, DenseCRF(**OFF)) == report.before


def test_the_second_half_stays_near_the_best(kept, pool, monkeypatch):
    asked = []
    def score(paths, pool, crf):  # a hill in srgb, with its top at 10
        asked.append(crf)
        return MaskScores(*(2 * [0 if crf is None else 1 / (1 + abs(np.log(crf.srgb / 10)))]))
    monkeypatch.setattr('tempseg_mm.inference.crf_search.score_frames', score)
    report = search_crf([None], pool, trials=60)
    away = [abs(np.log(crf.srgb / 10)) for crf in asked[1:]]
    assert len(asked) == 61 and np.mean(away[45:]) < np.mean(away[:30]) / 2
    assert abs(np.log(report.settings['srgb'] / 10)) == min(away) < 0.05


def test_what_makes_no_search(pool, kept):
    with pytest.raises(ValueError, match='at least one frame and one trial, got 0 frames and 40 trials'):
        search_crf([], pool)
    with pytest.raises(ValueError, match='got 2 frames and 0 trials'):
        search_crf(kept(a=0.1), pool, trials=0)


def test_a_tie_is_no_gain():
    assert not SearchReport(OFF, MaskScores(0.5, 0.5), MaskScores(0.5, 0.5)).gained
    assert str(MaskScores(0.5, 0.25)) == 'J 0.5000, F 0.2500'
