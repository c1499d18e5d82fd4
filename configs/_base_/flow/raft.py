# RAFT (Teed and Deng, 2020) of torchvision, which must be installed separately and downloads the weights itself.
flow = dict(type='RAFTFlow', size='large')
