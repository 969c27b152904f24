"""The loss of k-means: squared distances to the nearest centre."""

import numpy as np

WRT = ("centers",)


def loss(centers, X):
    diff = X[:, None, :] - centers[None, :, :]
    dist = np.sum(diff**2, axis=2)
    return np.mean(np.min(dist, axis=1))


def backward(X, diff, dist):
    nearest = dist == np.min(dist, axis=1, keepdims=True)
    dcenters = -2 * np.sum(nearest[:, :, None] * diff, axis=0) / len(X)
    return {"dcenters": dcenters}


def inputs(rng, n, d):
    return {"centers": rng.normal(size=(3, d)), "X": rng.normal(size=(n, d))}
