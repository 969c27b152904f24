"""Pairs of vectors that should point in the same direction."""

import numpy as np

WRT = ("u", "v")


def loss(u, v):
    norm_u = np.linalg.norm(u, axis=1)
    norm_v = np.linalg.norm(v, axis=1)
    cos = np.sum(u * v, axis=1) / (norm_u * norm_v)
    return np.mean(1 - cos)


def backward(u, v, norm_u, norm_v, cos):
    du = (u * (cos / norm_u)[:, None] - v / norm_v[:, None]) / (len(u) * norm_u[:, None])
    dv = (v * (cos / norm_v)[:, None] - u / norm_u[:, None]) / (len(v) * norm_v[:, None])
    return {"du": du, "dv": dv}


def inputs(rng, n, d):
    return {"u": rng.normal(size=(n, d)), "v": rng.normal(size=(n, d))}
