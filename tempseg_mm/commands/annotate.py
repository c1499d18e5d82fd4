"""Draw the first mask of a video in the browser, watch it being followed, correct it, and take the result away.

VIDEO is a file, a folder of frames or a pattern in quotes ('shots/a*.png'). The page is served on this machine only, to
whoever has the address that is printed; it needs no network. Everything that is drawn and found is in --out at any
moment: ending the command, or closing the browser, loses nothing, and the same command goes on. A folder that
tempseg-segment has written opens likewise, with its masks to correct.
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
    """The arguments of this command."""
    parser = command_parser('annotate', __doc__, EXAMPLES)
    parser.add_argument('video', metavar='VIDEO', help='file, folder or pattern')
    parser.add_argument('--mask', action='append', metavar='FILE[@FRAME]',
                        help='mask to begin with, as of tempseg-segment; more than once for more frames. Left out '
                             'where the folder has masks already')
    parser.add_argument('--box', action='append', default=[], metavar='X,Y,W,H[@FRAME]',
                        help='box around an object to begin with, likewise')
    parser.add_argument('--out', metavar='DIR',
                        help='default: work_dirs/segment_video/<name of the video>-<digits of its place>')
    parser.add_argument('--start', type=int, default=0, metavar='FRAME', help='first frame; default: 0')
    parser.add_argument('--end', type=int, metavar='FRAME', help='the frame to stop before; default: all')
    parser.add_argument('--port', type=int, default=0, help='of the page; default: a free one')
    parser.add_argument('--no-browser', action='store_true', help='print the address, and open nothing')
    add_network(parser)
    add_overrides(parser)
    return parser


def run(args: argparse.Namespace) -> None:
    """Serves the page until Ctrl-C."""
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
    print(f'\neverything is in {seen_from_here(folder)}; the same command goes on')


def _serve(workspace: 'Workspace', port: int, *, browser: bool) -> None:
    from tempseg_mm.annotator import PageServer

    server = PageServer(workspace, port)
    print(f'\npage     {server.address}\n\nCtrl-C ends it; everything is kept', flush=True)
    if browser:
        server.open_browser()
    try:
        server.run()
    except KeyboardInterrupt:  # which is how this command ends
        if job := workspace.jobs.current:
            print(f'\n{job["kind"]} is at work and ends with its step', flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-annotate``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
