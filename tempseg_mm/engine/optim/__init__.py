from .autocast_wrapper import BF16OptimWrapper
from .gan_constructor import GANOptimWrapperConstructor

__all__ = ['BF16OptimWrapper', 'GANOptimWrapperConstructor']
