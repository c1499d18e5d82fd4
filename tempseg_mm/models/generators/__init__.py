from .encoder_decoder import EncoderDecoderGenerator

__all__ = ['EncoderDecoderGenerator']
