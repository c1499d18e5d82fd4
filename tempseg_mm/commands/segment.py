"""Follow objects through a video, from a mask or a box in one frame or more.

VIDEO is a file, a folder of frames, a pattern in quotes ('shots/a*.png') or the number of a camera. A mask is an image
of the size of the frames: white on black for one object; a palette, colours or numbers for several. A mask that is
transparent around the object does, too, and so does COCO JSON (FILE.json). Frames before the first mask are
segmented backwards from it. Several videos are done one after the other: their masks lie beside them, or a --list says
what belongs to which.

Written to --out: masks/ (indexed PNG, one a frame), overlay.webm, report.html (open it in a browser) and result.json.
Starts from the weights that the config names, those that come with the project, unless a --checkpoint is named. Works
without trained weights, too (--checkpoint none): the network then learns the object from the given masks alone, which
takes a few minutes on a CPU and is rough where the object looks like its surroundings. Each object is fine-tuned on its
own: three objects take three times as long as one.

--export writes what other programs take to exports/ there, from a finished result in seconds, without segmenting again:

  cutout-png     cutout/            PNG with alpha, one a frame: Blender, Nuke, Photoshop, GIMP, every editor
  prores         cutout.mov         alpha, ProRes 4444: DaVinci Resolve, Premiere, Final Cut, After Effects
  cutout-webm    cutout.webm        alpha, VP9: web pages (Chrome, Firefox), OBS
  matte          matte.mp4          white on black, H.264: a track matte beside the video, in every editor
  object-mattes  mattes/            the same, a video for each object
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
  %(prog)s dog.mp4 --box 120,40,200,160 --out out     # look at out/given, correct it, then
  %(prog)s dog.mp4 --mask out/given/00000.png --out out --overwrite
  %(prog)s frames/ --mask first.png --config configs/tempseg_davis_mobilenet.py \\
      --checkpoint work_dirs/tempseg_davis_mobilenet --steps 100 --tta --crf
  %(prog)s dog.mp4 --mask dog_first.png --checkpoint none     # learns from the mask alone
  %(prog)s dog.mp4 --mask dog_first.png --resume      # after Ctrl-C
  %(prog)s dog.mp4 --mask dog_at_40.png@40 --correct  # frames from 40 on, in a third of the time
  %(prog)s dog.mp4 --save-frame 0                     # a picture of the frame, to draw the mask on
  %(prog)s dog.mp4 cat.mp4 --out shots                # with dog.png and cat_mask.png beside them
  %(prog)s --list shots.txt --out shots --fast        # lines such as: dog.mp4 --mask dog_first.png
  %(prog)s dog.mp4 --export prores,matte              # of what was found before
"""


def make_parser() -> argparse.ArgumentParser:
    """The arguments of this command."""
    parser = command_parser('segment', __doc__, EXAMPLES)
    parser.add_argument('video', metavar='VIDEO', nargs='*',
                        help='file, folder, pattern or camera number. Without --mask and --box the masks beside it are '
                             'taken: for dog.mp4 dog.png or dog_mask.png for the first frame, dog@40.png for frame 40')
    parser.add_argument('--list', metavar='FILE',
                        help='text with a video in each line and what belongs to it: VIDEO [--mask FILE[@FRAME] ...] '
                             '[--box X,Y,W,H] [--start FRAME] [--end FRAME] [--gt DIR] [--out NAME]; results of each '
                             'lie in a folder of its name below --out, index.html is the page over all')
    parser.add_argument('--mask', action='append', metavar='FILE[@FRAME]',
                        help='mask of a frame, more than once for more frames; FRAME is its number, counted from 0, or '
                             'its name. Without it: the frame that the file is named after (00007.png), else the '
                             'first one, then the second, ...')
    parser.add_argument('--box', action='append', default=[], metavar='X,Y,W,H[@FRAME]',
                        help='box around an object, in pixels: left, top, width, height; GrabCut makes the mask. More '
                             'than once for more objects; without FRAME: in the first one')
    parser.add_argument('--out', metavar='DIR',
                        help='default: work_dirs/segment_video/<name of the video>-<digits of its place>; of several '
                             'videos, or of a list: <name of its folder, or of the list>-<digits>')
    parser.add_argument('--save-frame', type=int, metavar='FRAME',
                        help='write this frame as a picture, say where its mask goes, and do nothing else')
    parser.add_argument('--start', type=int, default=0, metavar='FRAME', help='first frame; default: 0')
    parser.add_argument('--end', type=int, metavar='FRAME', help='the frame to stop before; default: all')
    parser.add_argument('--fps', type=float, help="of the overlay; default: the video's, or 24")
    parser.add_argument('--gt', metavar='DIR', help='masks to score against, named as the frames: adds J')
    parser.add_argument('--gif', action='store_true', help='write overlay.gif too')
    parser.add_argument('--export', action='append', default=[], metavar='KIND[,KIND]',
                        help="kinds of the table above, or 'all', more than once for more; without --mask and --box: "
                             'of the finished result in --out')
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
    add_network(parser)
    add_overrides(parser)
    return parser


def wishes_of(args: argparse.Namespace) -> dict:
    """What holds for each of several videos, too."""
    return dict(fps=args.fps, gif=args.gif, resize_mask=args.resize_mask, resize_frames=args.resize_frames,
                ends=args.ends, pictures=not args.masks_only, exports=args.export)


