"""Pictures and files of masks: overlays, contact sheets, flow colours, PNG, WebM, GIF and the clip visualizer."""

from .contact_sheet import contact_sheet
from .exporters import OverlayVideoWriter, write_gif, write_indexed_png, write_png
from .overlay import draw_contour, overlay_mask
from .palette import color_palette, flow_colors, object_colors
from .score_plot import write_score_plot
from .sequence_sheet import SequenceSheet
from .visualizer import VOSVisualizer

__all__ = [
    'OverlayVideoWriter', 'SequenceSheet', 'VOSVisualizer', 'color_palette', 'contact_sheet', 'draw_contour',
    'flow_colors', 'object_colors', 'overlay_mask', 'write_gif', 'write_indexed_png',
    'write_png', 'write_score_plot'
]
