from .conv import ConvDiscriminator

__all__ = ['ConvDiscriminator']
