"""Follow objects through a video, starting from a mask or a box in one or more frames.

VIDEO is a file, a folder of frames, a pattern in quotes ('shots/a*.png') or the number of a camera. A mask is an image
of the size of the frames: white on black for one object; a palette, colours or numbers for several objects. An image
that is transparent around the object also works, and so does COCO JSON (FILE.json). Frames before the first mask are
segmented backwards from it. Several videos are segmented one after the other; their masks lie beside them, or a --list
assigns them.

Output in --out: masks/ (indexed PNG, one per frame), overlay.webm, report.html (open it in a browser) and result.json.
By default, the network starts from the weights that come with the project. It also works without trained weights
(--checkpoint none): it then learns the object from the given masks alone, which takes a few minutes on a CPU and gives
rough masks if the object looks like its surroundings. Each object is fine-tuned separately: three objects take three
times as long as one.

--export writes files for other programs to exports/ in that folder. For a finished result this takes seconds, since
nothing is segmented again:

  cutout-png     cutout/            PNG with alpha, one per frame: Blender, Nuke, Photoshop, GIMP, every editor
  prores         cutout.mov         alpha, ProRes 4444: DaVinci Resolve, Premiere, Final Cut, After Effects
  cutout-webm    cutout.webm        alpha, VP9: web pages (Chrome, Firefox), OBS
  matte          matte.mp4          white on black, H.264: a track matte beside the video, in every editor
  object-mattes  mattes/            the same, one video per object
  overlay-mp4    overlay_full.mp4   objects tinted, full size, H.264: every player, slides, messengers
  overlay-webm   overlay_full.webm  the same, VP9: web pages, Wikimedia Commons
  coco           coco.json          RLE, boxes, areas and tracks: CVAT, FiftyOne, Detectron2, MMDetection
"""

import argparse
import sys
import traceback
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .arguments import add_network, add_overrides, inferencer_of
from .entry import ERROR, FORESEEN, command_parser, run_command

if TYPE_CHECKING:
    from tempseg_mm.apis.inferencer import SegmentationResult

OF_ONE_VIDEO = ('mask', 'box', 'start', 'end', 'gt', 'show', 'correct')
NOT_OF_A_CORRECTION = 'resume', 'overwrite', 'start', 'end', 'fps', 'resize_frames', 'show'

