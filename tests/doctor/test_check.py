import pytest

from tempseg_mm.doctor.check import Check, lines


@pytest.mark.parametrize('state, needed, fault', [
    ('ok', True, False), ('note', True, False), ('missing', True, True), ('too old', True, True),
    ('broken', True, True), ('wrong', True, True), ('missing', False, False), ('broken', False, False),
])
def test_only_what_is_needed_is_a_fault(state, needed, fault):
    assert Check('x', state, needed=needed).is_fault is fault


def test_lines():
    shown = lines([Check('torch', 'ok', '2.13.0', 'not shown'),
                   Check('onnxruntime', 'missing', 'for ONNX', 'pip install onnxruntime', needed=False)], width=60)
    assert shown == ['  ok         torch        2.13.0',
                     '  (missing)  onnxruntime  for ONNX',
                     '             -> pip install onnxruntime']


def test_long_texts_are_wrapped_and_remedies_can_be_copied():
    words, command = ' '.join(['word'] * 30), 'pip ' + 'x' * 80
    shown = lines([Check('a', 'wrong', words, command)], width=60)
    assert max(map(len, shown[:-1])) <= 60 and len(shown) > 3
    assert ' '.join(' '.join(shown[:-1]).split()) == f'wrong a {words}'
    assert shown[-1].endswith(f'-> {command}')
    assert lines([]) == []
