import numpy as np
import pytest
import torch

from tempseg_mm.apis.inferencer import sequence_run
from tempseg_mm.apis.inferencer.loading import Loaded
from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.apis.inferencer.sequence_run import SequenceRun, Wishes
from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.resume import RunState
from tempseg_mm.inference.segmenter import Segmenter
from tempseg_mm.sources.arrays import ArraySource
from tempseg_mm.sources.inputs import Inputs


@pytest.fixture
def make_run(make_model, make_sequence, tmp_path):
    """A run over six frames, the first given; ``source`` stands for the class of it."""
    def make(source=ArraySource, size=None, **wishes):
        sequence = make_sequence(6)
        inputs = Inputs(source(sequence.frames), (32, 48))
        inputs.labels, inputs.images = {0: sequence.masks[0]}, {0: sequence.frames[0]}
        loaded = Loaded(Segmenter(make_model().eval(), size, OnlineFinetuner(steps=0)), notices=['from scratch'])
        out = OutputFolder(tmp_path / 'out')
        state = RunState(out.resume, {})
        state.begin()
        return SequenceRun(loaded, inputs, out, state, Wishes(pictures=False, **wishes))
    return make


def test_what_a_result_says(make_run):
    run = make_run()
    result = run.run(dict(steps=0))
    assert [record.frame_id for record in result.records] == list(range(6))
    assert result.settings == dict(steps=0)
    assert result.notices[0] == 'from scratch' and 'Object 1 was probably lost' in result.notices[1]  # untrained
    assert result.report is None and result.given is None and result.finetune_losses == {1: []}
    assert result.timings['frames_per_s'] > 0 and run.fps == 24
    assert not run.out.resume.exists() and result.result_json.exists()


def test_an_object_too_small_for_the_network_is_told_of(make_run):
    run = make_run(size=16)
    assert run.notices == ['from scratch']
    run.inputs.labels[0] = np.zeros((32, 48), np.uint8)
    run.inputs.labels[0][5, 5] = 3
    again = SequenceRun(Loaded(run.segmenter, notices=['from scratch']), run.inputs, run.out, run.state, run.wishes)
    assert 'Object 3 is so small that nothing is left of it at the working size (16x24 pixels)' in again.notices[1]


@pytest.mark.parametrize('ends', [False, True])
def test_an_object_that_a_mask_has_ended_is_not_lost(make_run, ends):
    run = make_run()
    run.inputs.ends = ends
    run.inputs.labels[3], run.inputs.images[3] = np.zeros((32, 48), np.uint8), run.inputs.images[0]
    result = run.run({})
    assert [(span.object_id, span.first, span.last) for span in result.lost] == ([] if ends else [(1, 1, 5)])
    assert any('probably lost' in notice for notice in result.notices) != ends


def test_each_frame_is_shown(make_run):
    shown = []
    make_run(show=lambda image, labels: shown.append((image.shape, labels.shape))).run({})
    assert shown == [((32, 48, 3), (32, 48))] * 6


def test_a_mask_that_cannot_be_written_ends_the_run_and_is_not_taken_for_done(make_run, monkeypatch):
    run, write = make_run(), sequence_run.write_indexed_png

    def failing(path, labels, palette):
        if path.stem == '00002':
            raise OSError('no space left')
        write(path, labels, palette)
    monkeypatch.setattr(sequence_run, 'write_indexed_png', failing)
    with pytest.raises(OSError, match='no space left'):
        run.run({})
    assert run.out.mask_file('00001').exists() and not run.out.overlay.exists()
    again = RunState(run.out.resume, {})
    assert again.load() and again.snapshot is None


def test_what_is_done_is_kept_when_the_source_fails(make_run, monkeypatch):
    def broken(self):
        for frame in ArraySource([np.zeros((32, 48, 3), np.uint8)] * 4).frames():
            if frame.frame_id == 3:
                raise OSError('unplugged')
            yield frame
    monkeypatch.setattr(Inputs, 'frames', broken)
    run = make_run()
    with pytest.raises(OSError, match='unplugged'):
        run.run({})
    again = RunState(run.out.resume, {})
    assert again.load() and again.snapshot.frame_id == 2 and set(again.figures) == {0, 1, 2}
    assert torch.equal(again.snapshot.masks[1].mask, run.state.snapshot.masks[1].mask)
    assert sorted(path.stem for path in run.out.masks.iterdir()) == ['00000', '00001', '00002']


def test_a_camera_ends_when_it_is_stopped(make_run, monkeypatch):
    class Camera(ArraySource):
        """Stands for one."""
    monkeypatch.setattr(sequence_run, 'CameraSource', Camera)

    def stop(stage, done, total):
        if done == 3:
            raise KeyboardInterrupt
    result = make_run(Camera, on_progress=stop).run({})
    assert len(result.records) == 3 and result.overlay is None
    assert result.notices == ['from scratch', 'frames was stopped after frame 2.']
