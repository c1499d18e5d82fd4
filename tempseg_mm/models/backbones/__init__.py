from .features import Features
from .tempseg import TempSegBackbone

__all__ = ['Features', 'TempSegBackbone']
