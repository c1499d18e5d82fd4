# FlowNet 2.0 (Ilg et al., 2017), the paper's. Its weights do not come with the project, research only: docs/flow.md.
flow = dict(type='FlowNet2Flow', weights='{{$TEMPSEG_FLOWNET2_WEIGHTS:data/weights/FlowNet2_checkpoint.pth.tar}}')
