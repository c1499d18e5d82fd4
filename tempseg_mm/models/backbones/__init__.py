from .features import Features
from .imagenet_weights import ImageNetWeights
from .mobilenet_v2 import MobileNetV2Backbone
from .tempseg import TempSegBackbone
from .vgg import VGGBackbone

__all__ = ['Features', 'ImageNetWeights', 'MobileNetV2Backbone', 'TempSegBackbone', 'VGGBackbone']
