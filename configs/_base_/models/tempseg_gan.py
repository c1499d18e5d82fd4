# TempSeg-GAN: Table A.1 and eq. 10.
model = dict(
    type='TempSegGAN',
    width=1.0,  # factor for the channels of generator, encoders and discriminator
    data_preprocessor=dict(type='VOSDataPreprocessor'),
    generator=dict(
        type='EncoderDecoderGenerator',
        reference_mask='input',  # or 'none' if the network reads only RGB
        backbone=dict(type='TempSegBackbone'),
        decoder=dict(type='UnpoolDecoder')),
    adversary=dict(
        type='Adversary',
        share_weights=False,
        condition_on_target=False,
        downsample=2,  # D sees means over 2x2 pixels; 1: the masks as they are (paper note P3)
        encoder=dict(type='MaskEncoder'),
        discriminator=dict(type='ConvDiscriminator')),
    # loss_weight is the alpha of eq. 10; an ablation removes a line. The first two are eq. 3, lambda = 0.1 / 0.1.
    losses=dict(
        bce=dict(type='BCELoss', loss_weight=0.1),
        adv=dict(type='AdversarialLoss', loss_weight=0.1),
        l1=dict(type='L1Loss', loss_weight=0.25),
        itsd=dict(type='ITSDLoss', loss_weight=0.25, patch_size=4),
        iftl=dict(type='IFTLoss', loss_weight=0.25, delta=0.1),
        l_iftl=dict(type='LongRangeIFTLoss', loss_weight=0.25, delta=0.1)))
