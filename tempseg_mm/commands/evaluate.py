"""Score masks on disk by the measures of DAVIS: region J, contour F, temporal instability T. No model is needed.

Prints one row per sequence (mean, recall, decay; T has only a mean) and the means over sequences. Notes tell where
folders or masks could be read in another way. --out writes all values as JSON and the table as CSV beside it. Each run
computes everything again.
"""

import argparse
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')  # before NumPy is imported, since the work is spread over processes

from .entry import command_parser, run_command  # noqa: E402

EXAMPLES = """\
  %(prog)s --gt data/DAVIS/Annotations/480p --pred masks --split data/DAVIS/ImageSets/480p/val.txt
  %(prog)s --gt gt --pred work_dirs/tempseg_davis/test --metrics J F --workers 2
  %(prog)s --gt gt --pred masks --out scores/results.json --plots scores/plots

folders:
  <sequence>/*.png, or *.png for one sequence; the same below Annotations/480p or masks. BMP, NPY, TIFF, WebP and
  PNM are also read; GIF and JPEG only if there is no other format. Masks are matched by name, or by the numbers
  in their names.
objects:
  The ids of all annotations of a sequence are its objects. With one id, all pixels that are not 0 are the object.
  With several ids, objects are scored one by one and averaged; each is given in the frame where it first appears,
  and is scored from the next frame on. 255 beside other ids is void, which no score counts. docs/inputs.md says how
  values, colours and alpha are read.
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    from tempseg_mm.evaluation.mask_folders import PROTOCOLS

    parser = command_parser('evaluate', __doc__, EXAMPLES)
    parser.add_argument('--gt', required=True, metavar='DIR', help='folder of the ground truth')
    parser.add_argument('--pred', required=True, metavar='DIR', help='folder of the predicted masks')
    parser.add_argument('--split', nargs='+', metavar='FILE|NAME',
                        help='sequences to score: a file that lists them, a list of the project (dev10, ...), or '
                             'their names; default: all sequences of --gt')
    parser.add_argument('--metrics', nargs='+', choices=['J', 'F', 'T'], default=['J', 'F', 'T'],
                        help='measures to compute; default: all; at 480p J and F take 1 ms per mask, T takes 0.1 s')
    parser.add_argument('--workers', type=int, default=1, metavar='N', help='number of processes; default: 1')
    parser.add_argument('--merge-objects', action='store_true', help='treat all ids as one object')
    parser.add_argument('--protocol', choices=PROTOCOLS, default='auto',
                        help='frames to score: davis leaves out the first and the last annotation; annotated leaves '
                             'out only the first; auto (default) is annotated if the numbers of the annotations have '
                             'gaps, as in YouTube-VOS, else davis')
    parser.add_argument('--groups', metavar='meta.json',
                        help='meta.json of YouTube-VOS: also average over objects of seen and of unseen categories')
    parser.add_argument('--out', metavar='FILE.json',
                        help='write all values to this file, and the table beside it as .csv')
    parser.add_argument('--plots', metavar='DIR', help='write a plot of the scores over time for each sequence')
    return parser


def run(args: argparse.Namespace) -> None:
    """Print the table and write the requested files."""
    from tempseg_mm.datasets.youtube_vos import object_groups
    from tempseg_mm.evaluation.mask_scoring import evaluate_masks
    from tempseg_mm.runtime.folder_lock import locked, locked_file
    from tempseg_mm.visualization.score_plot import write_score_plot

    with ExitStack() as stack:
        if args.out:
            stack.enter_context(locked_file(args.out, option='--out'))
        if args.plots:
            stack.enter_context(locked(args.plots, option='--plots'))
        # One word may name a list or a sequence; several words are sequences.
        split = args.split[0] if args.split and len(args.split) == 1 else args.split
        table = evaluate_masks(args.gt, args.pred, split=split, measures=args.metrics, workers=args.workers,
                               merge_objects=args.merge_objects, protocol=args.protocol,
                               groups=object_groups(args.groups) if args.groups else None, log=print)
        print(table.to_text())
        if args.out:
            table.to_json(args.out)
            table.to_csv(Path(args.out).with_suffix('.csv'))
            print(f'{args.out} and {Path(args.out).with_suffix(".csv")}: written')
        if args.plots:
            for name, scores in table.sequences.items():
                write_score_plot(Path(args.plots) / f'{name}.png', scores, title=name)
            print(f'{args.plots}: {len(table.sequences)} plots')


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-evaluate``."""
    run_command(make_parser, run, argv)


if __name__ == '__main__':
    main()
