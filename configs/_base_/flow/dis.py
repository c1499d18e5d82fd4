# Dense Inverse Search (Kroeger et al., 2016) of OpenCV: needs no weights, fast on a CPU.
flow = dict(type='DISFlow')
