import pytest
from mmengine import registry as root

from tempseg_mm import registry
from tempseg_mm.registry import DATASETS, HOOKS, MODELS, OPTIMIZERS, TASK_UTILS, TRANSFORMS


@pytest.mark.parametrize('kind, name', [
    (MODELS, 'TempSegGAN'), (MODELS, 'ITSDLoss'), (DATASETS, 'DAVISDataset'), (TRANSFORMS, 'PackClip'),
    (registry.METRICS, 'VOSMetric'), (registry.VISUALIZERS, 'VOSVisualizer'), (registry.LOOPS, 'GANTrainLoop'),
    (HOOKS, 'AtomicCheckpointHook'), (TASK_UTILS, 'DISFlow'),
    (registry.OPTIM_WRAPPER_CONSTRUCTORS, 'GANOptimWrapperConstructor'), (TASK_UTILS, 'OnlineFinetuner'),
])
def test_own_components_are_found_without_importing_them(kind, name):
    assert kind.get(name).__name__ == name
    assert name in kind


def test_mmengines_components_are_found_after_ours():
    assert HOOKS.get('CheckpointHook') is root.HOOKS.get('CheckpointHook')
    assert OPTIMIZERS.get('Adam') is root.OPTIMIZERS.get('Adam')
    assert 'TempSegGAN' not in root.MODELS.module_dict  # ours stay ours


def test_unknown_name_lists_the_nearest():
    with pytest.raises(KeyError, match=r"'ITSDLos' is not a registered model; did you mean .*ITSDLoss.*custom_imports"):
        MODELS.get('ITSDLos')
    with pytest.raises(KeyError, match='did you mean DAVISDataset'):
        DATASETS.build(dict(type='DavisDataset', data_root='', split=''))
    assert 'ITSDLos' not in MODELS


@pytest.mark.parametrize('name', ['BoundedLogHook', 'CheckpointGuardHook', 'TrainingStateHook'])
def test_a_name_of_an_earlier_version_says_what_does_its_work(name):
    with pytest.raises(KeyError, match=f"'{name}' is no longer a separate hook: AtomicCheckpointHook does its work"):
        HOOKS.build(dict(type=name))
    assert 'AtomicCheckpointHook' in HOOKS and name not in HOOKS


def test_hopeless_name_lists_all():
    with pytest.raises(KeyError) as error:
        TASK_UTILS.get('qqqqqqqqqqqq')
    assert all(name in str(error.value) for name in ('known: ', 'DISFlow', 'CopyMask', 'OnlineFinetuner'))


def test_known_names_are_sorted_and_hold_those_of_mmengine():
    names = HOOKS.known_names()
    assert names == sorted(names)
    assert {'CheckpointHook', 'ResultHook'} <= set(names)


def test_an_argument_inherited_from_a_part_of_another_type_is_explained():
    with pytest.raises(TypeError, match=r"^TempSegBackbone takes no 'widht'; it takes width, .*in_channels.*"
                       r'\. If .* add `_delete_=True`') as error:
        MODELS.build(dict(type='TempSegBackbone', widht=0.5))
    assert isinstance(error.value.__cause__, TypeError)
    with pytest.raises(TypeError, match="TempSegBackbone takes no 'norm_eval'; it takes "):
        MODELS.build(dict(type='TempSegBackbone'), default_args=dict(norm_eval=False))


def test_a_fault_inside_a_constructor_keeps_its_own_words():
    class Faulty:
        def __init__(self, width=1, **more):
            int('1', width=width)
    for name in ('width', 'height'):
        with pytest.raises(TypeError, match='int') as error:
            MODELS.build({'type': Faulty, name: 2})
        assert '_delete_' not in str(error.value) and error.value.__cause__ is None
