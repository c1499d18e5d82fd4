"""What a person does on the page, as the requests that the page sends; one after the other on one session."""

import base64
import io
import threading

import numpy as np
from annotator.small_page import NUM_FRAMES, SIZE, disk, png
from PIL import Image


def test_what_the_page_finds_when_it_opens(client, frames):
    page = client.ask('GET', '')
    assert page.status == 200 and page.headers.get_content_type() == 'text/html'
    state = client.ask('GET', 'api/state').body
    expected = dict(num_frames=NUM_FRAMES, start=0, size=list(SIZE), given={}, records={}, objects=[], job=None)
    assert {name: state[name] for name in expected} == expected
    assert (state['device'], state['steps'], state['name']) == ('cpu', 1, frames.name)
    assert not any(export['ready'] for export in state['exports'])
    assert client.ask('GET', 'api/masks/0.png').status == 204
    np.testing.assert_array_equal(client.pixels('api/frames/3.jpg').shape, (*SIZE, 3))
    whole = client.pixels('api/frames/3.jpg?full=1').astype(int)
    assert np.abs(whole - np.asarray(Image.open(frames / '00003.png'))).mean() < 5


def test_objects_come_are_renamed_and_go(client):
    first, second = (client.ask('POST', 'api/objects', dict(name=name)).body for name in ('dog', ''))
    assert [(one['id'], one['name']) for one in second['objects']] == [(1, 'dog'), (2, '')]
    assert first['objects'][0]['color'] == [255, 64, 64] and 'records' not in first
    client.ask('PATCH', 'api/objects/2', dict(name='  cat '))
    assert client.ask('GET', 'api/state').body['objects'][1]['name'] == 'cat'
    assert [one['id'] for one in client.ask('DELETE', 'api/objects/2').body['objects']] == [1]
    assert client.ask('DELETE', 'api/objects/2').status == 404


def test_a_drawn_mask_is_kept(client, session):
    canvas = np.dstack([disk(0), np.full(SIZE, 77, np.uint8), disk(0), np.full(SIZE, 255, np.uint8)])
    answer = client.ask('PUT', 'api/masks/0', png(canvas))
    assert answer.status == 200 and answer.body['given'] == {'0': [1]}
    np.testing.assert_array_equal(client.pixels('api/masks/0.png'), disk(0))
    np.testing.assert_array_equal(session.labels(0), disk(0))
    assert client.ask('GET', 'api/masks/0.png').headers['X-Given'] == '1'
    saved = client.ask('GET', 'api/masks/0.png?download=1')
    assert saved.headers['Content-Disposition'].endswith('00000.png')
    assert Image.open(io.BytesIO(saved.body)).mode == 'P'
    assert client.ask('DELETE', 'api/masks/0').body['given'] == {}
    assert client.ask('GET', 'api/masks/0.png').status == 204


def test_a_file_of_a_person_is_read_and_brings_its_objects(client):
    file = np.where(disk(0) > 0, 255, 0).astype(np.uint8)
    file[25:30, 2:8] = 0
    assert client.ask('PUT', 'api/masks/0?read=1', png(file)).body['given'] == {'0': [1]}
    two = np.zeros((*SIZE, 3), np.uint8)
    two[disk(1) > 0], two[25:30, 2:8] = (255, 0, 0), (0, 0, 255)
    state = client.ask('PUT', 'api/masks/1?read=1', png(two)).body
    assert [one['id'] for one in state['objects']] == [1, 2] and state['given']['1'] == [1, 2]
    client.ask('DELETE', 'api/objects/2')
    assert client.ask('DELETE', 'api/masks/1').body['given'] == {'0': [1]}


