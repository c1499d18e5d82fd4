"""Render a synthetic data set with exact masks and optical flow, in the folder layout of DAVIS.

In each sequence an object moves and changes its shape in front of similar objects. --difficulty sets how hard it is.
"""

import argparse
from collections.abc import Sequence

from .entry import command_parser, run_command

EXAMPLES = """\
  %(prog)s --out data/synthetic
  %(prog)s --out data/hard --difficulty hard --test-sequences 4 --videos
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    from tempseg_mm.datasets.synthetic.dataset import NUM_SEQUENCES
    from tempseg_mm.datasets.synthetic.draw import DIFFICULTIES, SceneParams

    parser = command_parser('make_synthetic', __doc__, EXAMPLES)
    parser.add_argument('--out', required=True, metavar='DIR',
                        help='folder to create; it must not exist, or must hold the same data')
    for option, default, what in (
            ('--seed', 0, 'seed of all random draws'),
            ('--train-sequences', NUM_SEQUENCES['train'], 'number of sequences in split train'),
            ('--test-sequences', NUM_SEQUENCES['test'], 'number of sequences in split test'),
            ('--frames', SceneParams.num_frames, 'frames per sequence'),
            ('--height', SceneParams.height, 'height in pixels'),
            ('--width', SceneParams.width, 'width in pixels')):
        parser.add_argument(option, type=int, default=default, metavar='N', help=f'{what}; default: {default}')
    parser.add_argument('--difficulty', choices=list(DIFFICULTIES), default='medium',
                        help='sets speed, deformation, occluders, look-alikes, blur and light; default: medium')
    parser.add_argument('--all-objects', action='store_true',
                        help='annotate the look-alikes too, so that there are several objects to segment')
    parser.add_argument('--videos', action='store_true', help='also write each sequence as MP4, below Videos')
    return parser


def run(args: argparse.Namespace) -> None:
    """Render the data set."""
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
    print(f'{args.out}: {"written" if written else "the same data exist already"}')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-make-synthetic``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
