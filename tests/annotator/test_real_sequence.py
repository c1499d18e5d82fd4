"""The command as a person starts it, on a real sequence with the weights that come with the project: draw, segment,
correct, export. On two cores it takes about a minute; it needs DAVIS 2016 and a Chromium."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from browser import chromium_tab
from PIL import Image

PATIENCE = 180
BOX = (335, 195, 825, 415)  # around the dog of dog-agility in frame 0: left, top, right, bottom
CORRECTED, LAST = 12, 24
IDLE = "document.getElementById('progress').hidden && document.getElementById('export-progress').hidden"
SHOWN = "document.getElementById('canvas').ariaLabel === 'Frame %d with its masks'"
SAVED = "document.getElementById('saved').textContent === '✓ saved'"


@pytest.fixture
def address(davis_root, tmp_path):
    frames = Path(davis_root, 'JPEGImages/480p/dog-agility')
    command = [sys.executable, '-m', 'tempseg_mm.commands.annotate', str(frames), '--out', str(tmp_path / 'out'),
               '--no-browser', '--device', 'cpu']
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=dict(os.environ, PYTHONUNBUFFERED='1')
                          ) as process:
        try:
            line = next(line for line in process.stdout if line.startswith('page '))
            yield line.split()[1]
            process.send_signal(signal.SIGINT)
            assert 'the same command continues' in process.stdout.read() and process.wait(30) == 0
        finally:
            process.kill()


def work(page, button):
    page.click(button)  # which clears what was told
    page.wait_for(f"(document.getElementById('export-told').textContent || "
                  f"document.getElementById('told').textContent) && {IDLE}")


@pytest.mark.slow
def test_draw_segment_correct_export(address, davis_root, tmp_path):
    truth = [Path(davis_root, f'Annotations/480p/dog-agility/{i:05d}.png') for i in range(LAST + 1)]
    gt = [np.asarray(Image.open(path).convert('L')) > 127 for path in truth]

    def mean_j(frame_ids):
        found = [np.asarray(Image.open(tmp_path / f'out/masks/{i:05d}.png')) > 0 for i in frame_ids]
        return np.mean([(mask & gt[i]).sum() / (mask | gt[i]).sum() for i, mask in zip(frame_ids, found, strict=True)])

    with chromium_tab(patience=PATIENCE) as page:
        page.look(1280, 720)
        page.open(address)
        page.wait_for(SHOWN % 0)
        place = page.locator('#canvas').bounding_box()
        scale = min(place['height'] / 480, place['width'] / 854)
        left, top = place['x'] + (place['width'] - 854 * scale) / 2, place['y'] + (place['height'] - 480 * scale) / 2
        page.keyboard.press('r')
        page.mouse.move(left + scale * BOX[0], top + scale * BOX[1])
        page.mouse.down()
        page.mouse.move(left + scale * BOX[2], top + scale * BOX[3], steps=5)
        page.mouse.up()
        page.wait_for("!document.getElementById('segment').disabled && "
                      "!document.getElementById('stage').classList.contains('busy') && " + SAVED)
        assert mean_j([0]) > 0.5
        work(page, '#segment')
        before = mean_j(range(CORRECTED + 1, LAST))
        assert before > 0.5
        page.focus('#timeline')
        page.keyboard.press('Home')
        for _ in range(CORRECTED):
            page.keyboard.press('ArrowRight')
        page.wait_for(SHOWN % CORRECTED)
        page.set_input_files('#mask-file', str(truth[CORRECTED]))
        page.wait_for("!document.getElementById('given').hidden && " + SAVED)
        assert mean_j([CORRECTED]) == 1
        work(page, '#go-forth')
        assert mean_j(range(CORRECTED + 1, LAST)) > before
        page.click('#take-away')
        page.check('input[value=prores]')
        work(page, '#export')
        with page.expect_download() as download:
            page.click('#kinds a[href$="cutout.mov"]')
        with av.open(str(download.value.path())) as video:
            alphas = [frame.to_ndarray(format='rgba')[..., 3] for frame in video.decode(video=0)]
        assert len(alphas) == LAST + 1
        np.testing.assert_array_equal(alphas[CORRECTED] > 127, gt[CORRECTED])
        assert page.errors == []
    assert (tmp_path / 'out/.session/session.json').is_file()
