"""TempSeg-GAN++ on DAVIS 2016: test-time augmentation and dense CRF (Table 2: J 86.3, F 85.2, T 14.2; not reproduced).

    .venv/bin/tempseg-train configs/tempseg_davis.py
    .venv/bin/tempseg-tune-crf configs/tempseg_davis.py --out configs/_base_/crf/davis.py
    .venv/bin/tempseg-test configs/tempseg_pp_davis.py

Training does not differ, so it uses the network of tempseg_davis.py.
"""
_base_ = './tempseg_davis.py'

checkpoint = 'work_dirs/tempseg_davis'
default_hooks = dict(tta=dict(type='TTAHook'), crf=dict(type='CRFHook'))
