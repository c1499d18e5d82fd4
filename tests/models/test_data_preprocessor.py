import pickle
from pathlib import Path

import pytest
import torch

from tempseg_mm.flow.base import FlowProvider
from tempseg_mm.flow.untrained import DISFlow
from tempseg_mm.models.data_preprocessor import VOSDataPreprocessor
from tempseg_mm.registry import MODELS, TASK_UTILS
from tempseg_mm.structures import VOSDataSample


class Counting(FlowProvider):
    """Answers a shift by (2, -1), and keeps what it was asked."""
    signature = 'Counting()'

    def __init__(self):
        self.calls = []

    def estimate(self, frames, next_frames):
        self.calls.append((frames.clone(), next_frames.clone()))
        flow = torch.zeros(len(frames), 2, *frames.shape[2:])
        flow[:, 0], flow[:, 1] = 2, -1
        return flow


@pytest.fixture
def provider(monkeypatch):
    made = Counting()
    monkeypatch.setitem(TASK_UTILS.module_dict, 'Counting', lambda: made)
    return made


def sample(name='bear', t=3, size=(8, 12), flow=None):
    made = VOSDataSample(metainfo=dict(sequence=name, frame_ids=list(range(t))))
    made.gt_masks = torch.zeros(t, 1, *size, dtype=torch.uint8)
    made.gt_masks[:, :, 4:6, 3:5] = 1
    made.reference_masks = made.gt_masks.clone()
    if flow is not None:
        made.flow = flow
    return made


def data(*samples):
    return dict(inputs=[torch.randint(0, 256, (*s.gt_masks.shape[:1], 3, *s.gt_masks.shape[2:]), dtype=torch.uint8)
                        for s in samples], data_samples=list(samples))


def test_stacks_clips(provider):
    batch = VOSDataPreprocessor(flow=dict(type='Counting'))(data(sample('bear'), sample('camel')))
    assert batch.frames.shape == (2, 3, 3, 8, 12) and batch.gt_masks.shape == (2, 3, 1, 8, 12)
    assert batch.reference_masks.shape == (2, 3, 1, 8, 12) and batch.flow.shape == (2, 2, 2, 8, 12)
    assert batch.gt_masks.dtype is batch.reference_masks.dtype is batch.frames.dtype is torch.float32
    assert batch.sequences == ('bear', 'camel') and batch.frame_ids == ((0, 1, 2), (0, 1, 2))


def test_normalisation_by_hand():
    preprocessor = MODELS.build(dict(type='VOSDataPreprocessor', mean=(10, 20, 30), std=(1, 2, 5)))
    made = sample(t=1, size=(1, 1))
    made.flow = torch.zeros(0, 2, 1, 1)
    frames = torch.tensor([12, 14, 0], dtype=torch.uint8).view(1, 3, 1, 1)
    batch = preprocessor(dict(inputs=[frames], data_samples=[made]))
    assert batch.frames.flatten().tolist() == [2, -3, -6]
    torch.testing.assert_close(preprocessor.normalize(frames), preprocessor.normalize(frames.float()))


def test_the_provider_is_called_once_a_batch_with_the_frames_as_they_were(provider):
    clips = data(sample('bear'), sample('camel'))
    VOSDataPreprocessor(flow=dict(type='Counting'))(clips, training=True)
    (frames, next_frames), = provider.calls
    expected = torch.stack(clips['inputs'])
    assert torch.equal(frames, expected[:, :2].flatten(0, 1)) and frames.dtype is torch.uint8
    assert torch.equal(next_frames, expected[:, 1:].flatten(0, 1))


def test_flow_of_the_data_is_preferred(provider):
    flow = torch.randn(2, 2, 8, 12)
    batch = VOSDataPreprocessor(flow=dict(type='Counting'))(data(sample(flow=flow), sample(flow=-flow)))
    assert provider.calls == []
    assert torch.equal(batch.flow[0], flow) and torch.equal(batch.flow[1], -flow)


def test_one_clip_without_flow_has_the_whole_batch_estimated(provider):
    batch = VOSDataPreprocessor(flow=dict(type='Counting'))(data(sample(flow=torch.zeros(2, 2, 8, 12)), sample()))
    assert len(provider.calls) == 1
    assert (batch.flow[:, :, 0] == 2).all() and (batch.flow[:, :, 1] == -1).all()


def test_references_are_moved_along_the_flow_but_the_first(provider):
    batch = VOSDataPreprocessor(flow=dict(type='Counting'))(data(sample()))
    expected = torch.zeros(8, 12)
    expected[3:5, 5:7] = 1  # two to the right, one up
    assert torch.equal(batch.reference_masks[0, 0, 0], batch.gt_masks[0, 0, 0])
    assert torch.equal(batch.reference_masks[0, 1, 0], expected)
    assert torch.equal(batch.reference_masks[0, 2, 0], expected)


def test_each_reference_goes_along_the_flow_of_its_own_pair():
    flow = torch.zeros(2, 2, 8, 12)
    flow[0, 0], flow[1, 1] = 3, 2
    made = sample(flow=flow)
    made.reference_masks = torch.zeros(3, 1, 8, 12, dtype=torch.uint8)
    for t, (y, x) in enumerate([(4, 6), (1, 2), (3, 4)]):
        made.reference_masks[t, 0, y, x] = 1
    batch = VOSDataPreprocessor()(data(made))
    # Frame 0 keeps its own; the mask of frame 0 goes 3 to the right, that of frame 1 goes 2 down, the last is not read.
    assert [mask.nonzero().tolist() for mask in batch.reference_masks[0, :, 0]] == [[[4, 6]], [[4, 9]], [[3, 2]]]


