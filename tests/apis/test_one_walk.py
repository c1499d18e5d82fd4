"""A data-set test, a video and a stream are one walk: the same hooks act in each, and they print the same scores."""

import numpy as np
import pytest
from eager_adaptation import adapting
from mmengine.hooks import Hook
from mmengine.runner import Runner
from PIL import Image

from tempseg_mm.apis.inferencer import VOSInferencer
from tempseg_mm.registry import HOOKS


class EveryPixel(Hook):
    """A hook of one's own: sets every probability to 1."""

    def refine_masks(self, segmenter, stream):
        for frame in stream:
            frame.probabilities = np.ones_like(frame.probabilities)
            yield frame


WINDOW = dict(type='ObjectWindow', size=(32, 48))


@pytest.fixture(params=[None, WINDOW], ids=['whole frames', 'windows'])
def setting(tiny_config, make_model, sequence, tmp_path, monkeypatch, request, on_cpu):
    """A config and a checkpoint of everything; ``hook`` is in its ``custom_hooks``."""
    import torch
    monkeypatch.setitem(HOOKS.module_dict, 'EveryPixel', EveryPixel)
    model = make_model(adversary=dict(share_weights=True))
    torch.save(dict(state_dict=model.state_dict()), tmp_path / 'weights.pth')

    def make(hook=None, num_given=1):
        cfg = tiny_config(**{
            'test_dataloader.dataset.sequences': [sequence.name], 'test_cfg.num_given_frames': num_given,
            'default_hooks.finetune.finetuner.steps': 3, 'test_dataloader.dataset.size': 32})
        cfg.load_from = cfg.checkpoint = str(tmp_path / 'weights.pth')
        if request.param is not None:
            cfg.model.window = dict(WINDOW)
            cfg.default_hooks.finetune.finetuner.augment = [dict(type='ClipObjectWindow', window=dict(WINDOW))]
        if hook is not None:
            cfg.custom_hooks = [hook]
        return cfg
    return make


def of_a_test(cfg, sequence):
    """Masks and J of ``tools/test.py``."""
    runner = Runner.from_cfg(cfg)
    metrics = runner.test()
    folder = f'{runner.work_dir}/test/masks/{sequence.name}'
    found = [Image.open(f'{folder}/{sequence.file_name(i)}.png') for i in range(len(sequence))]
    return [np.asarray(mask) for mask in found], metrics


def of_a_video(cfg, sequence, out, num_given=1):
    """Masks and J of the Python call, with the frames and masks of the same sequence."""
    masks = [sequence.mask(i) for i in range(len(sequence))]
    folder = out / sequence.name  # the name decides the random draws
    folder.mkdir(parents=True)
    for i in range(len(sequence)):
        Image.fromarray(sequence.frame(i)).save(folder / f'{sequence.file_name(i)}.png')
    result = VOSInferencer(cfg)(folder, masks[:num_given], out_dir=out / 'out', ground_truth=masks, pictures=False)
    found = [Image.open(result.masks_dir / f'{sequence.file_name(i)}.png') for i in range(len(masks))]
    return [np.asarray(mask) for mask in found], result


@pytest.mark.parametrize('num_given', [1, 2])
def test_a_video_gives_the_masks_and_the_scores_of_a_test(setting, sequence, tmp_path, num_given):
    of_test, metrics = of_a_test(setting(num_given=num_given), sequence)
    of_video, result = of_a_video(setting(num_given=num_given), sequence, tmp_path, num_given)
    for i in (0, *range(num_given, len(sequence))):
        np.testing.assert_array_equal(of_test[i], of_video[i])
    np.testing.assert_array_equal(of_video[num_given - 1], sequence.mask(num_given - 1))  # given is given
    assert result.mean_j == {1: pytest.approx(metrics['J_mean'], abs=1e-12)}


def test_a_hook_of_one_s_own_acts_everywhere(setting, sequence, tmp_path):
    cfg = setting(dict(type='EveryPixel'))
    of_test, metrics = of_a_test(cfg, sequence)
    of_video, result = of_a_video(cfg, sequence, tmp_path)
    np.testing.assert_array_equal(of_test[0], sequence.mask(0))
    assert all(mask.all() for mask in (*of_test[1:], *of_video[1:]))
    assert result.mean_j[1] == pytest.approx(metrics['J_mean'])
    with VOSInferencer(cfg).stream(sequence.frame(0), sequence.mask(0)) as stream:
        assert all(mask.all() for mask in stream.run([sequence.frame(1), sequence.frame(2)]))


@pytest.mark.parametrize('setting', [WINDOW], indirect=True, ids=['windows'])
def test_what_is_learnt_on_the_way_is_the_same_everywhere(setting, sequence, tmp_path):
    plain, _ = of_a_test(setting(), sequence)
    of_test, metrics = of_a_test(setting(adapting(steps=6)), sequence)
    of_video, result = of_a_video(setting(adapting(steps=6)), sequence, tmp_path)
    for i in range(len(sequence)):
        np.testing.assert_array_equal(of_test[i], of_video[i])
    assert not all(np.array_equal(a, b) for a, b in zip(plain, of_test, strict=True))
    assert result.mean_j == {1: pytest.approx(metrics['J_mean'], abs=1e-12)}
    assert result.timings['adapt'] > 0


@pytest.mark.parametrize('setting', [WINDOW], indirect=True, ids=['windows'])
def test_a_stream_learns_on_the_way_what_a_video_learns(setting, sequence, tmp_path):
    inferencer, frames = VOSInferencer(setting(adapting(steps=6))), [sequence.frame(i) for i in range(len(sequence))]
    video = inferencer(frames, sequence.mask(0), out_dir=tmp_path / 'out', pictures=False)
    of_video = [np.asarray(Image.open(path)) for path in sorted(video.masks_dir.iterdir())]
    with inferencer.stream(frames[0], sequence.mask(0)) as stream:
        np.testing.assert_array_equal(of_video[1:], list(stream.run(frames[1:])))
