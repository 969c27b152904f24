"""scikit-learn on Tensors: the gradient of a validation error through a scaler and a ridge regression.

A ridge regression shrinks all coefficients alike, so that features of pure noise harm it. Here each feature has a weight, and the
error on held-out samples is minimised by the weights: relevance is learned, by a gradient that runs through `StandardScaler`,
`Ridge.fit` and `predict` as they are. Needs scikit-learn and SciPy.

Run it: ``python examples/sklearn_array_api.py``.
"""

from __future__ import annotations

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # asked for by scikit-learn, before SciPy is imported

import numpy as np
import sklearn
from scipy.optimize import minimize
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

import autograd_np as ag
import autograd_np.array_api as xp


def data(n, seed=0):
    """Return n samples of 12 features on various scales, of which the first 3 matter, and noisy targets."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 12)) * np.linspace(0.1, 10, 12)
    y = 20 * X[:, 0] - 2 * X[:, 1] + X[:, 2] + rng.normal(size=n)
    return X, y


def errors(log_weights, train, test, alpha=5.0):
    """Return the mean squared error on `test` of a ridge regression fitted to `train` with weighted features."""
    X, y, X_test, y_test = (xp.asarray(a) for a in (*train, *test))
    weights = xp.exp(xp.asarray(log_weights))
    with np.errstate(invalid="ignore"):  # StandardScaler divides by a count of zero, and replaces what comes of it
        scaler = StandardScaler().fit(X)
    model = Ridge(alpha=alpha, solver="svd").fit(scaler.transform(X) * weights, y)
    residual = model.predict(scaler.transform(X_test) * weights) - y_test
    return xp.mean(residual**2)


def main():
    """Learn the weights, print them and what they are worth on samples that nobody has seen."""
    train, held_out, fresh = data(30, seed=1), data(40, seed=2), data(1000, seed=3)

    def loss(w):
        return errors(w, train, held_out) + 0.02 * xp.sum(xp.asarray(w) ** 2)

    with sklearn.config_context(array_api_dispatch=True):
        found = minimize(ag.value_and_grad(loss), np.zeros(12), jac=True, method="L-BFGS-B", options={"maxiter": 40})
        before, after = (float(errors(w, train, fresh)) for w in (np.zeros(12), found.x))
    print(f"error on fresh samples, all features alike: {before:.3f}")
    print(f"error on fresh samples, weights learned:    {after:.3f}   (the noise is 1)")
    print("weights:", np.array2string(np.exp(found.x), precision=2, suppress_small=True))
    return before, after, np.exp(found.x), loss


if __name__ == "__main__":
    main()
