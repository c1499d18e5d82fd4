"""Writes a synthetic data set in the layout of DAVIS: ``python tools/make_synthetic.py --out data/synthetic``."""

import argparse
import sys

from tempseg_mm.datasets.synthetic.dataset import NUM_SEQUENCES, write_davis_layout
from tempseg_mm.datasets.synthetic.draw import DIFFICULTIES, SceneParams
from tempseg_mm.runtime.folder_lock import InUseError, locked_file


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument('--out', required=True, help='folder to make; must not exist, or hold the same data')
    parser.add_argument('--seed', type=int, default=0, help='of everything drawn')
    parser.add_argument('--train-sequences', type=int, default=NUM_SEQUENCES['train'], help='sequences in split train')
    parser.add_argument('--test-sequences', type=int, default=NUM_SEQUENCES['test'], help='sequences in split test')
    parser.add_argument('--frames', type=int, default=SceneParams.num_frames, help='frames of a sequence')
    parser.add_argument('--height', type=int, default=SceneParams.height, help='pixels')
    parser.add_argument('--width', type=int, default=SceneParams.width, help='pixels')
    parser.add_argument('--difficulty', choices=list(DIFFICULTIES), default='medium',
                        help='speed, deformation, occluders, look-alikes, blur and light together')
    parser.add_argument('--all-objects', action='store_true',
                        help='number the look-alikes in the annotations too: several objects to segment at once')
    parser.add_argument('--videos', action='store_true', help='write each sequence as MP4 too, below Videos')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    scene = SceneParams(num_frames=args.frames, height=args.height, width=args.width, **DIFFICULTIES[args.difficulty])
    num_sequences = dict(train=args.train_sequences, test=args.test_sequences)
    try:
        with locked_file(args.out, option='--out'):
            written = write_davis_layout(args.out, scene=scene, seed=args.seed, num_sequences=num_sequences,
                                         all_objects=args.all_objects, videos=args.videos)
    except InUseError as error:
        sys.exit(f'make_synthetic: {error}')
    print(f'\n{args.out}: {"written" if written else "the same data are there already"}')


if __name__ == '__main__':
    main()
