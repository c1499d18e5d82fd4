import json

import pytest
import torch

from tempseg_mm.runtime.records import Records, fingerprints


@pytest.fixture
def records(tmp_path):
    return Records(tmp_path / 'sequences', dict(weights='aa', dataset='bb'))


def test_what_is_written_is_read(records):
    assert records.read('camel') is None and records.check() == 0
    value = 0.1 + 0.2
    records.write('camel', dict(frames=[dict(J=value, T=None)]))
    assert records.read('camel') == dict(frames=[dict(J=value, T=None)])  # to the bit
    assert records.check() == 1 and [path.name for path in records.folder.iterdir()] == ['camel.json']
    records.clear()
    assert records.read('camel') is None


def test_a_record_of_another_test_is_refused_and_what_differs_is_named(records):
    records.write('camel', {})
    other = Records(records.folder, dict(weights='aa', dataset='cc', seed='dd'))
    for look in (other.check, lambda: other.read('camel')):
        with pytest.raises(ValueError, match=r'camel\.json was made with other dataset, seed than this test, .*'
                                             'without --resume'):
            look()


@pytest.mark.parametrize('text', ['', '[]', '{"found": 1}', '{"made_with": 3'])
def test_what_is_no_record_is_named(records, text):
    records.folder.mkdir()
    (records.folder / 'camel.json').write_text(text)
    with pytest.raises(ValueError, match=r'camel\.json is not a record'):
        records.check()


def test_nan_has_no_place_in_a_record(records):
    with pytest.raises(ValueError):
        records.write('camel', dict(J=float('nan')))
    assert records.read('camel') is None


def test_a_name_stays_in_the_folder(records):
    with pytest.raises(ValueError, match='cannot be used'):
        records.write('../camel', {})


def test_every_bit_of_the_weights_counts():
    def weights(last=1.0, name='b', dtype=torch.float32):
        return {'a': torch.tensor(3), name: torch.tensor([[0., last]], dtype=dtype)}
    mark = fingerprints(dict(weights=weights()))
    assert fingerprints(dict(weights=dict(reversed(weights().items())))) == mark  # the order does not
    for changed in (weights(last=1.0000001), weights(name='c'), weights(dtype=torch.bfloat16),
                    {'a': torch.tensor(3), 'b': torch.tensor([0., 1.])}):
        assert fingerprints(dict(weights=changed)) != mark


def test_settings_count_by_value():
    assert fingerprints(dict(x=dict(a=1, b=[2, None]))) == fingerprints(dict(x=dict(b=[2, None], a=1)))
    assert fingerprints(dict(x=dict(a=1))) != fingerprints(dict(x=dict(a=2)))
    json.dumps(fingerprints(dict(x=torch.float32)))