def segment(args: argparse.Namespace) -> 'SegmentationResult':
    """A single video."""
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.apis.inferencer.shots import Shot, masks_beside, with_masks
    from tempseg_mm.runtime.closing_block import seen_from_here
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    [video] = args.video
    if args.correct:
        _require_correction(args)
    if args.export and not (args.mask or args.box or masks_beside(video)):
        raise ValueError(f'there is no finished result in {seen_from_here(args.out or default_folder(video))} to take '
                         'away: give a --mask or a --box to make one')
    if not (args.mask or args.box):
        args.mask = list(with_masks(Shot(video, start=args.start)).masks)
        print(f'note: beside {video} lies {", ".join(args.mask)} (FILE@FRAME): taken as --mask')
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
        raise ValueError('--correct takes what was wrong from a --mask FILE@FRAME or a --box X,Y,W,H@FRAME')
    foreign = [f'--{name.replace("_", "-")}' for name in NOT_OF_A_CORRECTION if getattr(args, name)]
    if foreign:
        raise ValueError(f'--correct goes on with the result in --out as it was made: leave {", ".join(foreign)} out')


def is_finished(args: argparse.Namespace) -> bool:
    """Whether an earlier call has segmented the video."""
    from tempseg_mm.apis.inferencer.output import OutputFolder, default_folder

    return OutputFolder(args.out or default_folder(args.video[0])).result.is_file()


def take_away(args: argparse.Namespace) -> None:
    """Exports what an earlier call found, and says where it is."""
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.exports import export_finished
    from tempseg_mm.runtime.closing_block import closing_block
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    with stopped_by_signals(), shown_progress(lambda text: print(text, flush=True)) as on_progress:
        written = export_finished(args.export, args.video[0], args.out, fps=args.fps, on_progress=on_progress)
    print('\n' + closing_block(written))


def segment_all(args: argparse.Namespace) -> int:
    """Several videos; returns the exit status."""
    from tempseg_mm.apis.inferencer.batch import Batch
    from tempseg_mm.apis.inferencer.display import shown_progress
    from tempseg_mm.apis.inferencer.output import default_folder
    from tempseg_mm.apis.inferencer.shots import Shot, named_shots, read_shots, with_masks
    from tempseg_mm.runtime.closing_block import closing_block, seen_from_here
    from tempseg_mm.runtime.stop_signals import stopped_by_signals

    own = [f'--{name}' for name in OF_ONE_VIDEO if getattr(args, name)]
    if own:
        raise ValueError(f'{", ".join(own)} can belong to one VIDEO only. The frames of one are a folder, or a pattern '
                         'in quotes; in a --list each line has its own arguments')
    if args.list and args.video:
        raise ValueError(f'--list {args.list} names the videos; put {args.video[0]} in a line of it')
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
        print(f'\n{len(batch.faults)} of {len(shots)} videos failed: {", ".join(batch.faults)}. When what is wrong is '
              'mended, the same command with --resume does them alone', file=sys.stderr)
    print('\n' + closing_block(dict(page=batch.page)))
    return ERROR if batch.faults else 0


def save_one_frame(args: argparse.Namespace) -> None:
    """Writes a frame of the video, and says where its mask goes."""
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
    """Why a video of several failed; with a traceback where it is a fault of ours, or asked for."""
    if debug or not isinstance(error, FORESEEN):
        traceback.print_exception(error)
    print(f'error: {error}', file=sys.stderr)


def tell_figures(result: 'SegmentationResult') -> None:
    """What to know of the masks."""
    for notice in result.notices:
        print(f'note: {notice}')
    for object_id, fit in result.finetune_fit.items():
        print(f'object {object_id}: fine-tuned on {fit.masks}, {fit.gain}')
    for object_id, mean_j in result.mean_j.items():
        print(f'J of object {object_id}: {mean_j:.3f}')
    print(f'{len(result.records)} frames in {result.timings["total"]:.1f} s, '
          f'{result.timings["finetune"]:.1f} s of it fine-tuning', flush=True)


def tell(result: 'SegmentationResult') -> None:
    """What to know of the masks, and what was written, the page first."""
    from tempseg_mm.runtime.closing_block import closing_block

    tell_figures(result)
    named, told = result.settings['checkpoint'], result.settings['weights'] or {}
    trained_with = f', trained with {told["config"]}' if 'config' in told else ''
    paths = dict(result.paths)
    print('\n' + closing_block({'page': paths.pop('report', None), **paths,
                                'weights': f'{named or "random numbers"}{trained_with}'}))


def run(args: argparse.Namespace) -> int | None:
    """Segments, and says what came of it."""
    if not args.video and not args.list:
        raise ValueError('which video? Give a VIDEO, or a --list of them')
    if args.save_frame is not None:
        return save_one_frame(args)
    if args.list or len(args.video) > 1:
        return segment_all(args)
    if args.export and not (args.mask or args.box or args.resume or args.overwrite) and is_finished(args):
        return take_away(args)
    return tell(segment(args))


def main(argv: Sequence[str] | None = None) -> None:
    """``tempseg-segment``."""
    run_command(make_parser, run, argv,
                kept='finished masks are whole; the same command with --resume goes on after them '
                     '(with --correct as it is)')


if __name__ == '__main__':
    main()
