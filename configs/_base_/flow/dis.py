# Dense Inverse Search (Kroeger et al., 2016) from OpenCV: no weights, fast on a CPU.
flow = dict(type='DISFlow')
