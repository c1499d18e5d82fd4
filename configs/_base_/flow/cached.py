# Flow of another provider, cached on disk. tempseg-precompute-flow fills the folder, see docs/flow.md.
flow = dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir='data/flow/dis')
