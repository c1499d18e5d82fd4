# RAFT (Teed and Deng, 2020) of torchvision, which is to be installed beside the project; it fetches its own weights.
flow = dict(type='RAFTFlow', size='large')
