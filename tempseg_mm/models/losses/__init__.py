from .adversarial import AdversarialLoss, discriminator_adversarial_loss, generator_adversarial_loss
from .base import GeneratorLoss
from .intra_frame import IFTLoss, LongRangeIFTLoss, hinge_distance, iftl, l_iftl, mask_distance
from .itsd import ITSDLoss, itsd_loss, itsd_score, itsd_target
from .overlap import SoftIoULoss, soft_iou_loss
from .pixel import BCELoss, L1Loss, bce_loss, l1_loss

__all__ = [
    'AdversarialLoss', 'BCELoss', 'GeneratorLoss', 'IFTLoss', 'ITSDLoss', 'L1Loss', 'LongRangeIFTLoss', 'SoftIoULoss',
    'bce_loss', 'discriminator_adversarial_loss', 'generator_adversarial_loss', 'hinge_distance', 'iftl', 'itsd_loss',
    'itsd_score', 'itsd_target', 'l1_loss', 'l_iftl', 'mask_distance', 'soft_iou_loss'
]
