"""Forward may call SciPy by its own import: whatever `autograd_np.scipy` has stands in its place while forward runs on Tensors."""

from __future__ import annotations

import types

import numpy as np
import pytest

import autograd_np as ag

pytest.importorskip("scipy")
import scipy.signal
import scipy.special as sp
from scipy import signal
from scipy.special import expit, logsumexp
from scipy.stats import norm

rng = np.random.default_rng(3)
GIVEN = {"W": rng.normal(size=(3, 4)), "x": rng.normal(size=(4, 5)), "y": rng.normal(size=(3, 5))}
IMAGE = {"x": rng.normal(size=(6, 7)), "k": rng.normal(size=(3, 2))}


def of_functions(W, x, y):
    z = W @ x
    p = expit(z)
    return np.mean((p - y) ** 2) + logsumexp(z)


def of_functions_backward(W, x, y, z, p):
    dz = 2 * (p - y) / p.size * p * (1 - p) + np.exp(z - sp.logsumexp(z))
    return {"W": dz @ x.T}


def of_a_module(x, k):
    return np.sum(signal.convolve2d(x, k, mode="valid") ** 2)


def of_the_package(x, k):
    return np.sum(scipy.signal.convolve2d(x, k, mode="valid") ** 2)


def convolved_backward(x, k):
    z = signal.convolve2d(x, k, mode="valid")
    return {"x": signal.correlate2d(2 * z, k, mode="full")}


def of_a_distribution(W, x, y):
    z = W @ x
    return -np.sum(norm.logpdf(y, loc=z))


def of_a_distribution_backward(W, x, y, z):
    dz = z - y
    return {"W": dz @ x.T}


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [
        (of_functions, of_functions_backward, GIVEN),
        (of_a_module, convolved_backward, IMAGE),
        (of_the_package, convolved_backward, IMAGE),
        (of_a_distribution, of_a_distribution_backward, GIVEN),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_scipy_by_its_own_import_is_followed(forward, backward, inputs):
    assert ag.check_backward(forward, backward, inputs).ok


def test_a_closure_may_hold_a_function_of_scipys():
    total = logsumexp

    def forward(z):
        return total(z)

    def backward(z):
        dz = np.exp(z - total(z)) * 2
        return {"z": dz}

    (finding,) = ag.check_backward(forward, backward, {"z": rng.normal(size=4)}).findings
    assert finding.fix.strip() == "dz = np.exp(z - total(z))"
    assert total is logsumexp


def test_the_users_names_mean_scipys_own_again_afterwards():
    before = {name: globals()[name] for name in ("scipy", "sp", "signal", "expit", "logsumexp", "norm")}
    ag.check_backward(of_a_module, convolved_backward, IMAGE)
    assert all(globals()[name] is value for name, value in before.items())
    assert isinstance(signal, types.ModuleType)
    assert signal.__name__ == "scipy.signal"
