# Dense CRF for DAVIS at 480p: the mild defaults of the class, not tuned. tools/tune_crf.py writes a file to replace it.
crf = dict(
    type='DenseCRF',
    sxy_gaussian=3.0,
    compat_gaussian=1.0,
    sxy_bilateral=20.0,
    srgb=8.0,
    compat_bilateral=2.0,
)
