"""Follow objects through a video, from a mask or a box in one frame or more.

VIDEO is a file, a folder of frames, a pattern in quotes ('shots/a*.png') or the number of a camera. A mask is an image
of the size of the frames: white on black for one object; a palette, colours or numbers for several. A mask that is
transparent around the object does, too. Frames before the first mask are segmented backwards from it.

Written to --out: masks/ (indexed PNG, one a frame), overlay.webm, report.html (open it in a browser) and result.json.
Starts from the weights that the config names, those that come with the project, unless a --checkpoint is named. Works
without trained weights, too (--checkpoint none): the network then learns the object from the given masks alone, which
takes a few minutes on a CPU and is rough where the object looks like its surroundings. Each object is fine-tuned on its
own: three objects take three times as long as one.
"""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .arguments import add_overrides
from .entry import command_parser, run_command

if TYPE_CHECKING:
    from tempseg_mm.apis.inferencer import SegmentationResult

EXAMPLES = """\
  %(prog)s dog.mp4 --mask dog_first.png
  %(prog)s dog.mp4 --mask first.png --mask later.png@40 --gif
  %(prog)s dog.mp4 --box 120,40,200,160 --out out     # look at out/given, correct it, then
  %(prog)s dog.mp4 --mask out/given/00000.png --out out --overwrite
  %(prog)s frames/ --mask first.png --config configs/tempseg_davis_mobilenet.py \\
      --checkpoint work_dirs/tempseg_davis_mobilenet --steps 100 --tta --crf
  %(prog)s dog.mp4 --mask dog_first.png --checkpoint none     # learns from the mask alone
  %(prog)s dog.mp4 --mask dog_first.png --resume      # after Ctrl-C
  %(prog)s dog.mp4 --mask dog_at_40.png@40 --correct  # frames from 40 on, in a third of the time
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    parser = command_parser('segment', __doc__, EXAMPLES)
    parser.add_argument('video', metavar='VIDEO', help='file, folder, pattern or camera number')
    parser.add_argument('--mask', action='append', metavar='FILE[@FRAME]',
                        help='mask of a frame, more than once for more frames; FRAME is its number, counted from 0, or '
                             'its name. Without it: the frame that the file is named after (00007.png), else the '
                             'first one, then the second, ...')
    parser.add_argument('--box', action='append', default=[], metavar='X,Y,W,H[@FRAME]',
                        help='box around an object, in pixels: left, top, width, height; GrabCut makes the mask. More '
                             'than once for more objects; without FRAME: in the first one')
    parser.add_argument('--out', metavar='DIR',
                        help='default: work_dirs/segment_video/<name of the video>-<digits of its place>')
    parser.add_argument('--config', metavar='FILE',
                        help='that the weights were trained with; default: configs/segment_video.py, and without '
                             'weights configs/segment_video_scratch.py if it is there')
    parser.add_argument('--checkpoint', metavar='FILE',
                        help="of tempseg-train or tempseg-export, a folder to take the newest one of, or "
                             "'newest' in the config's work dir, or 'none' for random numbers; default: the file that "
                             'the config names if it is there, else random numbers')
    parser.add_argument('--steps', type=int, help="of fine-tuning, for each object; default: the config's")
    parser.add_argument('--size', type=int, metavar='PIXELS',
                        help='shorter side of the frames that the network sees, or where it sees windows, as with the '
                             "default weights, of those that flow is estimated on; default: the config's")
    parser.add_argument('--start', type=int, default=0, metavar='FRAME', help='first frame; default: 0')
    parser.add_argument('--end', type=int, metavar='FRAME', help='the frame to stop before; default: all')
    parser.add_argument('--fps', type=float, help="of the overlay; default: the video's, or 24")
    parser.add_argument('--tta', action='store_true',
                        help='test-time augmentation: of the frames fine-tuned on, and of predictions, by mirroring')
    parser.add_argument('--crf', action='store_true', help='refine the masks with the dense CRF, slowly')
    parser.add_argument('--gt', metavar='DIR', help='masks to score against, named as the frames: adds J')
    parser.add_argument('--gif', action='store_true', help='write overlay.gif too')
    parser.add_argument('--masks-only', action='store_true',
                        help='leave overlay and report out: several times as fast where the network is small')
    parser.add_argument('--show', action='store_true', help='show the overlay in a window meanwhile; q stops')
    parser.add_argument('--resume', action='store_true', help='go on after an interrupted run in --out')
    parser.add_argument('--correct', action='store_true',
                        help='correct the finished result in --out by one --mask FILE@FRAME or more: learns from them '
                             'in a third of the steps, then segments the frames that follow them again')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in --out')
    parser.add_argument('--resize-mask', action='store_true', help='bring masks to the size of the frames')
    parser.add_argument('--ends', action='store_true',
                        help='an object that a later mask does not show ends there; else it goes on')
    parser.add_argument('--resize-frames', action='store_true', help='bring all frames to the size of the first')
    parser.add_argument('--seed', type=int, default=0, help='of all random draws; default: 0')
    parser.add_argument('--device', help="e.g. 'cpu' to leave a GPU alone; default: the GPU if there is one")
    add_overrides(parser)
    return parser


def segment(args: argparse.Namespace) -> 'SegmentationResult':
    """What the arguments ask for."""
    from tempseg_mm.apis.inferencer import VOSInferencer
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.runtime.closing_block import seen_from_here
    from tempseg_mm.runtime.memory import keep_freed_memory
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    keep_freed_memory()
    inferencer = VOSInferencer(
        args.config, args.checkpoint, args.device, steps=args.steps, size=args.size, tta=args.tta, crf=args.crf,
        seed=args.seed, cfg_options=args.cfg_options)
    print(f'writing to {seen_from_here(args.out or default_folder(args.video))}', flush=True)
    with stopped_by_signals(), shown_progress(lambda text: print(text, flush=True)) as on_progress:
        if args.correct:
            return inferencer.correct(
                args.video, args.mask, boxes=args.box, out_dir=args.out, ground_truth=args.gt, gif=args.gif,
                pictures=not args.masks_only, resize_mask=args.resize_mask, ends=args.ends, on_progress=on_progress)
        return inferencer(
            args.video, args.mask, boxes=args.box, out_dir=args.out, start=args.start, end=args.end, fps=args.fps,
            ground_truth=args.gt, gif=args.gif, show=args.show, resume=args.resume, overwrite=args.overwrite,
            resize_mask=args.resize_mask, resize_frames=args.resize_frames, ends=args.ends,
            pictures=not args.masks_only, on_progress=on_progress)


def tell(result: 'SegmentationResult') -> None:
    """What to know of the masks, and what was written, the page first."""
    from tempseg_mm.runtime.closing_block import closing_block

    for notice in result.notices:
        print(f'note: {notice}')
    for object_id, fit in result.finetune_fit.items():
        print(f'object {object_id}: fine-tuned on {fit.masks}, {fit.gain}')
    for object_id, mean_j in result.mean_j.items():
        print(f'J of object {object_id}: {mean_j:.3f}')
    print(f'{len(result.records)} frames in {result.timings["total"]:.1f} s, '
          f'{result.timings["finetune"]:.1f} s of it fine-tuning')
    named, told = result.settings['checkpoint'], result.settings['weights'] or {}
    trained_with = f', trained with {told["config"]}' if 'config' in told else ''
    paths = dict(result.paths)
    print('\n' + closing_block({'page': paths.pop('report', None), **paths,
                                'weights': f'{named or "random numbers"}{trained_with}'}))


def run(args: argparse.Namespace) -> None:
    """Segments, and says what came of it."""
    if not args.mask and not args.box:
        raise ValueError('what is to be followed? Give a --mask FILE or a --box X,Y,W,H')
    tell(segment(args))


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-segment``."""
    run_command(make_parser, run, argv,
                kept='finished masks are whole; the same command with --resume goes on after them')


if __name__ == '__main__':
    main()
