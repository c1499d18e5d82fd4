"""The tables that tempseg-run-table reruns, and the presets that set the size of the runs. It holds only data."""

from .rows import NONE, OWN, Preset, Row

IMAGENET = (('TEMPSEG_IMAGENET_WEIGHTS', "a file with torchvision's mobilenet_v2 weights"),)
PASCAL = (('TEMPSEG_PASCAL_WEIGHTS', 'a file with such weights, further trained to segment Pascal VOC'),)
YOUTUBE_OBJECTS = (('TEMPSEG_YOUTUBE_OBJECTS_ROOT', 'the folder of YouTube-Objects'),)
SEGTRACK_V2 = (('TEMPSEG_SEGTRACK_ROOT', 'the folder of SegTrack-v2'),)
FLOWNET2 = (('TEMPSEG_FLOWNET2_WEIGHTS', 'the file of FlowNet 2.0'),)

FINETUNER = 'default_hooks.finetune.finetuner'
INIT = 'model.generator.backbone.init_cfg'
REDETECTION = 'model.window.redetection'
REFERENCES = 'train_dataloader.dataset.pipeline.DeformReferenceMask'

FULL = Row('full', 'TempSeg-GAN', paper=85.1)
PLUS = Row('plus', 'TempSeg-GAN++', paper=86.3, weights='full', options=('--tta', '--crf'))
NO_FINETUNING = Row('no_finetuning', 'w/o fine-tune', 'ablations/no_finetuning.py', 76.8, weights='full', curve=True,
                    overrides=(f'{FINETUNER}.steps=0',))  # also if --cfg-options sets steps for all rows
L1_ONLY = Row('l1_only', 'L1 loss', 'ablations/l1_only.py', 81.2)
L1_ITSDL = Row('l1_itsdl', 'L1 + ITSDL', 'ablations/l1_itsdl.py', 84.6)


def _trained(key: str, title: str, *overrides: str, **more) -> Row:
    """Return a row that trains the preset's config with overrides."""
    return Row(key, title, overrides=overrides, **more)


def _iftl(key: str, title: str, *settings: str) -> Row:
    """Return a row that trains with the same settings for IFTL and L-IFTL."""
    return _trained(key, title, *(
        f'model.losses.{name}.{setting}' for name in ('iftl', 'l_iftl') for setting in settings))


def _references(key: str, title: str, **faults: float) -> Row:
    """Return a row that trains with half or twice the deformations of two presets, so only these presets have it."""
    return _trained(key, title, *(f'{REFERENCES}.{name}={value}' for name, value in faults.items()),
                    presets=('synthetic', 'davis_small'))


def _adapted(key: str, title: str, *settings: str, more: tuple = (), **others) -> Row:
    """Return a row that fine-tunes the full method's weights on each sequence with other settings."""
    overrides = (*(f'{FINETUNER}.{setting}' for setting in settings), *more)
    return Row(key, title, weights='full', overrides=overrides, **others)


def _tested(key: str, title: str, **more) -> Row:
    """Return a row that tests the full method's weights with another config or further options."""
    return Row(key, title, weights='full', **more)


def _moved(key: str, title: str, *flow: str, needs: tuple = ()) -> Row:
    """Return a row that tests the full method's weights with another flow."""
    return _tested(key, title, needs=needs, overrides=tuple(
        f'model.data_preprocessor.flow.{setting}' for setting in ('_delete_=True', *flow)))


def _parts(*parts: tuple[str, str, tuple]) -> tuple[Row, ...]:
    """Return a row for each part ``(key, title, settings that switch it off)`` on top of the parts before it.

    All rows are tested with the weights that the last one trains, which has every part.
    """
    keys = [key for key, _, _ in parts]
    return tuple(
        Row(key, title, '{light}.py', weights=OWN if key == keys[-1] else keys[-1], against=keys[max(i - 1, 0)],
            base='light', presets=('davis',),
            overrides=tuple(setting for _, _, off in parts[i + 1:] for setting in off))
        for i, (key, title, _) in enumerate(parts))


