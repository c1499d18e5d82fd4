from .gan_constructor import GANOptimWrapperConstructor

__all__ = ['GANOptimWrapperConstructor']
