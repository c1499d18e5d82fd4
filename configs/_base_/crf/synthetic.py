# Dense CRF, tuned with tempseg-tune-crf: 60 trials (seed 0) on 120 frames of split 'train', segmented by
# tempseg_synthetic.py with iter_450.pth. Gain on these frames: J 0.8125, F 0.8946 -> J 0.8824, F 0.9279.
# That was on whole frames; tuned again on windows it did not gain, see "Windows on rendered sequences" in
# docs/ablations.md.
crf = dict(
    type='DenseCRF',
    sxy_gaussian=2.17,
    compat_gaussian=1.26,
    sxy_bilateral=22.1,
    srgb=18.8,
    compat_bilateral=26.4,
)
