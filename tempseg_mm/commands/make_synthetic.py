"""Write a synthetic data set in the layout of DAVIS: scenes that are drawn, with exact masks and flow.

An object moves and changes its shape before others that look like it; --difficulty says how much of everything.
"""

import argparse
from collections.abc import Sequence

from .entry import command_parser, run_command

EXAMPLES = """\
  %(prog)s --out data/synthetic
  %(prog)s --out data/hard --difficulty hard --test-sequences 4 --videos
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    from tempseg_mm.datasets.synthetic.dataset import NUM_SEQUENCES
    from tempseg_mm.datasets.synthetic.draw import DIFFICULTIES, SceneParams

    parser = command_parser('make_synthetic', __doc__, EXAMPLES)
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='folder to make; must not exist, or hold the same data')
    for option, default, what in (
            ('--seed', 0, 'of everything drawn'),
            ('--train-sequences', NUM_SEQUENCES['train'], 'sequences in split train'),
            ('--test-sequences', NUM_SEQUENCES['test'], 'sequences in split test'),
            ('--frames', SceneParams.num_frames, 'frames of a sequence'),
            ('--height', SceneParams.height, 'pixels'),
            ('--width', SceneParams.width, 'pixels')):
        parser.add_argument(option, type=int, default=default, metavar='N', help=f'{what}; default: {default}')
    parser.add_argument('--difficulty', choices=list(DIFFICULTIES), default='medium',
                        help='speed, deformation, occluders, look-alikes, blur and light together; default: medium')
    parser.add_argument('--all-objects', action='store_true',
                        help='number the look-alikes in the annotations too: several objects to segment at once')
    parser.add_argument('--videos', action='store_true', help='write each sequence as MP4 too, below Videos')
    return parser


def run(args: argparse.Namespace) -> None:
    """Renders."""
    from mmengine.logging import MMLogger

    from tempseg_mm.datasets.synthetic.dataset import write_davis_layout
    from tempseg_mm.datasets.synthetic.draw import DIFFICULTIES, SceneParams
    from tempseg_mm.runtime.folder_lock import locked_file

    scene = SceneParams(num_frames=args.frames, height=args.height, width=args.width, **DIFFICULTIES[args.difficulty])
    num_sequences = dict(train=args.train_sequences, test=args.test_sequences)
    with locked_file(args.out, option='--out'):
        written = write_davis_layout(args.out, scene=scene, seed=args.seed, num_sequences=num_sequences,
                                     all_objects=args.all_objects, videos=args.videos,
                                     log=MMLogger.get_current_instance().info)
    print(f'{args.out}: {"written" if written else "the same data are there already"}')


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-make-synthetic``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
