"""A walk through the Python interface: from a video and a mask to masks, figures and arrays.

    .venv/bin/python docs/examples/segment_with_the_api.py

You need no data and no weights of your own. The program renders a short sequence of two objects and segments it, which
takes a minute or two on a CPU. The results are in work_dirs/segment_with_the_api; open two_objects/report.html there in
a browser. Each function shows one use; read them in the order of ``main``.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tempseg_mm.apis import VOSInferencer
from tempseg_mm.datasets.synthetic.draw import SceneParams, draw_scene
from tempseg_mm.visualization.video_writer import MP4, VideoWriter


def render(num_frames: int) -> tuple[list, list]:
    """Render a sequence to segment, and its true labels.

    Frames are (H, W, 3) uint8 RGB arrays, and so must yours be (OpenCV reads BGR: convert them). Labels are (H, W)
    uint8 arrays: 0 is the background, every other number is an object.
    """
    params = SceneParams(num_frames=num_frames, height=128, width=224, occluders=0, distractors=1, similarity=0.0)
    scene = draw_scene(params, np.random.SeedSequence(1))
    return [scene.image(t) for t in range(num_frames)], [scene.labels(t) for t in range(num_frames)]


def write_video(path: Path, frames: list) -> None:
    """Write the frames as an MP4, since most people start from a video file."""
    with VideoWriter(path, MP4, fps=24) as video:
        for frame in frames:
            video.write(frame)


def a_file_and_a_mask(inferencer: VOSInferencer, video: Path, labels: list, out: Path):
    """Segment a video file from the mask of its first frame, and print the results.

    The mask may be a file or an array. Its two values are two objects. For each object, a copy of the network is
    fine-tuned on the first frame and then follows the object from frame to frame. Where objects meet, the more probable
    one gets the pixel. If an object changes much, give a mask of a later frame too: ``masks={0: first, 40: later}``.
    The ground truth only adds scores; leave it out if you have none.
    """
    result = inferencer(video, labels[0], out_dir=out, ground_truth=labels, overwrite=True)

    print(f'\n{len(result.records)} frames; fine-tuning took {result.timings["finetune"]:.1f} s, then '
          f'{result.timings["frames_per_s"]:.1f} frames/s')
    for kind, path in result.paths.items():  # masks, overlay, report, result
        print(f'  {kind}: {path}')
    for object_id, mean_j in result.mean_j.items():
        print(f'  J of object {object_id}: {mean_j:.3f}')
    for notice in result.notices:  # what you should know, for example that there were no trained weights
        print(f'  note: {notice}')
    return result


def figures_of_each_frame(result) -> None:
    """Print figures from the records: one per frame, with areas, confidences, changes and scores per object.

    ``result.json`` holds the same figures.
    """
    unsure = min((record for record in result.records if not record.given and None not in record.confidences.values()),
                 key=lambda record: min(record.confidences.values()), default=None)
    if unsure is not None:
        confidences = {object_id: round(value, 3) for object_id, value in unsure.confidences.items()}
        print(f'\nleast sure of frame {unsure.frame_id}: areas {unsure.areas}, confidences {confidences}')
    saved = json.loads(result.result_json.read_text(encoding='utf-8'))
    print(f'settings that decided the masks: {sorted(saved["settings"])}')


def masks_as_arrays(result, path: Path) -> np.ndarray:
    """Read the masks into one array and save it.

    The masks are indexed PNG files. Their pixel values are the object numbers; the colours are for viewers only.

    Returns:
        (T, H, W) uint8.
    """
    masks = np.stack([np.asarray(Image.open(result.masks_dir / f'{record.file_name}.png'))
                      for record in result.records])
    np.savez_compressed(path, masks=masks)
    print(f'\n{path}: {masks.shape} {masks.dtype}, objects {sorted(set(np.unique(masks).tolist()) - {0})}')
    return masks


def a_box_instead_of_a_mask(inferencer: VOSInferencer, frames: list, labels: list, out: Path) -> None:
    """Segment from a rough box (left, top, width, height) instead of a mask. GrabCut makes the mask from the box.

    The mask is saved in ``given``. You can correct it there in any editor, and then give it as the mask. This call
    passes the frames as arrays. A folder, a pattern ('shots/a*.png') or the number of a camera works as well.
    """
    x, y, width, height = cv2.boundingRect((labels[0] == 1).astype(np.uint8))
    result = inferencer(frames, boxes=[(x, y, width, height)], out_dir=out, pictures=False, overwrite=True)
    found = np.asarray(Image.open(result.given / '00000.png')) == 1
    truth = labels[0] == 1
    print(f'\nmask made from the box: {result.given / "00000.png"}, IoU with the true one '
          f'{(found & truth).sum() / (found | truth).sum():.2f}')


def frames_as_they_come(inferencer: VOSInferencer, frames: list, labels: list) -> None:
    """Segment a stream: each frame is answered before the next one is read, and nothing is written or kept.

    ``frames`` may be any iterable, such as a generator over a camera that never ends. ``stream.step(frame)`` segments
    a single frame.
    """
    with inferencer.stream(frames[0], labels[0]) as stream:
        areas = [int((mask == 1).sum()) for mask in stream.run(frames[1:])]
    print(f'\narea of object 1 in the frames of the stream: {areas}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/segment_with_the_api'), help='folder of results')
    parser.add_argument('--frames', type=int, default=24, help='frames of the sequence; default: 24')
    parser.add_argument('--steps', type=int, default=60, help='of fine-tuning per object; default: 60. More are better')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    frames, labels = render(args.frames)
    write_video(args.out / 'scene.mp4', frames)

    # The network is built once and used by all calls below. It starts from the weights that come with the project. For
    # weights of your own: VOSInferencer('<config>', '<file of tempseg-train>'). With checkpoint='none', or if there are
    # no weights, it starts from random initialisation and learns from the given mask alone. Set other values of the
    # config by their dotted names: cfg_options={'default_hooks.finetune.finetuner.optimizer.lr': 0.002}.
    inferencer = VOSInferencer(steps=args.steps, size=96)

    result = a_file_and_a_mask(inferencer, args.out / 'scene.mp4', labels, args.out / 'two_objects')
    figures_of_each_frame(result)
    masks_as_arrays(result, args.out / 'masks.npz')
    a_box_instead_of_a_mask(inferencer, frames, labels, args.out / 'box')
    frames_as_they_come(inferencer, frames, labels)


if __name__ == '__main__':
    main()
