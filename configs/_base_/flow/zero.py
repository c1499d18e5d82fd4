# Nothing moves: for ablations.
flow = dict(type='ZeroFlow')
