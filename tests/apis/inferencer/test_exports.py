"""All kinds, read back; how each is written is tested in tests/visualization."""

import json
import weakref

import av
import numpy as np
import pytest
from PIL import Image

from tempseg_mm.apis.inferencer.exports import EXPORTS, export_finished, export_kinds, export_masks, export_result
from tempseg_mm.apis.inferencer.output import OutputFolder
from tempseg_mm.commands import segment
from tempseg_mm.sources.open_source import open_source
from tempseg_mm.visualization import coco_writer
from tempseg_mm.visualization.exporters import write_indexed_png
from tempseg_mm.visualization.video_writer import MP4, VideoWriter

SIZE, TIMES = (31, 47), np.array([0, 0.1, 0.2, 0.5, 0.6, 1.1])
VIDEOS = ('prores', 'cutout-webm', 'matte', 'overlay-mp4', 'overlay-webm')


def shot(num_frames=6):
    """Two squares that move; images that differ from frame to frame."""
    for i in range(num_frames):
        labels = np.zeros(SIZE, np.uint8)
        labels[4:14, 4 + 2 * i:16 + 2 * i], labels[16:28, 20:40] = 1, 2
        yield i, f'{i:05d}', np.full((*SIZE, 3), (40 * i, 90, 200 - 30 * i), np.uint8), labels


@pytest.fixture
def finished(tmp_path):
    """``shot.mp4`` with frames of different lengths, and ``out`` with what a call found in its frames 1 to 5."""
    with VideoWriter(tmp_path / 'shot.mp4', MP4, 10, timed=True) as video:
        for time, (_, _, image, _) in zip(TIMES, shot(), strict=True):
            video.write(image, time)
    out = OutputFolder(tmp_path / 'out')
    for i, name, _, labels in shot():
        if i:
            write_indexed_png(out.mask_file(name), labels)
    with open_source(tmp_path / 'shot.mp4') as source:
        settings = dict(video='shot.mp4', start=1, end=6, fps=source.fps, frame_size=[32, 48], objects=[1, 2])
    labels = np.zeros((32, 48), np.uint8)
    for path in out.masks.iterdir():
        labels[:31, :47] = np.asarray(Image.open(path))
        write_indexed_png(path, labels)
    out.result.write_text(json.dumps(dict(settings=settings, records=[{}] * 5, notices=['kept'])))
    return tmp_path


def test_every_kind_is_read_back(tmp_path):
    told = []
    written = export_masks('all', shot(), tmp_path / 'new', size=SIZE, times=TIMES + 7, fps=10, num_frames=6,
                           on_progress=lambda *step: told.append(step))
    assert list(written) == list(EXPORTS) and told == [('exporting', i, 6) for i in range(1, 7)]
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == sorted(
        export.file_name for export in EXPORTS.values())
    for kind in VIDEOS:
        with av.open(str(written[kind])) as container:
            frames = list(container.decode(video=0))
        assert [frame.time for frame in frames] == pytest.approx(TIMES, abs=6e-4), kind
        assert (frames[0].height, frames[0].width) == ((31, 47) if kind == 'prores' else (32, 48))
        if kind == 'matte':
            for frame, (*_, labels) in zip(frames, shot(), strict=True):
                np.testing.assert_array_equal(frame.to_ndarray(format='gray')[:31, :47] > 125, labels > 0)
    assert len(list(written['cutout-png'].iterdir())) == 6
    assert sorted(path.name for path in written['object-mattes'].iterdir()) == ['1.mp4', '2.mp4']
    assert len(json.loads(written['coco'].read_text())['annotations']) == 12


def test_a_constant_rate_stays_one_though_a_container_counted_milliseconds(tmp_path):
    for off, steady in ((4e-4, True), (4e-2, False)):
        times = np.arange(6) / 24 + off * (np.arange(6) % 2)
        path = export_masks(['matte'], shot(), tmp_path, size=SIZE, times=times, fps=24)['matte']
        with av.open(str(path)) as container:
            found = [frame.time for frame in container.decode(video=0)]
        assert (np.abs(np.array(found) - np.arange(6) / 24).max() < 1e-6) == steady


