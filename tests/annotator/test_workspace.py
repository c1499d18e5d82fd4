"""What the page shows beside the session: the exports that are ready, and the masks to begin with."""

import os
import time

import numpy as np
import pytest
from annotator.small_page import SIZE, disk
from PIL import Image

from tempseg_mm.annotator import Workspace, begin
from tempseg_mm.apis.session.session import Session


@pytest.fixture
def fresh(loaded, frames, tmp_path):
    """A session without masks, and how it is opened again."""
    def opened():
        return Session.open(loaded, str(frames), tmp_path / 'out')
    return opened


def test_masks_to_begin_with_are_left_out_where_work_goes_on(fresh, tmp_path):
    Image.fromarray(255 * disk(0)).save(tmp_path / 'first.png')
    with fresh() as session:
        assert begin(session, None, []) == [] and session.given == {}
        begin(session, [f'{tmp_path}/first.png'], [])
        session.give(0, np.roll(disk(0), 1, axis=1))
    with fresh() as session:
        note, = begin(session, [f'{tmp_path}/first.png'], ['8,6,18,18@1'])
        assert '--mask and --box are ignored' in note and list(session.given) == [0]
        np.testing.assert_array_equal(session.labels(0), np.roll(disk(0), 1, axis=1))


def test_what_was_exported_before_a_correction_is_not_ready(workspace, session):
    session.add_object('dog')
    workspace.change(lambda session: session.give(0, disk(0)), 0)
    report = session.folder / 'report.html'

    def is_ready():
        return {export['name']: export['ready'] for export in workspace.state()['exports']}['report']
    assert not is_ready() and workspace.export_file('report.html') is None
    report.write_text('page')
    os.utime(report, (time.time() + 5, time.time() + 5))
    assert is_ready() and workspace.export_file('report.html') == report
    with Workspace(session, str, {}) as again:  # in another process, later
        assert {export['name']: export['ready'] for export in again.state()['exports']}['report']
    os.utime(report, (time.time() - 5, time.time() - 5))
    workspace.change(lambda session: session.give(0, disk(1)), 0)
    assert not is_ready()
    report.unlink()


@pytest.mark.parametrize('name', ['..', '../session.json', '.session', 'session.json', 'given', '', '/etc/passwd'])
def test_nothing_else_is_handed_out(workspace, name):
    assert workspace.export_file(name) is None


def test_jobs_that_make_no_sense_are_refused_before_they_start(fresh):
    with fresh() as session, Workspace(session, str, {}) as workspace:
        for wrong, words in ((workspace.segment, 'draw an object'), (lambda: workspace.go_on(1, 'forwards'), 'frame 1'),
                             (lambda: workspace.go_on(1, 'sideways'), 'direction must be'),
                             (lambda: workspace.export(['report']), '6 of 6 frames have no mask yet .*frame 0'),
                             (lambda: workspace.export(['nothing']), 'kinds must be|unknown export'),
                             (lambda: workspace.export([]), 'kinds must be')):
            with pytest.raises(ValueError, match=words):
                wrong()
        with pytest.raises(LookupError, match='frames are 0 to 5'):
            workspace.require_frame(6)
        with pytest.raises(LookupError, match='no object 1'):
            workspace.require_object(1)
        assert workspace.jobs.current is None
        assert workspace.state(records=False).keys() >= {'name', 'exports', 'folder'} and SIZE == tuple(
            workspace.state()['size'])
    assert not (session.folder / '.page').exists()
