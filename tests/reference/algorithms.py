"""Algorithms 1 and 2 of the paper as literal nested loops, and eqs. 5, 6, 8, 9: slow, plain, the oracle of tests.

Written from the paper alone and importing nothing of the package. Masks are (H, W) arrays of 0 and 1, flow is
(H, W, 2): x then y, in pixels, forward. Numbers are Python floats, so sums of float32 flow and pixel numbers are exact.
"""

import math

import numpy as np


def extract_patch(frame, a, b, d):
    """``extract_patch(X, a, b, d)`` of Algorithm 2: d × d pixels from row a, column b; zero outside of the frame."""
    height, width = frame.shape[:2]
    patch = np.zeros((d, d) + frame.shape[2:], dtype=frame.dtype)
    for u in range(d):
        for v in range(d):
            if 0 <= a + u < height and 0 <= b + v < width:
                patch[u, v] = frame[a + u, b + v]
    return patch


def optical_flow_warp(labels, flow, s):
    """Algorithm 1. ``labels`` (s+4, s+4) and ``flow`` (s+4, s+4, 2) of the window; returns P* (s, s)."""
    target = np.zeros((s, s), dtype=labels.dtype)
    for u in range(s + 4):
        for v in range(s + 4):
            x, y = flow[u, v]
            row = math.floor(u + float(y) + 0.5) - 2  # the patch begins at (2, 2) of its window
            column = math.floor(v + float(x) + 0.5) - 2
            if 0 <= row < s and 0 <= column < s:
                target[row, column] = labels[u, v]
    return target


def mispredicted(target, predicted):
    """Eq. 5: the set of pixels k whose labels differ."""
    pixels = range(len(target))
    return ({k for k in pixels if target[k] == 1 and predicted[k] != 1}
            | {k for k in pixels if target[k] != 1 and predicted[k] == 1})


def itsd_patch(target, predicted):
    """Eq. 6 on two vectors of labels; 0/0 is 0."""
    wrong = mispredicted(target, predicted)
    union = {k for k in range(len(predicted)) if predicted[k] == 1} | wrong
    return len(wrong) / len(union) if union else 0.0


def target_patch(gt, flow, i, j, s):
    """Lines 6 to 8 of Algorithm 2: P* of the patch at row i, column j; what lies outside of the frame is 0."""
    target = optical_flow_warp(extract_patch(gt, i - 2, j - 2, s + 4), extract_patch(flow, i - 2, j - 2, s + 4), s)
    target[max(gt.shape[0] - i, 0):] = 0
    target[:, max(gt.shape[1] - j, 0):] = 0
    return target


def target_mask(gt, flow, s):
    """All P* of one frame joined, (H, W)."""
    height, width = gt.shape
    target = np.zeros_like(gt)
    for i in range(0, height, s):
        for j in range(0, width, s):
            target[i:i + s, j:j + s] = target_patch(gt, flow, i, j, s)[:height - i, :width - j]
    return target


def itsd_score(gt, predicted, flow, s):
    """Algorithm 2 for one frame: ``gt`` and ``flow`` at t-1, ``predicted`` at t."""
    score, patches = 0.0, 0
    for i in range(0, gt.shape[0], s):
        for j in range(0, gt.shape[1], s):
            p_hat = extract_patch(predicted, i, j, s).ravel()
            p_star = target_patch(gt, flow, i, j, s).ravel()
            score += itsd_patch(p_star, p_hat)
            patches += 1
    return score / patches


def splat_frame(labels, flow):
    """Algorithm 1 with the whole frame as the patch and no window around it."""
    height, width = labels.shape
    target = np.zeros_like(labels)
    for u in range(height):
        for v in range(width):
            row = math.floor(u + float(flow[u, v, 1]) + 0.5)
            column = math.floor(v + float(flow[u, v, 0]) + 0.5)
            if 0 <= row < height and 0 <= column < width:
                target[row, column] = labels[u, v]
    return target


def hinge_distance(a, b, q, delta):
    """d_δ of eqs. 8 and 9 with the literal Euclidean distance."""
    d = math.sqrt(sum((float(x) - float(y)) ** 2 for x, y in zip(a.ravel(), b.ravel(), strict=True)))
    return q * d + (1 - q) * max(0.0, delta - d)


def iftl(masks, q, delta):
    """Eq. 8 for one clip: ``masks`` (T, H, W), ``q`` T labels."""
    return sum(hinge_distance(masks[t], masks[t + 1], q[t] * q[t + 1], delta) for t in range(len(masks) - 1))


def l_iftl(masks, q, delta):
    """Eq. 9 for one clip."""
    return sum(hinge_distance(masks[0], masks[t], q[0] * q[t], delta) for t in range(1, len(masks)))
