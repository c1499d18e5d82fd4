# Another provider's flow, kept on disk. tempseg-precompute-flow fills the folder; docs/flow.md has the rest.
flow = dict(type='CachedFlow', provider=dict(type='DISFlow'), cache_dir='data/flow/dis')
