# Zero flow everywhere, for ablations.
flow = dict(type='ZeroFlow')
