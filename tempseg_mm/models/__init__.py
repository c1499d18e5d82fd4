from .adversary import Adversary, ConvDiscriminator, MaskEncoder
from .backbones import ImageNetWeights, MobileNetV2Backbone, TempSegBackbone, VGGBackbone
from .checkpoint_schemes import load_from_plain_file, load_from_zoo
from .classifier import ImageClassifier
from .data_preprocessor import VOSDataPreprocessor
from .decoders import UnpoolDecoder, UpsampleDecoder
from .generator import EncoderDecoderGenerator
from .losses import AdversarialLoss, BCELoss, IFTLoss, ITSDLoss, L1Loss, LongRangeIFTLoss, SoftIoULoss
from .tempseg_gan import TempSegGAN

__all__ = [
    'Adversary', 'AdversarialLoss', 'BCELoss', 'ConvDiscriminator', 'EncoderDecoderGenerator', 'IFTLoss', 'ITSDLoss',
    'ImageClassifier', 'ImageNetWeights', 'L1Loss', 'LongRangeIFTLoss', 'MaskEncoder', 'MobileNetV2Backbone',
    'SoftIoULoss', 'TempSegBackbone', 'TempSegGAN', 'UnpoolDecoder', 'UpsampleDecoder', 'VGGBackbone',
    'VOSDataPreprocessor', 'load_from_plain_file', 'load_from_zoo',
]
