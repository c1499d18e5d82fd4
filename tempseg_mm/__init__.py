"""TempSeg-GAN for semi-supervised video object segmentation, as plugins on mmengine registries."""

__version__ = '0.23.0'
