# Dense CRF for DAVIS at 480p, found with tempseg-tune-crf: 24 trials (seed 0) on 18 frames of split 'fit' (bus,
# car-turn, dog-agility, hike, kite-walk, scooter-gray), segmented by an older recipe at 112x200 pixels.
# Gain on these frames: J 0.7558, F 0.6510 -> J 0.7948, F 0.7368.
crf = dict(
    type='DenseCRF',
    sxy_gaussian=4.92,
    compat_gaussian=0.2,
    sxy_bilateral=74.5,
    srgb=3.09,
    compat_bilateral=10.8,
)
