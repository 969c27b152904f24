"""Matrix factorisation of ratings of which some are known."""

import numpy as np

WRT = ("U", "V")


def loss(U, V, R, known, lam):
    E = known * (U @ V.T - R)
    return 0.5 * np.sum(E**2) + 0.5 * lam * (np.sum(U**2) + np.sum(V**2))


def backward(U, V, known, lam, E):
    dU = E @ V + lam * U
    dV = E.T @ U + lam * V
    return {"dU": dU, "dV": dV}


def inputs(rng, n, d):
    known = (rng.random((n, 5)) < 0.6) + 0.0
    return {"U": rng.normal(size=(n, d)), "V": rng.normal(size=(5, d)), "R": rng.normal(size=(n, 5)), "known": known, "lam": 0.1}