EXAMPLES = """\
  %(prog)s dog.mp4 --mask dog_first.png
  %(prog)s dog.mp4 --mask first.png --mask later.png@40 --gif
  %(prog)s dog.mp4 --box 120,40,200,160 --out out     # check out/given, correct it, then
  %(prog)s dog.mp4 --mask out/given/00000.png --out out --overwrite
  %(prog)s frames/ --mask first.png --config configs/tempseg_davis_mobilenet.py \\
      --checkpoint work_dirs/tempseg_davis_mobilenet --steps 100 --tta --crf
  %(prog)s dog.mp4 --mask dog_first.png --checkpoint none     # learns from this mask alone
  %(prog)s dog.mp4 --mask dog_first.png --resume      # after Ctrl-C
  %(prog)s dog.mp4 --mask dog_at_40.png@40 --correct  # frames from 40 on, in half of the time
  %(prog)s dog.mp4 --save-frame 0                     # a picture of the frame, to draw the mask on
  %(prog)s dog.mp4 cat.mp4 --out shots                # with dog.png and cat_mask.png beside them
  %(prog)s --list shots.txt --out shots --fast        # lines such as: dog.mp4 --mask dog_first.png
  %(prog)s dog.mp4 --export prores,matte              # exports the finished result
"""


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of this command."""
    parser = command_parser('segment', __doc__, EXAMPLES)
    parser.add_argument('video', metavar='VIDEO', nargs='*',
                        help='file, folder, pattern or camera number. Without --mask and --box, masks beside the '
                             'video are used: for dog.mp4, these are dog.png or dog_mask.png for the first frame, '
                             'dog@40.png for frame 40')
    parser.add_argument('--list', metavar='FILE',
                        help='text file with one video and its arguments per line: VIDEO [--mask FILE[@FRAME] ...] '
                             '[--box X,Y,W,H] [--start FRAME] [--end FRAME] [--gt DIR] [--out NAME]; the results of '
                             'each go to a folder of its name below --out, with one page for all, index.html')
    parser.add_argument('--mask', action='append', metavar='FILE[@FRAME]',
                        help='mask of a frame; repeat it for more frames. FRAME is the number of the frame, counted '
                             'from 0, or its name. Without FRAME: the frame that the file is named after (00007.png), '
                             'else the first frame for the first such mask, the second for the next, ...')
    parser.add_argument('--box', action='append', default=[], metavar='X,Y,W,H[@FRAME]',
                        help='box around an object, in pixels: left, top, width, height; GrabCut, guided by a '
                             'trained network, finds its mask. Repeat it for more objects. Without FRAME: the first '
                             'frame')
    parser.add_argument('--out', metavar='DIR',
                        help='output folder; default: work_dirs/segment_video/<name of the video>-<digits>, where '
                             'the digits depend on its location; for several videos <name of their folder>-<digits>, '
                             'for a list <name of the list>-<digits>')
    parser.add_argument('--save-frame', type=int, metavar='FRAME',
                        help='only write this frame as a picture, and say where to save its mask')
    parser.add_argument('--start', type=int, default=0, metavar='FRAME', help='first frame; default: 0')
    parser.add_argument('--end', type=int, metavar='FRAME', help='frame to stop before; default: all frames')
    parser.add_argument('--fps', type=float, help="frames per second of the overlay; default: the video's, or 24")
    parser.add_argument('--gt', metavar='DIR',
                        help='folder of masks to score against, named like the frames; adds J to the result')
    parser.add_argument('--gif', action='store_true', help='also write overlay.gif')
    parser.add_argument('--export', action='append', default=[], metavar='KIND[,KIND]',
                        help="kinds of export from the table above, or 'all'; may be repeated. Without --mask and "
                             '--box: export the finished result in --out')
    parser.add_argument('--masks-only', action='store_true',
                        help='write no overlay and no report; a small network is then several times as fast')
    parser.add_argument('--show', action='store_true', help='show the overlay in a window while segmenting; q stops')
    parser.add_argument('--resume', action='store_true', help='continue an interrupted run in --out')
    parser.add_argument('--correct', action='store_true',
                        help='correct the finished result in --out with one or more --mask FILE@FRAME: fine-tune on '
                             'them for half of the steps, then segment the frames after them again')
    parser.add_argument('--overwrite', action='store_true', help='replace the results of an earlier run in --out')
    parser.add_argument('--resize-mask', action='store_true', help='resize masks to the size of the frames')
    parser.add_argument('--ends', action='store_true',
                        help='an object that a later mask does not show ends there; else it continues')
    parser.add_argument('--resize-frames', action='store_true', help='resize all frames to the size of the first one')
    add_network(parser)
    add_overrides(parser)
    return parser


def wishes_of(args: argparse.Namespace) -> dict:
    """Return the settings that apply to each of several videos."""
    return dict(fps=args.fps, gif=args.gif, resize_mask=args.resize_mask, resize_frames=args.resize_frames,
                ends=args.ends, pictures=not args.masks_only, exports=args.export)


def segment(args: argparse.Namespace) -> 'SegmentationResult':
    """Segment a single video."""
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.apis.inferencer.shots import Shot, masks_beside, with_masks
    from tempseg_mm.runtime.closing_block import seen_from_here
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    [video] = args.video
    if args.correct:
        _require_correction(args)
    if args.export and not (args.mask or args.box or masks_beside(video)):
        raise ValueError(f'there is no finished result in {seen_from_here(args.out or default_folder(video))} to '
                         'export: give a --mask or a --box to make one')
    if not (args.mask or args.box):
        args.mask = list(with_masks(Shot(video, start=args.start)).masks)
        print(f'note: found beside {video}: {", ".join(args.mask)} (FILE@FRAME); used as --mask')
    inferencer = inferencer_of(args)
    print(f'writing to {seen_from_here(args.out or default_folder(video))}', flush=True)
    with stopped_by_signals(), shown_progress(lambda text: print(text, flush=True)) as on_progress:
        if args.correct:
            return inferencer.correct(
                video, args.mask, boxes=args.box, out_dir=args.out, ground_truth=args.gt, gif=args.gif,
                pictures=not args.masks_only, resize_mask=args.resize_mask, ends=args.ends, exports=args.export,
                on_progress=on_progress)
        return inferencer(
            video, args.mask, boxes=args.box, out_dir=args.out, start=args.start, end=args.end, ground_truth=args.gt,
            show=args.show, resume=args.resume, overwrite=args.overwrite, on_progress=on_progress, **wishes_of(args))


def _require_correction(args: argparse.Namespace) -> None:
    if not (args.mask or args.box):
        raise ValueError('--correct needs a --mask FILE@FRAME or a --box X,Y,W,H@FRAME for a frame that was wrong')
    foreign = [f'--{name.replace("_", "-")}' for name in NOT_OF_A_CORRECTION if getattr(args, name)]
    if foreign:
        raise ValueError(f'--correct keeps the settings of the result in --out: leave {", ".join(foreign)} out')


def is_finished(args: argparse.Namespace) -> bool:
    """Return whether an earlier call has segmented the video."""
    from tempseg_mm.apis.inferencer.output import OutputFolder, default_folder

    return OutputFolder(args.out or default_folder(args.video[0])).result.is_file()


def take_away(args: argparse.Namespace) -> None:
    """Export the result of an earlier call, and print where the files are."""
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.exports import export_finished
    from tempseg_mm.runtime.closing_block import closing_block
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    with stopped_by_signals(), shown_progress(lambda text: print(text, flush=True)) as on_progress:
        written = export_finished(args.export, args.video[0], args.out, fps=args.fps, on_progress=on_progress)
    print('\n' + closing_block(written))


def segment_all(args: argparse.Namespace) -> int:
    """Segment several videos; return the exit status."""
    from tempseg_mm.apis.inferencer.batch import Batch
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.apis.inferencer.shots import Shot, named_shots, read_shots, with_masks
    from tempseg_mm.runtime.closing_block import closing_block, seen_from_here
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    own = [f'--{name}' for name in OF_ONE_VIDEO if getattr(args, name)]
    if own:
        raise ValueError(f'{", ".join(own)} can be used with one VIDEO only. Frames of one video are a folder, or a '
                         'pattern in quotes; in a --list, each line has its own arguments')
    if args.list and args.video:
        raise ValueError(f'--list {args.list} names the videos; add {args.video[0]} as a line of it')
    shots = read_shots(args.list) if args.list else [Shot(video) for video in args.video]
    shots = named_shots([with_masks(shot) for shot in shots])
    out = args.out or default_folder(args.list or args.video)
    batch = Batch(inferencer_of(args), shots, out, resume=args.resume, overwrite=args.overwrite)
    to_do = batch.to_do
    print(f'writing to {seen_from_here(out)}' + (f'; {len(shots) - len(to_do)} of {len(shots)} videos are finished'
                                                 if len(to_do) < len(shots) else ''), flush=True)
    with stopped_by_signals(), batch.held():
        batch.write_page()
        for number, shot in enumerate(to_do, 1):
            print(f'\n[{number}/{len(to_do)}] {shot.video}, {shot.given} -> {shot.name}', flush=True)
            with shown_progress(lambda text: print(text, flush=True)) as on_progress:
                result = batch.segment(shot, on_progress=on_progress, **wishes_of(args))
            tell_figures(result) if result else tell_fault(batch.faults[shot.name], debug=args.debug)
    if batch.faults:
        print(f'\n{len(batch.faults)} of {len(shots)} videos failed: {", ".join(batch.faults)}. When the faults are '
              'fixed, the same command with --resume segments only these', file=sys.stderr)
    print('\n' + closing_block(dict(page=batch.page)))
    return ERROR if batch.faults else 0


def save_one_frame(args: argparse.Namespace) -> None:
    """Write a frame of the video, and print where its mask goes."""
    from tempseg_mm.apis.inferencer.frame_to_draw_on import save_frame
    from tempseg_mm.runtime.closing_block import closing_block, seen_from_here
    from tempseg_mm.runtime.command_names import runnable

    if len(args.video) != 1:
        raise ValueError('--save-frame takes one VIDEO')
    [video] = args.video
    picture, mask = save_frame(video, args.save_frame, args.out)
    out = ['--out', args.out] if args.out else []
    print(closing_block({'frame': picture, 'its mask goes to': mask, 'then': runnable(
        'segment', video, '--mask', f'{seen_from_here(mask)}@{args.save_frame}', *out)}))


def tell_fault(error: Exception, *, debug: bool) -> None:
    """Print why one of several videos failed, with a traceback if it is a fault of the program or ``debug`` is set."""
    if debug or not isinstance(error, FORESEEN):
        traceback.print_exception(error)
    print(f'error: {error}', file=sys.stderr)


def tell_figures(result: 'SegmentationResult') -> None:
    """Print notices, fine-tuning gains, scores and times of a result."""
    for notice in result.notices:
        print(f'note: {notice}')
    for object_id, fit in result.finetune_fit.items():
        print(f'object {object_id}: fine-tuned on {fit.masks}, {fit.gain}')
    for object_id, mean_j in result.mean_j.items():
        print(f'J of object {object_id}: {mean_j:.3f}')
    print(f'{len(result.records)} frames in {result.timings["total"]:.1f} s, '
          f'{result.timings["finetune"]:.1f} s of it fine-tuning', flush=True)


def tell(result: 'SegmentationResult') -> None:
    """Print the figures of a result and the written files, the page first."""
    from tempseg_mm.runtime.closing_block import closing_block

    tell_figures(result)
    named, told = result.settings['checkpoint'], result.settings['weights'] or {}
    trained_with = f', trained with {told["config"]}' if 'config' in told else ''
    paths = dict(result.paths)
    print('\n' + closing_block({'page': paths.pop('report', None), **paths,
                                'weights': f'{named or "from scratch"}{trained_with}'}))


def run(args: argparse.Namespace) -> int | None:
    """Segment or export, and print the result."""
    if not args.video and not args.list:
        raise ValueError('which video? Give a VIDEO, or a --list of videos')
    if args.save_frame is not None:
        return save_one_frame(args)
    if args.list or len(args.video) > 1:
        return segment_all(args)
    if args.export and not (args.mask or args.box or args.resume or args.overwrite) and is_finished(args):
        return take_away(args)
    return tell(segment(args))


def main(argv: Sequence[str] | None = None) -> None:
    """Run ``tempseg-segment``."""
    run_command(make_parser, run, argv,
                kept='finished masks are complete; the same command with --resume continues after them '
                     '(with --correct, repeat the command without --resume)')


if __name__ == '__main__':
    main()
