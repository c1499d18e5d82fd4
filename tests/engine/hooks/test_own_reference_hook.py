import pytest


def shares(runner, monkeypatch):
    """The share in force at each iteration of a run."""
    seen, model = [], runner.model
    forward = type(model).forward
    monkeypatch.setattr(type(model), 'forward', lambda self, batch: (
        seen.append(self.own_reference_prob), forward(self, batch))[1])
    runner.train()
    return seen


def test_the_share_rises_from_begin_to_end(make_runner, monkeypatch):
    hook = dict(type='OwnReferenceHook', prob=0.8, begin=1, end=5)
    runner = make_runner(**{'default_hooks.own_references': hook, 'train_cfg.max_iters': 7})
    assert shares(runner, monkeypatch) == pytest.approx([0, 0, 0.2, 0.4, 0.6, 0.8, 0.8])


def test_it_ends_with_the_training_by_default(make_runner, monkeypatch):
    runner = make_runner(**{'default_hooks.own_references': dict(type='OwnReferenceHook', prob=0.9),
                            'train_cfg.max_iters': 3})
    assert shares(runner, monkeypatch) == pytest.approx([0, 0.3, 0.6])


@pytest.mark.parametrize('options, message', [
    (dict(prob=1.5), 'prob must be in'),
    (dict(begin=3), 'end must be after begin, got 3 and 3'),
])
def test_bad_arguments(make_runner, options, message):
    with pytest.raises(ValueError, match=message):
        make_runner(**{'default_hooks.own_references': dict(type='OwnReferenceHook', **options)}).train()


def test_a_model_without_reference_masks_is_told(make_runner):
    runner = make_runner(**{'default_hooks.own_references': dict(type='OwnReferenceHook'),
                            'model.generator.reference_mask': 'none'})
    with pytest.raises(ValueError, match="set model.generator.reference_mask='input'"):
        runner.train()
