"""A walk through the API: from a video and a mask to masks, figures and arrays.

    .venv/bin/python docs/examples/segment_with_the_api.py

Needs no data and no weights of yours: it renders a short sequence of two objects and works on that, a minute or two on
a CPU. What it writes lies in work_dirs/segment_with_the_api; open two_objects/report.html there in a browser. Every
section is a function; read them in the order of `main`.
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
    """Something to segment. Your own frames are (H, W, 3) uint8 RGB arrays, too (OpenCV reads BGR: convert).

    The labels are (H, W) uint8: 0 is the background, every other number an object.
    """
    params = SceneParams(num_frames=num_frames, height=128, width=224, occluders=0, distractors=1, similarity=0.0)
    scene = draw_scene(params, np.random.SeedSequence(1))
    return [scene.image(t) for t in range(num_frames)], [scene.labels(t) for t in range(num_frames)]


def write_video(path: Path, frames: list) -> None:
    """An MP4, to begin where most people do."""
    with VideoWriter(path, MP4, fps=24) as video:
        for frame in frames:
            video.write(frame)


def a_file_and_a_mask(inferencer: VOSInferencer, video: Path, labels: list, out: Path):
    """The usual call. The mask may be a file or an array; its two values are two objects.

    For each object a copy of the network is fine-tuned on the first frame and then carries that object from frame to
    frame; where objects meet, the more probable one has the pixel. A mask for a later frame helps where an object has
    changed: ``masks={0: first, 40: later}``. The ground truth is for the figures only, leave it out if you have none.
    """
    result = inferencer(video, labels[0], out_dir=out, ground_truth=labels, overwrite=True)

    print(f'\n{len(result.records)} frames; fine-tuning took {result.timings["finetune"]:.1f} s, then '
          f'{result.timings["frames_per_s"]:.1f} frames/s')
    for kind, path in result.paths.items():  # masks, overlay, report, result
        print(f'  {kind}: {path}')
    for object_id, mean_j in result.mean_j.items():
        print(f'  J of object {object_id}: {mean_j:.3f}')
    for notice in result.notices:  # what you should know, e.g. that there were no trained weights
        print(f'  note: {notice}')
    return result


def what_is_known_of_each_frame(result) -> None:
    """A record a frame: areas, confidences, changes and scores by object. ``result.json`` holds the same."""
    unsure = min((record for record in result.records if not record.given and None not in record.confidences.values()),
                 key=lambda record: min(record.confidences.values()), default=None)
    if unsure is not None:
        confidences = {object_id: round(value, 3) for object_id, value in unsure.confidences.items()}
        print(f'\nleast sure of frame {unsure.frame_id}: areas {unsure.areas}, confidences {confidences}')
    saved = json.loads(result.result_json.read_text(encoding='utf-8'))
    print(f'settings that decided the masks: {sorted(saved["settings"])}')


def masks_as_arrays(result, path: Path) -> np.ndarray:
    """The masks are indexed PNG files: their pixels are the object numbers, colours are for viewers.

    Returns:
        (T, H, W) uint8.
    """
    masks = np.stack([np.asarray(Image.open(result.masks_dir / f'{record.file_name}.png'))
                      for record in result.records])
    np.savez_compressed(path, masks=masks)
    print(f'\n{path}: {masks.shape} {masks.dtype}, objects {sorted(set(np.unique(masks).tolist()) - {0})}')
    return masks


def a_box_instead_of_a_mask(inferencer: VOSInferencer, frames: list, labels: list, out: Path) -> None:
    """A rough box (left, top, width, height) is enough to begin with: GrabCut makes the mask.

    It is written to ``given``, where you can correct it in any editor and then give it as the mask. Frames come as
    arrays this time; a folder, a pattern ('shots/a*.png') or the number of a camera would do as well.
    """
    x, y, width, height = cv2.boundingRect((labels[0] == 1).astype(np.uint8))
    result = inferencer(frames, boxes=[(x, y, width, height)], out_dir=out, pictures=False, overwrite=True)
    found = np.asarray(Image.open(result.given / '00000.png')) == 1
    truth = labels[0] == 1
    print(f'\nmask made from the box: {result.given / "00000.png"}, IoU with the true one '
          f'{(found & truth).sum() / (found | truth).sum():.2f}')


def frames_as_they_come(inferencer: VOSInferencer, frames: list, labels: list) -> None:
    """The stream: each frame is answered before the next is asked for, and nothing is written or kept.

    ``frames`` may be any iterable, such as a generator over a camera that never ends; ``stream.step(frame)`` takes
    one frame at a time.
    """
    with inferencer.stream(frames[0], labels[0]) as stream:
        areas = [int((mask == 1).sum()) for mask in stream.run(frames[1:])]
    print(f'\narea of object 1 in the frames of the stream: {areas}')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--out', type=Path, default=Path('work_dirs/segment_with_the_api'), help='folder to write to')
    parser.add_argument('--frames', type=int, default=24, help='of the sequence; default: 24')
    parser.add_argument('--steps', type=int, default=60, help='of fine-tuning an object; default: 60. More are better')
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)

    frames, labels = render(args.frames)
    write_video(args.out / 'scene.mp4', frames)

    # The network is built once and serves all that follows. It starts from the weights that come with the project, or
    # from your own: VOSInferencer('<config>', '<file of tempseg-train>'). With checkpoint='none', or where there are
    # no weights, it starts from random numbers, and what it learns, it learns from the given mask. Other settings of
    # the config go by their dotted name: cfg_options={'default_hooks.finetune.finetuner.optimizer.lr': 0.002}.
    inferencer = VOSInferencer(steps=args.steps, size=96)

    result = a_file_and_a_mask(inferencer, args.out / 'scene.mp4', labels, args.out / 'two_objects')
    what_is_known_of_each_frame(result)
    masks_as_arrays(result, args.out / 'masks.npz')
    a_box_instead_of_a_mask(inferencer, frames, labels, args.out / 'box')
    frames_as_they_come(inferencer, frames, labels)


if __name__ == '__main__':
    main()
