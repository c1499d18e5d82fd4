"""What the rows of the paper's tables are here: a config each, and whose weights it is tested with."""

from dataclasses import dataclass

OWN, NONE = 'own', 'none'


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        key: name of its folder.
        title: what the table calls it.
        config: below ``configs``; ``{base}`` stands for the preset's.
        paper: J mean that the paper prints, in per cent; ``None`` where it has no such row.
        weights: ``'own'``: trained for this row; ``'none'``: the initial ones; else the key of the row that trains.
        against: key of the row from which the difference is taken.
        base: which config of the preset an ablation is a delta of: ``'base'`` or ``'light'``.
        options: further arguments of tools/test.py.
        needs: environment variables without which the row can't run, with what they should name.
    """
    key: str
    title: str
    config: str
    paper: float | None = None
    weights: str = OWN
    against: str = 'full'
    base: str = 'base'
    options: tuple = ()
    needs: tuple = ()


@dataclass(frozen=True)
class Preset:
    """Which configs the rows are deltas of, and how they are cut to size.

    Attributes:
        base: config of the method, without suffix.
        light: config of the generator for which there are ImageNet weights.
        options: overrides for every run, as in ``--cfg-options``.
    """
    base: str
    light: str
    options: tuple = ()


IMAGENET = (('TEMPSEG_IMAGENET_WEIGHTS', "a file of torchvision's mobilenet_v2 weights"),)
YOUTUBE_OBJECTS = (('TEMPSEG_YOUTUBE_OBJECTS_ROOT', 'the folder of YouTube-Objects'),)
SEGTRACK_V2 = (('TEMPSEG_SEGTRACK_ROOT', 'the folder of SegTrack-v2'),)

FULL = Row('full', 'TempSeg-GAN', '{base}.py', 85.1)
PLUS = Row('plus', 'TempSeg-GAN++', '{base}.py', 86.3, weights='full', options=('--tta', '--crf'))

TABLES = {
    '1': (
        Row('no_finetuning', 'w/o fine-tune', 'ablations/no_finetuning.py', 76.8, weights='full'),
        Row('no_davis_training', 'w/o training', 'ablations/no_davis_training.py', 68.7, weights=NONE),
        # Table A.1's backbone has no published weights, so what they are worth is measured on the light one.
        Row('light_imagenet', 'MobileNetV2, ImageNet weights', 'ablations/imagenet_weights.py', base='light',
            needs=IMAGENET),
        Row('light_random', 'MobileNetV2, w/o ImageNet weights', 'ablations/no_imagenet_weights.py', 79.3,
            against='light_imagenet', base='light'),
        Row('l1_only', 'L1 loss', 'ablations/l1_only.py', 81.2),
        Row('l1_itsdl', 'L1 + ITSDL', 'ablations/l1_itsdl.py', 84.6),
        FULL,
        PLUS,
    ),
    '2': (
        FULL,
        PLUS,
        Row('youtube_objects', 'TempSeg-GAN, YouTube-Objects', 'tempseg_youtube_objects.py', 77.6, weights=NONE,
            needs=YOUTUBE_OBJECTS),
        Row('youtube_objects_plus', 'TempSeg-GAN++, YouTube-Objects', 'tempseg_youtube_objects.py', 78.4, weights=NONE,
            against='youtube_objects', options=('--tta', '--crf'), needs=YOUTUBE_OBJECTS),
        Row('segtrack_v2', 'TempSeg-GAN, SegTrack-v2', 'tempseg_segtrack_v2.py', 76.8, weights='full',
            needs=SEGTRACK_V2),
        Row('segtrack_v2_plus', 'TempSeg-GAN++, SegTrack-v2', 'tempseg_segtrack_v2.py', 77.9, weights='full',
            against='segtrack_v2', options=('--tta', '--crf'), needs=SEGTRACK_V2),
    ),
    'readings': (
        FULL,
        Row('separate_encoders', 'separate encoders (P4)', 'ablations/separate_encoders.py'),
        Row('shared_encoders', 'one encoder (P4)', 'ablations/shared_encoders.py'),
        Row('pairs_to_discriminator', 'D sees pairs (P5)', 'ablations/pairs_to_discriminator.py'),
        Row('literal_iftl', 'IFTL to the letter (P11)', 'ablations/literal_iftl.py'),
        Row('no_reference_mask', 'no reference mask (P16)', 'ablations/no_reference_mask.py'),
        Row('own_reference_masks', 'own masks as references (P16)', 'ablations/own_reference_masks.py'),
        Row('no_adversary', 'not trained against D', 'ablations/no_adversary.py'),
    ),
}

PRESETS = {
    'synthetic': Preset(
        'tempseg_synthetic', 'tempseg_synthetic_light',
        options=('train_cfg.max_iters=300', 'param_scheduler.generator.0.end=300')),
    'davis': Preset('tempseg_davis', 'tempseg_davis_light'),
}
