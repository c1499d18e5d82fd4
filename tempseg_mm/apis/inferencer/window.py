"""A window that shows the overlay while it is made."""

import os
import sys

import cv2
import numpy as np

from tempseg_mm.ops.resize import fit_shorter_side
from tempseg_mm.visualization.overlay import overlay_mask

MAX_SIDE = 480  # pixels, of the shorter side


class Window:
    """Context manager; q in the window stops the work as Ctrl-C does.

    Args:
        title: of the window.

    Raises:
        OSError: where there is no display, or OpenCV was built without windows.
    """

    def __init__(self, title: str) -> None:
        # Asked for beforehand: without a display OpenCV ends the process.
        if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
            raise OSError('there is no display to show anything on (DISPLAY is not set): leave --show out and look at '
                          'the overlay afterwards')
        self.title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise OSError('this OpenCV was built without windows (opencv-python-headless?): leave --show out, or '
                          'install opencv-python in its place') from error

    def show(self, image: np.ndarray, labels: np.ndarray) -> None:
        """Show a frame.

        Raises:
            KeyboardInterrupt: if q was pressed.
        """
        small = overlay_mask(fit_shorter_side(image, MAX_SIDE), fit_shorter_side(labels, MAX_SIDE, labels=True))
        cv2.imshow(self.title, cv2.cvtColor(small, cv2.COLOR_RGB2BGR))
        if cv2.waitKey(1) & 0xFF == ord('q'):
            raise KeyboardInterrupt

    def __enter__(self) -> 'Window':
        return self

    def __exit__(self, *error: object) -> None:
        cv2.destroyWindow(self.title)
