"""Right code that other data, other sizes, another name or another aim would make look wrong is right, and the report says what it is."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(0)


# --- data with a structure ------------------------------------------------------------------------


def _affinities(n):
    P = RNG.uniform(0.1, 1.0, (n, n))
    P = P + P.T
    np.fill_diagonal(P, 0)
    return P / P.sum()


KERNEL = _affinities(5) + 2 * np.eye(5)
P = _affinities(6)
OFF = ~np.eye(6, dtype=bool)


def smooth(Z):
    return np.sum((KERNEL @ Z) ** 2) / 2


def of_smooth(Z):
    return KERNEL @ (KERNEL @ Z)  # its transpose is itself


def embedded(Y):
    apart = np.exp(-np.sum((Y[:, None] - Y[None]) ** 2, axis=2)) * OFF
    Q = apart / np.sum(apart)
    return np.sum(P[OFF] * np.log(P[OFF] / Q[OFF])), Q


def of_embedded(Y, Q):
    return 4 * np.sum((P - Q)[:, :, None] * (Y[:, None] - Y[None]), axis=1)  # P is symmetric, of sum 1


DISTANCES = np.where(RNG.random((5, 5)) < 0.3, np.inf, KERNEL)
DISTANCES = np.maximum(DISTANCES, DISTANCES.T)  # some places cannot be reached from others
np.fill_diagonal(DISTANCES, 0)


def near(w):
    return np.sum(w * (np.exp(-DISTANCES) @ w))


def of_near(w):
    return 2 * np.exp(-DISTANCES) @ w


def likely(y):
    return y @ np.linalg.solve(KERNEL, y) + 2 * np.sum(np.log(np.diag(np.linalg.cholesky(KERNEL))))


def of_likely(y):
    return 2 * np.linalg.solve(KERNEL, y)


@pytest.mark.parametrize(("forward", "backward"), [(near, of_near), (likely, of_likely)])
def test_a_symmetric_matrix_may_have_infinities_or_be_positive_definite(forward, backward):
    report = ag.check_backward(forward, backward, {"w" if forward is near else "y": RNG.normal(size=5)})
    assert report.ok, report


@pytest.mark.parametrize(
    ("forward", "backward", "inputs"),
    [(smooth, of_smooth, {"Z": RNG.normal(size=(5, 3))}), (embedded, of_embedded, {"Y": RNG.normal(size=(6, 2))})],
)
def test_a_symmetric_matrix_stays_one(forward, backward, inputs):
    report = ag.check_backward(forward, backward, inputs)
    assert report.ok, report


def test_a_square_weight_that_happens_to_be_an_identity_hides_no_transpose():
    def backward(W, x):
        d = 2 * (W @ x)
        return d @ x.T, W @ d

    report = ag.check_backward(lambda W, x: np.sum((W @ x) ** 2), backward, {"W": np.eye(4), "x": RNG.normal(size=(4, 5))})
    assert not report.ok
    assert report.findings[0].kind == "transpose"


def test_a_weight_that_is_symmetric_hides_no_transpose():
    W = RNG.normal(size=(4, 4))

    def backward(W, x):
        d = 2 * (W @ x)
        return d @ x.T, W @ d

    report = ag.check_backward(lambda W, x: np.sum((W @ x) ** 2), backward, {"W": W + W.T, "x": RNG.normal(size=(4, 5))})
    assert not report.ok
    assert report.findings[0].kind == "transpose"


# --- sizes that belong together -------------------------------------------------------------------


def robust(w, X, y):
    n = X.shape[1]
    with_intercept = n + 2 == w.shape[0]
    scale = w[-1]
    r = y - X @ w[:n] - (w[-2] if with_intercept else 0.0)
    grad = np.zeros(n + 2 if with_intercept else n + 1)
    grad[:n] = -2 * X.T @ r / scale
    if with_intercept:
        grad[-2] = -2 * np.sum(r) / scale
    grad[-1] = len(y) - np.sum(r**2) / scale**2
    return len(y) * scale + np.sum(r**2) / scale, grad


def test_sizes_with_which_forward_reads_a_part_of_its_inputs_are_not_tried_and_that_is_said():
    report = ag.check_backward(
        robust, robust, {"w": np.append(RNG.normal(size=6), 0.8), "X": RNG.normal(size=(9, 5)), "y": RNG.normal(size=9)}
    )
    assert report.ok, report
    assert "some sizes were not varied" in str(report)


# --- a layer's own names --------------------------------------------------------------------------


class Scaled:
    def __init__(self):
        self.gain = RNG.normal(size=(1, 3))

    def forward_pass(self, X):
        self.centred = X - np.mean(X, axis=0)
        return self.gain * self.centred

    def backward_pass(self, X):
        self.dgain = np.sum(X * self.centred, axis=0, keepdims=True)
        d = X * self.gain
        return d - np.mean(d, axis=0)


def test_the_upstream_gradient_may_have_the_name_of_the_input():
    layer = Scaled()
    report = ag.check_backward(layer.forward_pass, layer.backward_pass, {"X": RNG.normal(size=(6, 3))})
    assert report.ok, report
    assert any("`X` is taken as the upstream gradient" in line for line in report.readings)


# --- what is to be as large as it can be ----------------------------------------------------------


class Coin:
    def __init__(self):
        self.w = RNG.normal(size=3)

    def log_likelihood(self, X, y):
        z = X @ self.w
        return np.sum(y * z - np.log(1 + np.exp(z)))

    def ascend(self, X, y, rate=0.1):
        self.w += rate * X.T @ (y - 1 / (1 + np.exp(-(X @ self.w))))

    def descend(self, X, y, rate=0.1):
        self.w -= rate * X.T @ (y - 1 / (1 + np.exp(-(X @ self.w))))

    def cost(self, X, y):
        return self.log_likelihood(X, y)


COINS = {"X": RNG.normal(size=(7, 3)), "y": RNG.integers(0, 2, 7)}


def test_a_likelihood_is_climbed():
    coin = Coin()
    report = ag.check_backward(coin.log_likelihood, coin.ascend, COINS)
    assert report.ok, report
    assert any("upwards" in line for line in report.readings)
    assert not ag.check_backward(coin.cost, coin.ascend, COINS).ok


# --- arrays that are multiplied by their own method, dicts that are empty -------------------------


def entropy(w, X, y):
    p = 1 / (1 + np.exp(-X @ w))
    return -y.dot(np.log(p)) - (1 - y).dot(np.log(1 - p))


def of_entropy(w, X, y):
    return X.T.dot(1 / (1 + np.exp(-X.dot(w))) - y)


def test_an_array_that_is_multiplied_by_its_own_method_is_followed():
    report = ag.check_backward(entropy, of_entropy, {"w": RNG.normal(size=3), **COINS})
    assert report.ok, report


model = {}


def kept(W1, W2, x):
    model["W1"], model["W2"] = W1, W2
    h = np.tanh(model["W1"] @ x)
    return np.sum((model["W2"] @ h) ** 2), h


def of_kept(x, h):
    d = 2 * (model["W2"] @ h)
    return {"W1": (model["W2"].T @ d * (1 - h**2)) @ x.T, "W2": d @ h.T}


def test_a_dict_that_forward_fills_holds_numbers_when_backward_reads_it():
    inputs = {"W1": RNG.normal(size=(4, 3)), "W2": RNG.normal(size=(2, 4)), "x": RNG.normal(size=(3, 5))}
    report = ag.check_backward(kept, of_kept, inputs)
    assert report.ok, report
    assert model == {}
