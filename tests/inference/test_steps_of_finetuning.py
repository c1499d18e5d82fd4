"""The optimiser steps of the online fine-tuner: what one of them is."""

import copy

import numpy as np
import torch
from torch import nn

from tempseg_mm.inference.online_finetuner import OnlineFinetuner
from tempseg_mm.inference.own_randomness import own_randomness
from tempseg_mm.registry import TRANSFORMS


def test_the_steps_are_those_of_a_plain_loop(make_model, make_sequence):
    model, sequence = make_model(), make_sequence()
    plain = copy.deepcopy(model)
    for module in plain.generator.train().modules():
        module.train(not isinstance(module, nn.BatchNorm2d))
    optimizer, losses = torch.optim.Adam(plain.generator.parameters(), lr=0.01), []
    with own_randomness(5, sequence.name):
        for _ in range(3):
            clip = TRANSFORMS.build(dict(type='PackClip'))(dict(
                frames=sequence.frames[:2], gt_masks=sequence.masks[:2], flow=[np.zeros((32, 48, 2), np.float32)],
                sequence_name=sequence.name, frame_ids=[0, 1]))
            batch = plain.data_preprocessor({name: [value] for name, value in clip.items()}, training=True)
            loss = sum(plain.generator_losses(plain(batch), batch).values())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    finetuner = OnlineFinetuner(steps=3, optimizer=dict(type='Adam', lr=0.01))
    assert finetuner.adapt(model, sequence, seed=5).losses == losses
    expected = plain.generator.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in model.generator.state_dict().items())
