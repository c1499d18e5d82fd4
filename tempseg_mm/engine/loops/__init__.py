from .gan_train_loop import GANTrainLoop
from .vos_test_loop import VOSTestLoop

__all__ = ['GANTrainLoop', 'VOSTestLoop']
