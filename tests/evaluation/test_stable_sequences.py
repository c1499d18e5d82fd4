from tempseg_mm.evaluation.stable_sequences import STABLE, UNSTABLE, counts_for_stability


def test_the_lists_are_those_of_davis_2016():
    assert {split: (len(STABLE[split]), len(UNSTABLE[split])) for split in STABLE} == dict(train=(17, 13), val=(10, 10))
    names = [name for lists in (STABLE, UNSTABLE) for split in lists.values() for name in split]
    assert len(set(names)) == 50


def test_only_what_the_list_leaves_out_does_not_count():
    assert counts_for_stability('blackswan') and counts_for_stability('my own sequence')
    assert not counts_for_stability('breakdance')
