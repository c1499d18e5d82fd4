"""TempSeg-GAN++ on rendered sequences: averaged predictions and dense CRF, with the network of tempseg_synthetic.py.

    .venv/bin/tempseg-train configs/tempseg_synthetic.py
    .venv/bin/tempseg-test configs/tempseg_pp_synthetic.py
"""
_base_ = './tempseg_synthetic.py'

checkpoint = 'work_dirs/tempseg_synthetic'
default_hooks = dict(tta=dict(type='TTAHook'), crf=dict(type='CRFHook'))
