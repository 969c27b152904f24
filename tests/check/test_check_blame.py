# ruff: noqa: F841, RUF059 (what is not used is the mistake)
"""Where changes of several lines cure, the line that is named is the mistaken one: what a person would weigh."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(11)


def blamed(forward, backward, inputs, **more):
    """Return the line of the one finding, and its fix."""
    (finding,) = ag.check_backward(forward, backward, inputs, **more).findings
    return finding.source.strip(), (finding.fix or "").strip()


# --- what the text of the change says


def masked_mean(x, keep):
    n, t, _ = x.shape
    p = np.exp(x) / np.exp(x).sum(axis=2, keepdims=True)
    return -np.sum(np.log(p[:, :, 0]) * keep) / n


def one_size_too_many(x, keep):
    n, t, c = x.shape
    flat = x.reshape(n * t, c)
    p = np.exp(flat) / np.exp(flat).sum(axis=1, keepdims=True)
    dflat = p.copy()
    dflat[:, 0] -= 1
    dflat = dflat * keep.reshape(-1)[:, None]
    dflat /= n * t
    return dflat.reshape(n, t, c)


def test_a_size_that_is_written_once_too_often_comes_before_its_inverse_elsewhere():
    inputs = {"x": rng.normal(size=(3, 4, 5)), "keep": np.array([[1.0, 0, 1, 1], [1, 1, 0, 1], [0, 1, 1, 1]])}
    assert blamed(masked_mean, one_size_too_many, inputs, wrt="x") == ("dflat /= n * t", "dflat /= n")


class Scaled:
    """Scores that are divided by a root before a mask leaves some out."""

    def forward(self, q, k):
        self.q, self.k, self.root = q, k, np.sqrt(q.shape[1])
        scores = q @ k.T / self.root
        self.seen = np.tril(np.ones(scores.shape))
        return np.where(self.seen == 0, 0, scores)

    def backward(self, d):
        d = np.where(self.seen == 0, 0, d)
        d *= self.root
        return d @ self.k, d.T @ self.q


def test_the_operator_that_is_written_comes_before_a_number_on_another_line():
    layer = Scaled()
    inputs = {"q": rng.normal(size=(5, 2)), "k": rng.normal(size=(5, 2))}
    assert blamed(layer.forward, layer.backward, inputs) == ("d *= self.root", "d /= self.root")


def drop(x, u):
    return x * u


def drop_backward(d, u):
    return d * u


def relu_backward(d, z):
    return d * (z > 0)


def dropped(x, w, u):
    return drop(np.maximum(x @ w, 0), u)


def with_one_for_the_mask(d, x, w, u):
    z = x @ w
    mask = u
    dz = drop_backward(d, 1)
    dz = relu_backward(dz, z)
    return x.T @ dz


def with_none_of_the_mask(d, x, w, u):
    z = x @ w
    noise = u
    dz = drop_backward(d, 1.0)
    dz = dz * (z > 0)
    return x.T @ dz


@pytest.mark.parametrize("backward", [with_one_for_the_mask, with_none_of_the_mask])
def test_a_constant_that_a_call_is_given_comes_before_a_factor_on_the_next_line(backward):
    inputs = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2)), "u": rng.integers(0, 2, (4, 2)) * 1.0}
    source, fix = blamed(dropped, backward, inputs, wrt="w")
    assert source.startswith("dz = drop_backward(d, 1")
    assert fix in ("dz = drop_backward(d, u)", "dz = drop_backward(d, mask)", "dz = drop_backward(d, noise)")


def ridge(X, y, W, reg):
    return np.sum((X @ W - y) ** 2) / len(X) + reg * np.sum(W * W)


def half_the_penalty(X, y, W, reg):
    count = len(X)
    dW = np.zeros_like(W)
    for i in range(count):
        dW += 2 * np.outer(X[i], X[i] @ W - y[i])
    dW = dW / count
    dW = dW + reg * W
    return dW


def half_the_penalty_in_place(X, y, W, reg):
    error = X @ W - y
    dW = 2 * X.T @ error
    dW /= len(X)
    dW += reg * W
    return dW


@pytest.mark.parametrize("backward", [half_the_penalty, half_the_penalty_in_place])
def test_the_factor_of_a_term_that_is_there_comes_before_the_term_once_more(backward):
    inputs = {"X": rng.normal(size=(6, 3)), "y": rng.normal(size=(6, 2)), "W": rng.normal(size=(3, 2)), "reg": 0.3}
    source, fix = blamed(ridge, backward, inputs, wrt="W")
    assert "reg * W" in source
    assert "2 * " in fix


# --- statements that do nothing, masks that do not set zero


def rectified(x, w):
    return np.maximum(x, 0) @ w


def times_one(d, x, w):
    alive = x > 0
    dx = d @ w.T
    dx *= 1.0
    return dx


def times_one_anew(d, x, w):
    alive = x > 0
    dx = d @ w.T
    dx = dx * 1
    return 1.0 * dx


def halved(d, x, w):
    dead = x <= 0
    dx = d @ w.T
    dx[dead] *= 0.5
    return dx + 0


def set_to_one(d, x, w):
    dead = x <= 0
    dx = d @ w.T
    dx[dead] = 1
    return 1.0 * dx


@pytest.mark.parametrize(
    ("backward", "line"),
    [(times_one, "dx *= 1.0"), (times_one_anew, "dx = dx * 1"), (halved, "dx[dead] *= 0.5"), (set_to_one, "dx[dead] = 1")],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_a_statement_that_does_nothing_or_sets_no_zero_is_the_mistake(backward, line):
    inputs = {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=(3, 2))}
    source, fix = blamed(rectified, backward, inputs, wrt="x")
    assert source == line
    assert fix


# --- what lies between


def reciprocal_norm(x, gamma, beta):
    mu = x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + 1e-5)
    xhat = (x - mu) / std
    return gamma * xhat + beta, (x, mu, std, xhat, gamma)


def square_is_missing(dout, cache):
    x, mu, std, xhat, gamma = cache
    n = len(x)
    dgamma, dbeta = (dout * xhat).sum(axis=0), dout.sum(axis=0)
    dxhat = dout * gamma
    dinv = (x - mu) * dxhat
    dinv = dinv.sum(axis=0)
    dstd = (-1 / std) * dinv
    dvar = 0.5 * dstd / std
    dx1 = dxhat / std + 2 * (x - mu) * dvar / n
    return dx1 - dx1.sum(axis=0) / n, dgamma, dbeta


def normalised_for_centred(dout, cache):
    x, mu, std, xhat, gamma = cache
    n = len(x)
    dgamma, dbeta = (dout * xhat).sum(axis=0), dout.sum(axis=0)
    dxhat = dout * gamma
    dinv = xhat * dxhat
    dinv = dinv.sum(axis=0)
    dstd = (-1 / std**2) * dinv
    dvar = 0.5 * dstd / std
    dx1 = dxhat / std + 2 * (x - mu) * dvar / n
    return dx1 - dx1.sum(axis=0) / n, dgamma, dbeta


@pytest.mark.parametrize(
    ("backward", "line", "fix"),
    [
        (square_is_missing, "dstd = (-1 / std) * dinv", "dstd = (-1 / std**2) * dinv"),
        (normalised_for_centred, "dinv = xhat * dxhat", "dinv = (x - mu) * dxhat"),
    ],
    ids=lambda p: getattr(p, "__name__", ""),
)
def test_the_gradient_of_a_reciprocal_is_known_though_forward_has_none(backward, line, fix):
    inputs = {"x": rng.normal(size=(6, 4)), "gamma": rng.normal(size=4), "beta": rng.normal(size=4)}
    assert blamed(reciprocal_norm, backward, inputs) == (line, fix)


def weighted(hs, h):
    hr = h[:, None, :]
    return np.sum(hs * hr, axis=2)


def mean_of_what_was_repeated(d, hs, h):
    wide = np.repeat(d[:, :, None], hs.shape[2], axis=2)
    dhs = wide * h[:, None, :]
    dhr = wide * hs
    dh = np.mean(dhr, axis=1)
    return dhs, dh


def test_a_gradient_that_is_not_summed_yet_is_not_wrong():
    inputs = {"hs": rng.normal(size=(2, 3, 4)), "h": rng.normal(size=(2, 4))}
    assert blamed(weighted, mean_of_what_was_repeated, inputs) == ("dh = np.mean(dhr, axis=1)", "dh = np.sum(dhr, axis=1)")


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def total_without_the_probabilities(dout, x):
    out = softmax(x)
    dx = out * dout
    total = np.sum(dx, axis=1, keepdims=True)
    dx -= total
    return dx


def test_a_factor_of_the_shape_of_what_is_changed_in_place():
    inputs = {"x": rng.normal(size=(3, 4))}
    source, fix = blamed(softmax, total_without_the_probabilities, inputs)
    assert (source, fix) == ("dx -= total", "dx -= total * out")


def recurrent(xs, Wx, Wh, Wy):
    h = np.zeros((xs.shape[1], Wh.shape[0]))
    hs, ys = [h], []
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh)
        hs.append(h)
        ys.append(h @ Wy)
    return np.array(ys)


def carried_too_late(dys, xs, Wx, Wh, Wy):
    h = np.zeros((xs.shape[1], Wh.shape[0]))
    hs = [h]
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh)
        hs.append(h)
    dWx, dWh, dWy = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy)
    dh_next = np.zeros_like(h)
    for t in reversed(range(len(xs))):
        dWy += hs[t + 1].T @ dys[t]
        dh = dys[t] @ Wy.T
        draw = (1 - hs[t + 1] * hs[t + 1]) * dh
        dWx += xs[t].T @ draw
        dWh += hs[t].T @ draw
        dh_next = draw @ Wh.T
    return dWx, dWh, dWy


RECURRENT = {
    "xs": rng.normal(size=(3, 2, 3)),
    "Wx": rng.normal(size=(3, 4)) / 2,
    "Wh": rng.normal(size=(4, 4)) / 2,
    "Wy": rng.normal(size=(4, 2)),
}


def test_what_is_called_after_a_variable_is_its_whole_gradient():
    source, fix = blamed(recurrent, carried_too_late, RECURRENT, wrt=["Wx", "Wh", "Wy"])
    assert (source, fix) == ("dh = dys[t] @ Wy.T", "dh = dys[t] @ Wy.T + dh_next")


class Cell:
    """A recurrent layer that steps back one time at a call, and keeps what goes on."""

    def __init__(self, w, v):
        self.w, self.v = w, v
        self.xs, self.hs, self.carried = [], [], None
        self.dw, self.dv = np.zeros_like(w), np.zeros_like(v)

    def forward(self, xs):
        self.xs, self.hs, self.carried = list(xs), [np.zeros((xs.shape[1], self.v.shape[0]))], None
        for x in xs:
            self.hs.append(np.tanh(x @ self.w + self.hs[-1] @ self.v))
        return np.array(self.hs[1:])

    def step_back(self, dh, t):
        carried = self.carried
        if carried is None:
            carried = np.zeros_like(dh)
        dA = dh
        dz = dA * (1 - self.hs[t + 1] ** 2)
        self.dw += self.xs[t].T @ dz
        self.dv += self.hs[t].T @ dz
        self.carried = dz @ self.v.T
        return dz @ self.w.T

    def backward(self, dhs):
        return np.array([self.step_back(dhs[t], t) for t in reversed(range(len(dhs)))][::-1])


def test_what_is_only_asked_whether_it_is_none_was_meant_to_be_used():
    cell = Cell(RECURRENT["Wx"], RECURRENT["Wh"])
    source, fix = blamed(cell.forward, cell.backward, {"xs": RECURRENT["xs"]})
    assert (source, fix) == ("dA = dh", "dA = dh + carried")


class Gate:
    """One step of a recurrent layer as an object: what comes from the next step is handed over."""

    def __init__(self, v):
        self.v, self.z, self.s = v, None, None

    def forward(self, x, s):
        self.z = x + s @ self.v
        self.s = np.tanh(self.z)
        return self.s

    def backward(self, x, s, diff_s, dout):
        ds = dout
        dz = (1 - np.tanh(x + s @ self.v) ** 2) * ds
        return dz, dz @ self.v.T, s.T @ dz


class Steps:
    """Steps of a recurrent layer, one gate for all."""

    def __init__(self, v):
        self.gate = Gate(v)

    def forward(self, xs):
        self.xs, self.states = list(xs), [np.zeros(xs.shape[1:])]
        for x in xs:
            self.states.append(self.gate.forward(x, self.states[-1]))
        return np.array(self.states[1:])

    def backward(self, douts):
        diff, self.dv, dxs = np.zeros(douts.shape[1:]), np.zeros_like(self.gate.v), []
        for t in reversed(range(len(douts))):
            dx, diff, dv = self.gate.backward(self.xs[t], self.states[t], diff, douts[t])
            self.dv += dv
            dxs.append(dx)
        return np.array(dxs[::-1])


def test_a_gradient_that_is_handed_over_and_never_read_belongs_where_another_is_only_copied():
    net = Steps(RECURRENT["Wh"])
    source, fix = blamed(net.forward, net.backward, {"xs": rng.normal(size=(3, 2, 4))})
    assert (source, fix) == ("ds = dout", "ds = dout + diff_s")


# --- calls


class Table:
    """A linear layer that keeps the gradient of its weights."""

    def __init__(self, W):
        self.W, self.dW = W, np.zeros_like(W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, d):
        self.dW[...] = self.x.T @ d
        return d @ self.W.T


class TwoTables:
    """Two layers that are added, and one behind them."""

    def __init__(self):
        self.first, self.second = Table(rng.normal(size=(3, 4))), Table(rng.normal(size=(3, 4)))
        self.last = Table(rng.normal(size=(4, 2)))

    def forward(self, pair):
        h = (self.first.forward(pair[:, 0]) + self.second.forward(pair[:, 1])) * 0.5
        return self.last.forward(h)

    def backward(self, d):
        dh = self.last.backward(d)
        dh *= 0.5
        self.second.backward(-dh)
        self.first.backward(dh)


def test_a_helper_that_is_right_where_others_call_it_is_innocent():
    net = TwoTables()
    assert blamed(net.forward, net.backward, {"pair": rng.normal(size=(5, 2, 3))}) == (
        "self.second.backward(-dh)",
        "self.second.backward(dh)",
    )


def log_logistic(s):
    return -np.log1p(np.exp(-s))


def logistic(s):
    return 1 / (1 + np.exp(-s))


def pull(u, v, w):
    good, bad = np.sum(u * v, axis=1), np.sum(u * w, axis=1)
    return np.sum(-log_logistic(good) - log_logistic(-bad))


def pushed(u, v, w):
    good, bad = np.sum(u * v, axis=1), np.sum(u * w, axis=1)
    of_good = 1.0 - logistic(good)
    of_bad = logistic(bad)
    du = of_good[:, None] * v + of_bad[:, None] * w
    dv = of_good[:, None] * u
    dw = of_bad[:, None] * u
    return du, dv, dw


def test_a_difference_with_what_a_helper_gave_is_turned_round_where_it_stands():
    inputs = {name: rng.normal(size=(4, 3)) for name in "uvw"}
    assert blamed(pull, pushed, inputs) == ("of_good = 1.0 - logistic(good)", "of_good = logistic(good) - 1.0")


def total(x):
    return np.sum(x, axis=0)


def layer(x):
    return (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-8)


def without_the_mean(d, x):
    std = np.sqrt(x.var(axis=0) + 1e-8)
    z = (x - x.mean(axis=0)) / std
    dx = d / (len(d) * std)
    dx = len(d) * dx - total(dx * z) * z
    return dx


def test_a_term_may_be_missing_that_calls_what_its_line_calls():
    assert blamed(layer, without_the_mean, {"x": rng.normal(size=(5, 3))}) == (
        "dx = len(d) * dx - total(dx * z) * z",
        "dx = len(d) * dx - total(dx * z) * z - total(dx)",
    )


# --- names


def two_layers(X, W1, W2):
    Z1 = X @ W1
    A1 = np.maximum(Z1, 0)
    Z2 = A1 @ W2
    return Z2, (Z1, A1, W1, Z2, W2)


def before_for_after(dZ2, X, cache):
    (Z1, A1, W1, Z2, W2) = cache
    dW2 = Z1.T @ dZ2
    dA1 = dZ2 @ W2.T
    dZ1 = dA1 * (A1 > 0)
    return X.T @ dZ1, dW2


def test_one_wrong_name_comes_before_an_order_that_is_that_of_the_names():
    inputs = {"X": rng.normal(size=(5, 3)), "W1": rng.normal(size=(3, 4)), "W2": rng.normal(size=(4, 2))}
    assert blamed(two_layers, before_for_after, inputs, wrt=["W1", "W2"]) == ("dW2 = Z1.T @ dZ2", "dW2 = A1.T @ dZ2")


def propagate(w, b, X, Y):
    m = X.shape[1]
    A = 1 / (1 + np.exp(-(w.T @ X + b)))
    cost = -1 / m * np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = X @ (A - Y).T
    db = np.sum(A - Y) / m
    cost = np.squeeze(cost)
    grads = {"dw": dw, "db": db}
    return grads, cost


def cost_of(w, b, X, Y):
    return propagate(w, b, X, Y)[1]


def gradients_of(w, b, X, Y):
    return propagate(w, b, X, Y)[0]


def test_what_gives_the_loss_and_the_gradients_is_right_as_far_as_the_loss_goes():
    inputs = {"w": rng.normal(size=(3, 1)), "b": np.array([[0.3]]), "X": rng.normal(size=(3, 5)), "Y": rng.integers(0, 2, (1, 5)) * 1.0}
    source, fix = blamed(cost_of, gradients_of, inputs, wrt=["w", "b"])
    assert source == "dw = X @ (A - Y).T"
    assert "/" in fix
