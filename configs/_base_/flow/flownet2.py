# FlowNet 2.0 (Ilg et al., 2017), used in the paper. Its weights are for research only and not included: docs/flow.md.
flow = dict(type='FlowNet2Flow', weights='{{$TEMPSEG_FLOWNET2_WEIGHTS:data/weights/FlowNet2_checkpoint.pth.tar}}')