def test_one_frame_is_held_at_a_time(tmp_path):
    made = []

    class Image(np.ndarray):
        pass

    def stream():
        for i, name, image, labels in shot():
            image = image.view(Image)
            made.append(weakref.ref(image))
            yield i, name, image, labels
            del image
            assert sum(one() is not None for one in made) <= 1
    export_masks('all', stream(), tmp_path, size=SIZE, times=None, fps=24)
    assert len(made) == 6


def test_what_goes_wrong_midway_leaves_nothing(tmp_path):
    def stream():
        yield from shot(3)
        raise OSError('the disk was unplugged')
    for frames, error, words in ((stream(), OSError, 'unplugged'), (iter([]), ValueError, 'no frame to export'),
                                 ([next(shot()), (1, 'a', np.zeros((9, 9, 3), np.uint8), np.zeros(SIZE, np.uint8))],
                                  ValueError, r'frame 1 is \(9, 9, 3\) .* must be \(31, 47\)')):
        with pytest.raises(error, match=words):
            export_masks('all', frames, tmp_path, size=SIZE, times=None, fps=24)
        assert list(tmp_path.iterdir()) == []


def test_names_that_people_type(monkeypatch):
    assert export_kinds(['coco,matte', 'prores', 'matte']) == ['prores', 'matte', 'coco']
    assert export_kinds('all') == list(EXPORTS) and export_kinds(()) == []
    with pytest.raises(ValueError, match='unknown export: gif, mp4; expected cutout-png, .*, coco, or all'):
        export_kinds(['matte,gif', 'mp4'])
    monkeypatch.setattr(coco_writer.importlib.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match='pip install pycocotools'):
        export_kinds(['coco'])


def test_the_help_of_the_command_has_every_kind():
    told = segment.make_parser().format_help()
    for kind, export in EXPORTS.items():
        line, = [line for line in told.splitlines() if line.split()[:1] == [kind]]
        assert export.file_name in line


def test_a_finished_result_is_taken_away_without_a_network(finished):
    written = export_finished(['matte', 'coco'], finished / 'shot.mp4', finished / 'out')
    assert written['matte'] == finished / 'out/exports/matte.mp4'
    with av.open(str(written['matte'])) as container:
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx(TIMES[1:] - TIMES[1], abs=1e-4)
    found = json.loads((finished / 'out/result.json').read_text())
    assert found['exports'] == {kind: str(path) for kind, path in written.items()} and found['notices'] == ['kept']
    steady = export_finished(['matte'], finished / 'shot.mp4', finished / 'out', fps=5)['matte']
    with av.open(str(steady)) as container:
        assert [frame.time for frame in container.decode(video=0)] == pytest.approx(np.arange(5) / 5)


def test_what_is_no_finished_result_of_the_video_is_refused(finished):
    video, out = finished / 'shot.mp4', OutputFolder(finished / 'out')
    with pytest.raises(FileNotFoundError, match='no finished result in .*none to export: give a --mask'):
        export_finished(['matte'], video, finished / 'none')
    with pytest.raises(ValueError, match=r'of shot.mp4: 5 frames of .* \[32, 48\], but frames has 5 of \[9, 9\]'):
        export_finished(['matte'], np.zeros((6, 9, 9, 3), np.uint8), out.root)
    with pytest.raises(ValueError, match='read the frames a second time, but frames can be read only once'):
        export_finished(['matte'], (image for _, _, image, _ in shot()), out.root)
    out.mask_file('00003').unlink()
    with open_source(video, start=1) as source, pytest.raises(FileNotFoundError, match='00003.png'):
        export_result(['matte'], source, out, fps=24)
    assert not list(out.exports.glob('*'))