def test_the_reference_of_frame_0_may_be_another_than_the_mask_that_is_moved():
    made = sample(flow=torch.ones(2, 2, 8, 12))
    made.first_reference = torch.zeros(1, 1, 8, 12, dtype=torch.uint8)
    batch = VOSDataPreprocessor()(data(made))
    assert not batch.reference_masks[0, 0].any() and batch.reference_masks.shape == (1, 3, 1, 8, 12)
    assert torch.equal(batch.reference_masks[0, 1, 0, 1:, 1:], batch.gt_masks[0, 0, 0, :-1, :-1])


def test_clips_of_one_frame_have_no_flow(provider):
    batch = VOSDataPreprocessor(flow=dict(type='Counting'))(data(sample(t=1)))
    assert batch.flow.shape == (1, 0, 2, 8, 12)
    assert torch.equal(batch.reference_masks, batch.gt_masks)


def test_clips_of_several_sizes_are_refused(provider):
    with pytest.raises(ValueError, match=r'length and size, got bear: \(3, 3, 8, 12\), camel: \(3, 3, 8, 16\)'):
        VOSDataPreprocessor()(data(sample('bear'), sample('camel', size=(8, 16))))
    with pytest.raises(ValueError, match='the same length and size'):
        VOSDataPreprocessor()(data(sample(), sample(t=2)))


def test_without_flow_and_provider_the_way_out_is_named():
    with pytest.raises(ValueError, match=r"no provider. Set model.data_preprocessor.flow, .* dict\(type='DISFlow'\)"):
        VOSDataPreprocessor()(data(sample()))


def test_constants_are_not_part_of_checkpoints():
    assert list(VOSDataPreprocessor().state_dict()) == []


@pytest.mark.parametrize('flow', [None, torch.zeros(2, 2, 8, 12)])  # of the first of two clips
def test_workers_find_the_flow_that_the_step_would_find(flow):
    preprocessor = VOSDataPreprocessor(flow=dict(type='DISFlow'))
    clips = data(sample(flow=flow), sample())
    expected = preprocessor(clips).flow
    brought = pickle.loads(pickle.dumps(preprocessor.in_workers))(clips)
    preprocessor.flow = None  # nothing is left to estimate
    assert torch.equal(preprocessor(brought).flow, expected) and expected.abs().max() > 0


def test_workers_leave_alone_what_the_data_bring(provider):
    preprocessor = VOSDataPreprocessor(flow=dict(type='Counting'))
    provider.on_cpu = True
    flow = torch.randn(2, 2, 8, 12)
    assert preprocessor.in_workers(data(sample(flow=flow)))['data_samples'][0].flow is flow and provider.calls == []


@pytest.mark.parametrize('flow, given', [
    (dict(type='DISFlow'), True), (dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir='unused'), True),
    (dict(type='ZeroFlow'), False), (None, False)])
def test_workers_are_given_what_is_work_for_a_cpu(flow, given):
    preprocessor = VOSDataPreprocessor(flow=flow)
    assert (preprocessor.in_workers is not None) is given
    preprocessor.needs_flow = False
    assert preprocessor.in_workers is None


def test_flow_that_nobody_reads_is_not_estimated(provider):
    preprocessor = VOSDataPreprocessor(flow=dict(type='Counting'))
    preprocessor.needs_flow = False
    batch = preprocessor(data(sample()))
    assert provider.calls == [] and batch.flow is None and batch.reference_masks.shape == batch.gt_masks.shape


@pytest.fixture
def with_dis(make_runner):
    """A Runner whose data bring no flow, and whose provider works on the CPU."""
    def make(**options):
        return make_runner(**{
            'train_cfg.max_iters': 2, 'model.data_preprocessor.flow': dict(type='DISFlow'),
            'train_dataloader.dataset.pipeline.0.with_flow': False, **options})
    return make


def test_in_training_workers_bring_the_flow_and_change_no_bit(with_dis, monkeypatch, on_cpu):
    def train(**options):
        calls, runner = [], with_dis(**options)
        estimate = runner.model.data_preprocessor.estimate_flow
        runner.model.data_preprocessor.estimate_flow = lambda *pairs: calls.append(1) or estimate(*pairs)
        runner.train()
        return calls, runner.train_loop.last_batch.flow, runner.model.state_dict()
    in_step, flow, weights = train(**{'train_dataloader.num_workers': 1})
    assert in_step == [] and flow.any()
    monkeypatch.setattr(VOSDataPreprocessor, 'in_workers', None)
    in_step, expected, expected_weights = train()
    assert in_step == [1, 1] and torch.equal(flow, expected)
    assert all(torch.equal(value, weights[name]) for name, value in expected_weights.items())


def test_no_flow_where_neither_losses_nor_references_need_it(with_dis, monkeypatch):
    monkeypatch.setattr(DISFlow, 'estimate', None)
    pictures = dict(type='TrainingPictureHook', interval=1)
    runner = with_dis(**{'model.generator.reference_mask': 'none', 'model.losses.itsd': None,
                         'default_hooks.pictures': pictures})
    runner.train()
    assert runner.train_loop.last_batch.flow is None and runner.iter == 2
    assert list(Path(runner.work_dir).rglob('train_clip_2.png'))


def test_void_of_some_clips_is_stacked(provider):
    preprocessor, doubtful = VOSDataPreprocessor(flow=dict(type='Counting')), sample('camel')
    assert preprocessor(data(sample(), sample())).void is None
    doubtful.void = 1 - doubtful.gt_masks
    void = preprocessor(data(sample(), doubtful)).void
    assert void.shape == (2, 3, 1, 8, 12) and void.dtype is torch.bool
    assert not void[0].any() and torch.equal(void[1], doubtful.gt_masks == 0)
