from tempseg_mm.apis.inferencer.lost_spans import LostSpan, lost_spans, sentences_on
from tempseg_mm.structures import FrameRecord


def records(given, **sure):
    """Of frames 0, 1, ...; ``o1`` is object 1. A mask is as large as it is sure, and empty where it is ``None``."""
    values = {int(name[1:]): shares for name, shares in sure.items()}
    return [FrameRecord(i, f'{i:05d}', i in given, {k: int(100 * (shares[i] or 0)) for k, shares in values.items()},
                        sure={k: shares[i] for k, shares in values.items()})
            for i in range(len(next(iter(values.values()))))]


def test_spans_of_three_frames_and_more():
    found = lost_spans(records([0], o1=[1, 0.9, 0.5, 0.6, 0.9, 0.3, 0.4, 0.69, None, 0.8, None, None, None],
                               o4=[1, *[0.95] * 12]))
    assert found == [LostSpan(1, 5, 8, 5, 'unsure'), LostSpan(1, 10, 12, 10, 'empty')]
    assert sentences_on(found) == ['Object 1 was probably lost at frame 5 (to 8), then frame 10 (to 12, no mask): give '
                                   'a mask there (--mask FILE@5 --correct).']
    assert sentences_on([]) == []


def test_an_object_is_not_lost_before_it_first_shows():
    assert lost_spans(records([0, 5], o1=[1] * 9, o4=[None] * 5 + [1] * 4)) == []


def test_what_is_lost_on_the_way_back_is_told_from_there():
    found = lost_spans(records([5], o1=[None] * 3 + [1.0] * 4))
    assert found == [LostSpan(1, 0, 2, 2, 'empty')]
    assert sentences_on(found)[0].endswith('frame 2 (back to 0, no mask): give a mask there (--mask FILE@2 --correct).')


def test_an_object_that_a_given_mask_ended_is_not_lost():
    ended = records([0, 3], o1=[1, 1, 1, 1, None, None, None], o2=[1] * 7)
    assert len(lost_spans(ended)) == 1
    ended[3].areas[1] = 0
    assert lost_spans(ended) == []


def test_frames_that_are_not_done_are_in_no_span():
    known = records([0], o1=[1, 1, 0.2, 0.2, 0.2, 0.2, 1])
    assert len(lost_spans(known)) == 1
    assert lost_spans([*known[:4], *known[5:]]) == []
