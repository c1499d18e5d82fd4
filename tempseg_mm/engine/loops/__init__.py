from .gan_train_loop import GANTrainLoop
from .vos_test_loop import VOSTestLoop
from .vos_val_loop import VOSValLoop

__all__ = ['GANTrainLoop', 'VOSTestLoop', 'VOSValLoop']
