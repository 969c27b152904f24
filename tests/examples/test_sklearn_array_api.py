"""examples/sklearn_array_api.py learns, and its gradient through scikit-learn is that of central differences."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "sklearn_array_api.py"

CHECK = """
import runpy, numpy as np, sklearn
import autograd_np as ag
example = runpy.run_path("sklearn_array_api.py")
before, after, weights, loss = example["main"]()
assert after < 0.6 * before, (before, after)
assert weights[:3].min() > np.median(weights[3:]), weights
with sklearn.config_context(array_api_dispatch=True):
    w = np.random.default_rng(0).normal(size=12) / 2
    g = ag.grad(loss)(w)
    numeric = [(float(loss(w + e)) - float(loss(w - e))) / 2e-5 for e in 1e-5 * np.eye(12)]
np.testing.assert_allclose(g, numeric, rtol=1e-5, atol=1e-7)
"""


def test_the_example_learns_through_scikit_learn() -> None:
    for name in ("sklearn", "scipy"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    # in a process of its own: SCIPY_ARRAY_API has to be set before SciPy is imported
    done = subprocess.run([sys.executable, "-c", CHECK], cwd=EXAMPLE.parent, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "weights learned" in done.stdout


ESTIMATORS = """
import os; os.environ["SCIPY_ARRAY_API"] = "1"
import numpy as np, sklearn, warnings
import autograd_np as ag, autograd_np.array_api as xp
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import MinMaxScaler, Normalizer, PolynomialFeatures
from sklearn.metrics.pairwise import rbf_kernel

warnings.simplefilter("ignore", RuntimeWarning)
rng = np.random.default_rng(0)
X, y = rng.normal(size=(12, 3)), rng.normal(size=12)
labels = xp.asarray((y > 0).astype(int))
weights = {}
FITS = {
    "lda": lambda X: LinearDiscriminantAnalysis().fit(X, labels).predict_proba(X),
    "nb": lambda X: GaussianNB().fit(X, labels).predict_proba(X),
    "pca": lambda X: PCA(2, svd_solver="full").fit_transform(X),
    "ridge": lambda X: Ridge(solver="svd").fit(X, xp.asarray(y)).predict(X),
    "minmax": lambda X: MinMaxScaler().fit_transform(X),
    "normalizer": lambda X: Normalizer().fit_transform(X),
    "polynomial": lambda X: PolynomialFeatures().fit_transform(X),
    "rbf": lambda X: rbf_kernel(X),
}
with sklearn.config_context(array_api_dispatch=True):
    for name, fit in FITS.items():
        w = rng.normal(size=fit(xp.asarray(X)).shape)
        loss = lambda X: xp.sum(fit(xp.asarray(X)) * xp.asarray(w))
        g, d = ag.grad(loss)(X), rng.normal(size=X.shape)
        numeric = (float(loss(X + 1e-6 * d)) - float(loss(X - 1e-6 * d))) / 2e-6
        np.testing.assert_allclose(np.sum(g * d), numeric, rtol=1e-6, atol=1e-7, err_msg=name)
    try:
        ag.grad(lambda t: mean_squared_error(xp.asarray(y), t))(y)
    except ag.LeavesNumPyError as refused:
        print(refused)
"""


def test_estimators_take_tensors() -> None:
    for name in ("sklearn", "scipy"):
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    done = subprocess.run([sys.executable, "-c", ESTIMATORS], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "float() of a Tensor" in done.stdout
    assert "mean_squared_error" in done.stdout
