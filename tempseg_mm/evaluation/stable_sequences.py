"""Which sequences of DAVIS 2016 count for T. Used by the score table."""

# The benchmark averages T over these only: elsewhere the outline changes by occlusion, not by unsteady masks.
STABLE = dict(
    train=('bear', 'boat', 'bus', 'car-turn', 'dance-jump', 'drift-turn', 'elephant', 'flamingo', 'hike', 'hockey',
           'kite-walk', 'mallard-water', 'motocross-bumps', 'rhino', 'stroller', 'surf', 'train'),
    val=('blackswan', 'camel', 'car-roundabout', 'car-shadow', 'cows', 'drift-straight', 'kite-surf',
         'paragliding-launch', 'scooter-black', 'soapbox'))
UNSTABLE = dict(
    train=('bmx-bumps', 'breakdance-flare', 'dog-agility', 'horsejump-low', 'lucia', 'mallard-fly', 'motorbike',
           'paragliding', 'rollerblade', 'scooter-gray', 'soccerball', 'swing', 'tennis'),
    val=('bmx-trees', 'breakdance', 'dance-twirl', 'dog', 'drift-chicane', 'goat', 'horsejump-high', 'libby',
         'motocross-jump', 'parkour'))


def counts_for_stability(sequence: str) -> bool:
    """Whether a sequence is part of the mean of T: all but those that the list of DAVIS 2016 leaves out."""
    return all(sequence not in names for names in UNSTABLE.values())
