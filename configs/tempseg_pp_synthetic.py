"""TempSeg-GAN++ on rendered sequences: averaged predictions and dense CRF on top of tempseg_synthetic.py's network.

    python tools/train.py configs/tempseg_synthetic.py
    python tools/test.py configs/tempseg_pp_synthetic.py
"""
_base_ = './tempseg_synthetic.py'

checkpoint = 'work_dirs/tempseg_synthetic'
custom_hooks = [*_base_.custom_hooks, dict(type='TTAHook'), dict(type='CRFHook', crf=_base_.crf)]
