from .adversary import Adversary
from .backbones import TempSegBackbone
from .data_preprocessor import VOSDataPreprocessor
from .decoders import UnpoolDecoder, UpsampleDecoder
from .discriminators import ConvDiscriminator
from .generators import EncoderDecoderGenerator
from .losses import AdversarialLoss, BCELoss, IFTLoss, ITSDLoss, L1Loss, LongRangeIFTLoss
from .mask_encoders import MaskEncoder
from .tempseg_gan import TempSegGAN

__all__ = [
    'Adversary', 'AdversarialLoss', 'BCELoss', 'ConvDiscriminator', 'EncoderDecoderGenerator', 'IFTLoss', 'ITSDLoss',
    'L1Loss', 'LongRangeIFTLoss', 'MaskEncoder', 'TempSegBackbone', 'TempSegGAN', 'UnpoolDecoder', 'UpsampleDecoder',
    'VOSDataPreprocessor',
]
