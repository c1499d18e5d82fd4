"""Draw the first mask of a video in the browser, watch the object being followed, correct it, and export the result.

VIDEO is a file, a folder of frames or a pattern in quotes ('shots/a*.png'). The page is served on this machine only, to
anyone who has the printed address, and needs no internet. All masks are always saved in --out: if you stop the command
or close the browser, nothing is lost, and the same command continues. It also opens a folder that tempseg-segment has
written, to correct its masks.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .arguments import add_network, add_overrides, inferencer_of
from .entry import command_parser, foreseen, run_command

if TYPE_CHECKING:
    from tempseg_mm.annotator import Workspace

EXAMPLES = """\
  %(prog)s dog.mp4
  %(prog)s dog.mp4 --mask dog_first.png --out out
  %(prog)s frames/ --port 8123 --no-browser      # on another machine: ssh -L 8123:127.0.0.1:8123 that-machine
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = command_parser('annotate', __doc__, EXAMPLES)
    parser.add_argument('video', metavar='VIDEO', help='file, folder or pattern')
    parser.add_argument('--mask', action='append', metavar='FILE[@FRAME]',
                        help='mask to begin with, as for tempseg-segment; repeat it for more frames. Ignored if the '
                             'folder already has masks')
    parser.add_argument('--box', action='append', default=[], metavar='X,Y,W,H[@FRAME]',
                        help='box around an object to begin with, under the same rules')
    parser.add_argument('--out', metavar='DIR',
                        help='output folder; default: work_dirs/segment_video/<name of the video>-<digits>, where '
                             'the digits depend on its location')
    parser.add_argument('--start', type=int, default=0, metavar='FRAME', help='first frame; default: 0')
    parser.add_argument('--end', type=int, metavar='FRAME', help='frame to stop before; default: all frames')
    parser.add_argument('--port', type=int, default=0, help='port of the page; default: a free one')
    parser.add_argument('--no-browser', action='store_true', help='print the address, but open no browser')
    add_network(parser)
    add_overrides(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C."""
    from tempseg_mm.annotator import Workspace, begin
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.apis.session.session import Session
    from tempseg_mm.runtime.closing_block import seen_from_here
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    folder = args.out or default_folder(args.video)
    print(f'writing to {seen_from_here(folder)}', flush=True)
    loaded = inferencer_of(args).loaded
    settings = {name: loaded.settings[name] for name in ('device', 'steps')}
    with stopped_by_signals(), Session.open(loaded, args.video, folder, start=args.start, end=args.end) as session:
        for note in begin(session, args.mask, args.box):
            print(f'note: {note}')
        with Workspace(session, foreseen, settings) as workspace:
            _serve(workspace, args.port, browser=not args.no_browser)
    print(f'\neverything is in {seen_from_here(folder)}; the same command continues')


def _serve(workspace: 'Workspace', port: int, *, browser: bool) -> None:
    from tempseg_mm.annotator import PageServer

    server = PageServer(workspace, port)
    print(f'\npage     {server.address}\n\nCtrl-C stops it; everything is saved', flush=True)
    if browser:
        server.open_browser()
    try:
        server.run()
    except KeyboardInterrupt:  # the normal end of this command
        if job := workspace.jobs.current:
            print(f'\n{job["kind"]} stops after its present step', flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-annotate``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