def test_an_object_is_selected_by_a_box_and_by_clicks(client):
    asked = dict(frame=2, object=1, box=[9.5, 5.2, 20, 18], clicks=[], labels=None)
    found = client.ask('POST', 'api/select', asked)
    assert found.headers.get_content_type() == 'image/png'
    pixels = np.asarray(Image.open(io.BytesIO(found.body)))
    assert set(np.unique(pixels)) == {0, 255}
    assert _iou(pixels > 0, disk(2)) > 0.9
    clicks = [dict(x=18.5, y=13.2, inside=True), dict(x=40, y=28, inside=False)]
    found = client.ask('POST', 'api/select', dict(frame=2, object=1, clicks=clicks))
    assert _iou(np.asarray(Image.open(io.BytesIO(found.body))) > 0, disk(2)) > 0.9
    wrong = np.where(np.arange(SIZE[1]) < 22, disk(2), 0).astype(np.uint8)  # a part of it is missing
    labels = base64.b64encode(png(wrong)).decode()
    found = client.ask('POST', 'api/select', dict(frame=2, object=1, clicks=[dict(x=24, y=14, inside=True)],
                                                  labels=labels))
    assert _iou(np.asarray(Image.open(io.BytesIO(found.body))) > 0, disk(2)) > 0.85  # 0.71 before


def _iou(a, b):
    return (a & (b > 0)).sum() / (a | (b > 0)).sum()


def test_segment_correct_and_go_on(client, session, monkeypatch):
    events = client.work('api/segment')
    kinds = [event['type'] for event in events]
    assert kinds[:2] == ['loading', 'started'] and kinds[-1] == 'done'
    assert kinds.count('frame') == NUM_FRAMES and dict(
        type='progress', stage='fine-tuning', done=1, total=1) in events
    state = client.ask('GET', 'api/state').body
    assert sorted(map(int, state['records'])) == list(range(NUM_FRAMES)) and state['job'] is None
    assert state['records']['3']['areas'].keys() == {'1'}

    before = session.labels(2)
    assert client.ask('PUT', 'api/masks/3', png(disk(3))).status == 200
    redone = [event['record']['frame_id'] for event in client.work('api/go-on', dict(frame=3, direction='forwards'))
              if event['type'] == 'frame']
    assert redone == [4, 5]
    np.testing.assert_array_equal(session.labels(2), before)
    np.testing.assert_array_equal(session.labels(3), disk(3))
    again = [event['record']['frame_id'] for event in client.work('api/go-on', dict(frame=4, direction='forwards'))
             if event['type'] == 'frame']
    assert again == [5]  # nothing was drawn on 4: as after a stop
    monkeypatch.setattr(session, 'labels', lambda frame_id: None)
    refused = client.ask('POST', 'api/go-on', {'frame': 2, 'direction': 'forwards'})
    assert refused.status == 400 and 'frame 2 has no mask yet' in refused.body['error']


def test_while_a_job_is_at_work_masks_are_read_and_not_changed_and_it_stops(client, workspace, monkeypatch):
    at_work, go = threading.Event(), threading.Event()

    def segment(on_progress):
        on_progress('fine-tuning', 1, 60)
        at_work.set()
        go.wait(20)
        on_progress('fine-tuning', 2, 60)
        raise AssertionError('it was not stopped')
        yield
    monkeypatch.setattr(workspace.session, 'segment', segment)
    events = client.events(('stopped', 'done', 'error'))
    next(events)
    assert client.ask('POST', 'api/segment').body['job']['kind'] == 'segment'
    assert at_work.wait(20)
    for method, path, body in (('PUT', 'api/masks/0', png(disk(0))), ('DELETE', 'api/masks/0', None),
                               ('POST', 'api/segment', '{}'), ('POST', 'api/objects', '{}'),
                               ('POST', 'api/export', '{"kinds": ["report"]}')):
        refused = client.ask(method, path, body)
        assert refused.status == 409 and 'segment is running' in refused.body['error']
    assert client.ask('GET', 'api/masks/3.png').status == 200
    assert client.ask('GET', 'api/state').body['job'] == dict(kind='segment', stage='fine-tuning', done=1, total=60)
    late = client.events(('progress',))
    assert list(late)[-1]['done'] == 1  # who comes later hears at once how far it is
    assert client.ask('POST', 'api/stop').status == 202
    go.set()
    assert list(events)[-1] == dict(type='stopped', kind='segment')
    assert client.ask('GET', 'api/state').body['job'] is None


def test_other_tabs_are_told(client):
    events = client.events(('changed',))
    next(events)
    client.ask('PATCH', 'api/objects/1', '{"name": "hound"}', {'X-Tab': 'abc'})
    assert list(events) == [dict(type='changed', frame=None, tab='abc')]
