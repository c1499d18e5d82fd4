from .skip_decoder import SkipDecoder
from .unpool import UnpoolDecoder
from .upsample import UpsampleDecoder

__all__ = ['SkipDecoder', 'UnpoolDecoder', 'UpsampleDecoder']
