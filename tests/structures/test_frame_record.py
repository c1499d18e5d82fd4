import json

from tempseg_mm.structures import FrameRecord


def test_json_brings_back_the_ids():
    record = FrameRecord(7, '00007', True, areas={1: 20, 12: 0}, confidences={1: 0.75, 12: None},
                         changes={1: None, 12: None}, scores={1: 0.5})
    assert FrameRecord.from_dict(json.loads(json.dumps(record.to_dict()))) == record