TABLES = {
    '1': (
        NO_FINETUNING,
        Row('no_davis_training', 'w/o training', 'ablations/no_davis_training.py', 68.7, weights=NONE),
        # Table A.1's backbone has no published weights, so the light one shows the effect of ImageNet weights.
        Row('light_imagenet', 'MobileNetV2, ImageNet weights', '{light}.py', needs=IMAGENET,
            overrides=(f'{INIT}.type=ImageNetWeights', f'{INIT}.checkpoint=$TEMPSEG_IMAGENET_WEIGHTS')),
        Row('light_random', 'MobileNetV2, w/o ImageNet weights', 'ablations/no_imagenet_weights.py', 79.3,
            against='light_imagenet', base='light'),
        L1_ONLY,
        L1_ITSDL,
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
    # Table 1's rows of losses, in smaller steps.
    'losses': (
        _trained('bce_iou', 'BCE + IoU alone, no adversary', 'model.adversary=None',
                 *(f'model.losses.{name}=None' for name in ('adv', 'l1', 'itsd', 'iftl', 'l_iftl'))),
        L1_ONLY,
        L1_ITSDL,
        _trained('l1_itsdl_iftl', 'L1 + ITSDL + IFTL', 'model.losses.l_iftl=None'),
        FULL,
    ),
    # Choices that the paper leaves open; P-numbers refer to docs/paper_notes.md.
    'readings': (
        FULL,
        _trained('no_reference_mask', 'no reference mask (P16)', 'model.generator.reference_mask=none'),
        _trained('own_reference_masks', 'own masks as references (P16)',
                 'default_hooks.own_references.type=OwnReferenceHook', 'default_hooks.own_references.prob=0.5'),
        _references('undeformed_references', 'references not deformed in training (P16)', max_shift=0, scale=0,
                    rotate=0, warp=0, dilate=0, empty_prob=0, spurious_prob=0),
        _references('weaker_deformation', 'references deformed half as much (P16)', max_shift=0.075, scale=0.075,
                    rotate=4.0, warp=0.05, dilate=0.04),
        _references('stronger_deformation', 'references deformed twice as much (P16)', max_shift=0.3, scale=0.3,
                    rotate=16.0, warp=0.2, dilate=0.16),
        _trained('separate_encoders', 'separate encoders (P4)', 'model.adversary.share_weights=False'),
        _trained('shared_encoders', 'one encoder (P4)', 'model.adversary.share_weights=True'),
        _trained('pairs_to_discriminator', 'D sees pairs (P5)', 'model.adversary.condition_on_target=True'),
        _trained('d_rate_0.01', "D's rate 0.01, literal (P13)", 'optim_wrapper.adversary.optimizer.lr=0.01'),
        _trained('d_rate_0.001', "D's rate 0.001 (P13)", 'optim_wrapper.adversary.optimizer.lr=0.001'),
        _trained('d_rate_0.00001', "D's rate 0.00001 (P13)", 'optim_wrapper.adversary.optimizer.lr=0.00001'),
        # First D is trained (q of eqs. 8 and 9 needs it), but G is not trained against it; then there is no D at all.
        _trained('adv_weight_0', 'not trained against D', 'model.losses.adv.loss_weight=0.0'),
        _trained('adversary_none', 'no D: no adversarial loss, no IFTL', 'model.adversary=None',
                 *(f'model.losses.{name}=None' for name in ('adv', 'iftl', 'l_iftl'))),
        _iftl('literal_iftl', 'literal IFTL (P11)', 'normalize=False', 'reduction=sum'),
        _iftl('delta_0.05', 'IFTL, δ = 0.05 (P11)', 'delta=0.05'),
        _iftl('delta_0.3', 'IFTL, δ = 0.3 (P11)', 'delta=0.3'),
        _iftl('iftl_0.25', "IFTL at the paper's weight 0.25 (P11)", 'loss_weight=0.25'),
        _trained('paper_weights', "the paper's α, no IoU term (P8)", 'model.losses.iou=None', *(
            f'model.losses.{name}.loss_weight={alpha}' for name, alpha in dict(
                bce=0.1, adv=0.1, l1=0.25, itsd=0.25, iftl=0.25, l_iftl=0.25).items())),
        Row('lucid_clips', 'half of the clips made from one frame', 'ablations/lucid_clips.py'),
        Row('random_trunk', 'the trunk from scratch', 'ablations/no_imagenet_weights.py',
            presets=('davis_small',)),
        _trained('pascal_trunk', 'the trunk also trained on Pascal VOC', f'{INIT}.checkpoint=$TEMPSEG_PASCAL_WEIGHTS',
                 needs=PASCAL, presets=('davis_small',)),
        _trained('table_a1', 'Table A.1, a quarter wide, from scratch',
                 'model.generator.width=0.25',
                 *(f'model.generator.{part}.{setting}' for part, kind in
                   dict(backbone='TempSegBackbone', decoder='UnpoolDecoder').items()
                   for setting in ('_delete_=True', f'type={kind}', 'dropout=0.2')),
                 'optim_wrapper.generator._delete_=True', 'optim_wrapper.generator.type=OptimWrapper',
                 'optim_wrapper.generator.optimizer.type=Adam', 'optim_wrapper.generator.optimizer.lr=0.002',
                 presets=('davis_small',)),
    ),
    # Online fine-tuning (P15) and other settings of a test: one training, many tests.
    'finetuning': (
        FULL,
        NO_FINETUNING,
        *(_adapted(f'steps_{n}', f'{n} steps', f'steps={n}', curve=True) for n in (25, 50, 100, 200, 400)),
        *(_adapted(f'rate_{rate}', f'rate {rate}', f'optimizer.lr={rate}') for rate in (0.0003, 0.001, 0.003)),
        _adapted('average_0', 'the last weights', 'average=0.0'),
        _adapted('average_0.5', 'mean of the weights over the second half', 'average=0.5'),
        _adapted('norm_training', "batch normalisation by the clip's own statistics", 'mode=train'),
        _adapted('only_decoder', 'the decoder alone', 'only=[decoder]'),
        _adapted('only_norm', 'normalisation layers alone', 'only=[norm]'),
        _adapted('only_last_layer', 'the last layer alone', 'only=[decoder.to_logits]'),
        _adapted('no_augmentation', 'no augmentation', 'augment=[]'),
        _tested('finetune_lucid', 'augmented with LucidClip too', config='ablations/finetune_lucid.py'),
        # The other presets have no IoU term to leave out: there, the next row is BCE alone.
        _adapted('finetune_bce', 'BCE alone', 'leave_out=[iou,adv,l1,itsd,iftl,l_iftl]', presets=('davis_small',)),
        _adapted('finetune_bce_iou', 'BCE + IoU', 'leave_out=[adv,l1,itsd,iftl,l_iftl]'),
        _adapted('finetune_l1', 'with L1', 'leave_out=[adv,itsd,iftl,l_iftl]'),
        _adapted('finetune_l1_itsdl', 'with L1 + ITSDL', 'leave_out=[adv,iftl,l_iftl]'),
        _adapted('finetune_l1_itsdl_iftl', 'with L1 + ITSDL + IFTL + L-IFTL', 'leave_out=[adv]'),
        _adapted('finetune_all_terms', 'with all terms of eq. 10', 'leave_out=[]'),
        _adapted('one_given_frame', 'one given frame', more=('test_cfg.num_given_frames=1',)),
        _adapted('two_given_frames', 'two given frames', more=('test_cfg.num_given_frames=2',)),
        _tested('tta', 'TTA', options=('--tta',)),
        _tested('crf', 'CRF', options=('--crf',)),
        PLUS,
        _moved('flow_zero', 'no flow', 'type=ZeroFlow'),
        _moved('flow_dis_ultrafast', 'DIS flow, the coarsest and fastest', 'type=DISFlow', 'preset=ultrafast'),
        _moved('flow_dis', 'DIS flow', 'type=DISFlow'),
        _moved('flow_flownet2', 'FlowNet 2.0', 'type=FlowNet2Flow', 'weights=$TEMPSEG_FLOWNET2_WEIGHTS',
               needs=FLOWNET2),
    ),
    # Where the points of the recipe on windows come from, part by part. No part changes the training.
    'parts': _parts(
        ('windows', 'windows that follow the object', ()),
        ('near', '+ births only near the object', ('model.reach=None',)),
        ('searched', '+ lost objects are looked for', (f'{REDETECTION}.lost=0', f'{REDETECTION}.widening=1')),
        ('adapting', '+ adapting on the way', ('default_hooks.adapt=None',)),
        ('shape', "+ windows of the object's shape",
         ('model.window.aspect=None', f'{FINETUNER}.augment.0.window.aspect=None')),
        ('steps', '+ more steps where 40 are not enough', (f'{FINETUNER}.steps=40',)),
        ('sure', '+ found again only where it is sure', (f'{REDETECTION}.found=0', f'{REDETECTION}.largest=1e9')),
        ('surroundings', '+ surroundings told by their motion', ('model.window.surroundings=None',)),
        ('outlines', '+ outlines refined by a CRF: the recipe', ('default_hooks.crf=None',)),
    ),
}

PRESETS = {
    'synthetic': Preset(
        'tempseg_synthetic', 'tempseg_synthetic_light',
        options=('train_cfg.max_iters=300', 'param_scheduler.generator.0.end=300')),
    'davis': Preset('tempseg_davis', 'tempseg_davis_mobilenet'),
    'davis_small': Preset('ablations/_base_/davis_small', 'ablations/_base_/davis_small'),
}


def rows_of(table: str, preset: str) -> tuple[Row, ...]:
    """Return the rows of a table that a preset has.

    Raises:
        KeyError: if the table or the preset is unknown.
    """
    return tuple(row for row in TABLES[table] if preset in (row.presets or PRESETS))
