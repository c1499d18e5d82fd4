import io
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

from tempseg_mm.engine.checkpoints import complete_generator, make_plain, rebuild, require_resumable


def checkpoint(**parts):
    return dict(state_dict={}, message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}), **parts)


def through_a_file(content):
    file = io.BytesIO()
    torch.save(content, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_message_hub_survives_a_file_of_plain_types():
    buffer = HistoryBuffer([3.5, 2.5], [1, 2], max_length=10)
    hub = dict(log_scalars={'train/loss': buffer}, runtime_info=dict(iter=np.int64(7), best=np.float32(0.5), name='x'),
               resumed_keys={'train/loss': True})
    saved, scalars = dict(state_dict={}, message_hub=hub), hub['log_scalars']
    make_plain(saved)
    assert scalars['train/loss'] is buffer  # the running log is not touched
    assert saved['message_hub']['runtime_info'] == dict(iter=7, best=0.5, name='x')
    assert type(saved['message_hub']['runtime_info']['iter']) is int

    read = through_a_file(saved)['message_hub']
    rebuild(read)
    again = read['log_scalars']['train/loss']
    assert isinstance(again, HistoryBuffer)
    assert again.data[0].tolist() == [3.5, 2.5] and again.data[1].tolist() == [1, 2] and again.max_length == 10
    again.update(1.0)
    assert again.current() == 1.0


def test_everything_else_becomes_plain():
    saved = checkpoint(
        meta=dict(dataset_meta=ConfigDict(palette=np.array([[1, 2]], np.uint8), names=np.array(['a'])),
                  score=np.float64(1)),
        optimizer=OrderedDict(betas=(np.float32(0.5), 0.999), state={0: dict(exp_avg=torch.ones(2))}, amp=None,
                              shape=torch.Size([2]), on=np.bool_(True)))
    make_plain(saved)
    read = through_a_file(saved)
    assert read['meta']['dataset_meta']['palette'].dtype == torch.uint8
    assert read['meta']['dataset_meta']['palette'].tolist() == [[1, 2]]
    assert read['meta']['dataset_meta']['names'] == ['a'] and type(saved['meta']['dataset_meta']) is dict
    assert type(saved['meta']['score']) is float and saved['optimizer']['on'] is True
    assert read['optimizer']['betas'] == (0.5, 0.999) and type(read['optimizer']) is OrderedDict
    assert torch.equal(read['optimizer']['state'][0]['exp_avg'], torch.ones(2))


@pytest.mark.parametrize('value, kind', [
    (io.BytesIO(), '_io.BytesIO'), ({1}, 'builtins.set'), (b'x', 'builtins.bytes')])
def test_what_could_never_be_read_is_not_written(value, kind):
    with pytest.raises(TypeError, match=rf"checkpoint\['own'\]\['a'\]\[1\] is a {kind}, which torch.load"):
        make_plain(checkpoint(own=dict(a=[0, value])))


def test_weights_alone_cannot_be_resumed():
    require_resumable(checkpoint(meta={}, optimizer={}))
    with pytest.raises(ValueError, match='holds no meta, optimizer, so training cannot go on.*load_from='):
        require_resumable(checkpoint())


def test_a_generator_alone_gets_the_rest_of_the_model():
    own = {name: torch.full((1,), value) for name, value in (('generator.a', 1.), ('adversary.b', 2.), ('flow.c', 3.))}
    alone = {'generator.a': torch.zeros(1)}
    assert complete_generator(alone, own)
    assert {name: value.item() for name, value in alone.items()} == {'generator.a': 0, 'adversary.b': 2, 'flow.c': 3}


@pytest.mark.parametrize('names', [(), ('generator.a', 'adversary.b'), ('a',), ('adversary.b',)])
def test_other_weights_stay_as_they_are(names):
    weights = dict.fromkeys(names, torch.zeros(1))
    assert not complete_generator(weights, {'generator.a': torch.ones(1), 'adversary.b': torch.ones(1)})
    assert tuple(weights) == names


def test_a_model_that_is_all_generator_needs_nothing():
    weights = {'generator.a': torch.zeros(1)}
    assert not complete_generator(weights, {'generator.a': torch.ones(1)}) and list(weights) == ['generator.a']
