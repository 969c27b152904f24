"""A convolution of sequences: windows and one product of matrices."""

import numpy as np

WRT = ("filters", "bias")


def loss(filters, bias, signal, target):
    size = filters.shape[0]
    patches = np.lib.stride_tricks.sliding_window_view(signal, size, axis=1)
    response = np.tensordot(patches, filters, axes=(2, 0)) + bias
    error = response - target
    return np.sum(error**2) / len(signal)


def backward(signal, patches, error):
    derror = 2 * error / len(signal)
    dfilters = np.tensordot(patches, derror, axes=((0, 1), (0, 1)))
    dbias = derror.sum(axis=(0, 1))
    return {"dfilters": dfilters, "dbias": dbias}


def inputs(rng, n, d):
    filters, bias, signal = rng.normal(size=(d, 4)), rng.normal(size=4), rng.normal(size=(n, 8))
    return {"filters": filters, "bias": bias, "signal": signal, "target": rng.normal(size=(n, 9 - d, 4))}
