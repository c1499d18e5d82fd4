from .conv import MaskEncoder

__all__ = ['MaskEncoder']
