# Dense CRF for DAVIS: the object's surroundings alone, at its own scale; the appearance term alone, two iterations.
# Chosen on split 'dev10', see "Outlines" in docs/ablations.md. tempseg-tune-crf searches settings for other data.
crf = dict(
    type='DenseCRF',
    compat_gaussian=0.0,
    sxy_bilateral=40.0,
    srgb=6.0,
    compat_bilateral=10.8,
    iterations=2,
    margin=12,
    side=250,
    overlap=0.6,
)
