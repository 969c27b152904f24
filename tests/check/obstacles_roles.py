"""What is a gradient of what, and who is who: names, pairings, upstream gradients and caches."""

# ruff: noqa: RUF059  what people leave unused they leave unused

from __future__ import annotations

import numpy as np
from obstacles import Cases
from obstacles_nets import bce, net, small, two_layer

__all__ = ["CASES"]

rng = np.random.default_rng(0)
N = rng.normal
CASES = Cases()
case = CASES.add

# --- what is a gradient of what --------------------------------------------------------------------


def attention(X, Wq, Wk, Wv, T):
    Q, K, V = X @ Wq, X @ Wk, X @ Wv
    S = Q @ K.T / 2
    E = np.exp(S - S.max(axis=1, keepdims=True))
    A = E / E.sum(axis=1, keepdims=True)
    return 0.5 * np.sum((A @ V - T) ** 2)


def attention_expressions(X, Wq, Wk, Wv, T, Q, K, V, A):
    dO = A @ V - T
    dV, dA = A.T @ dO, dO @ V.T
    dS = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    dQ, dK = dS @ K / 2, dS.T @ Q / 2
    return X.T @ dQ, X.T @ dK, X.T @ dV


def attention_list(X, Wq, Wk, Wv, T, Q, K, V, A):
    a, b, c = attention_expressions(X, Wq, Wk, Wv, T, Q, K, V, A)
    grads = [a, b, c]
    return grads


square = {"X": N(size=(4, 4)), "Wq": N(size=(4, 4)), "Wk": N(size=(4, 4)), "Wv": N(size=(4, 4)), "T": N(size=(4, 4))}
case("unnamed results, square matrices", attention, attention_expressions, square, "pass")
case("a list called grads", attention, attention_list, square, "pass")


def intermediate(W, X, Y, A):
    m = X.shape[1]
    dZ = A - Y
    dW = dZ @ X.T / m
    return {"dZ": dZ, "dW": dW}


case("a returned intermediate without 1/m", bce, intermediate, small, "pass")
case("the same with wrt", bce, intermediate, small, "pass", wrt=["W"])


def keys_at_run_time(W, X, Y, A):
    g = {}
    for layer in (1,):
        g["dA" + str(layer - 1)] = W.T @ (A - Y)
        g["dW"] = (A - Y) @ X.T / X.shape[1]
    return g


case("an entry that pairs with nothing", bce, keys_at_run_time, small, "pass", says="dA0")
case("an entry that pairs with nothing, wrt", bce, keys_at_run_time, small, "pass", wrt=["W"])


def also_the_loss(W, X, Y, A):
    dW = (A - Y) @ X.T / X.shape[1]
    return {"dW": dW, "loss": 3.0}


case("the loss is returned beside the gradients", bce, also_the_loss, small, "pass")


def nielsen(W, X, Y, A):
    nabla_W = (A - Y) @ X.T / X.shape[1]
    return nabla_W


case("nabla_W", bce, nielsen, small, "pass")


def both(w, X, Y):
    A = 1 / (1 + np.exp(-(w.T @ X)))
    cost = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    dw = X @ (A - Y).T / X.shape[1]
    return {"dw": dw}, cost


case("loss and gradient in one function", both, both, {"w": N(size=(3, 1)), "X": small["X"], "Y": small["Y"]}, "pass")


def flat(W1, b1, W2, b2, X, Y, A1, A2):
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    return np.concatenate([(dZ1 @ X.T).ravel(), dZ1.sum(axis=1), (dZ2 @ A1.T).ravel(), dZ2.sum(axis=1)])


case("one flat vector in the order of the inputs", two_layer, flat, net, "pass")

# --- who is who in layer style ---------------------------------------------------------------------


def relu(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx


def relu_wrong(dout, cache):
    x = cache
    dx = dout * x
    return dx


def gate(x):
    out = 1 / (1 + np.exp(-x))
    return out, x


def gate_backward(dA, cache):
    Z = cache
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ


case("the cache is an array", relu, relu_backward, {"x": N(size=(2, 3))}, "pass")
case("the cache is an array, wrong", relu, relu_wrong, {"x": N(size=(2, 3))}, "fail", at="dout * x")
case("the cache is an array, without a name", gate, gate_backward, {"x": N(size=(2, 3))}, "pass")


def cell(x, W, V):
    h = np.tanh(W @ x)
    y = V @ h
    return h, y, (x, W, h)


def cell_backward(dh, cache):
    x, W, h = cache
    dW = ((1 - h * h) * dh) @ x.T
    return dW


case("an output that backward ignores", cell, cell_backward, {"x": N(size=(3, 4)), "W": N(size=(2, 3)), "V": N(size=(2, 2))}, "pass")


def tanh(X):
    return np.tanh(X)


def upstream_top_diff(X, top_diff):
    return (1 - np.tanh(X) ** 2) * top_diff


def upstream_dldy(X, dLdy):
    return (1 - np.tanh(X) ** 2) * dLdy


def upstream_accum_grad(X, accum_grad):
    return (1 - np.tanh(X) ** 2) * accum_grad


def upstream_d_l_d_out(X, d_L_d_out):
    return (1 - np.tanh(X) ** 2) * d_L_d_out


def upstream_error_signal(X, error_signal):
    return (1 - np.tanh(X) ** 2) * error_signal


for function in (upstream_top_diff, upstream_dldy, upstream_accum_grad, upstream_d_l_d_out, upstream_error_signal):
    case(f"upstream called {function.__code__.co_varnames[1]}", tanh, function, {"X": N(size=(2, 3))}, "pass")


def derivative(x):
    return 1 - np.tanh(x) ** 2


case("an activation and its derivative, no upstream", lambda x: np.tanh(x), derivative, {"x": N(size=(2, 3))}, "pass", says="ones|upstream")


def affine_out(W, X):
    A = W @ X
    return A, {"A": A}


def mse(AL, Y, eps=0.0):
    return np.mean((AL - Y + eps) ** 2)


def mse_backward(W, X, A, Y):
    dW = 2 * (A - Y) @ X.T / A.size
    return dW


case("a default of the loss stays", affine_out, mse_backward, small, "pass", loss=mse)


def halved(W, X, Y):
    eps = 0.5
    return np.sum((W @ X - Y) ** 2) * eps


def halved_backward(W, X, Y, eps=1e-12):
    dW = 2 * (W @ X - Y) @ X.T * eps
    return dW


case("a default of backward stays", halved, halved_backward, small, "fail")


def as_float(A, Y):
    cost = np.squeeze(np.mean((A - Y) ** 2))
    assert isinstance(cost, float)
    return cost


case("isinstance(cost, float)", lambda W, X: W @ X, lambda W, X, Y: {"dW": 2 * (W @ X - Y) @ X.T / Y.size}, small, "pass", loss=as_float)


def with_eps(Z, y):
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(len(y)), y] + 1e-7))


def with_eps_backward(Z, y, P):
    dZ = P.copy()
    dZ[np.arange(len(y)), y] -= 1
    dZ /= len(y)
    return dZ


case("log(p + 1e-7)", with_eps, with_eps_backward, {"Z": N(size=(5, 4)), "y": rng.integers(0, 4, 5)}, "pass", says="1e-0?7")


def dropout(x):
    mask = np.random.rand(*x.shape) < 0.5  # noqa: NPY002  the old way is the point
    return x * mask, mask


case("dropout without a seed", dropout, lambda dout, mask: {"dx": dout * mask}, {"x": N(size=(4, 5))}, "pass")
case(
    "Python floats are drawn too",
    lambda x, theta: theta * x,
    lambda x, theta: {"dtheta": theta},
    {"x": 2.0, "theta": 4.0},
    "fail",
    kinds={"wrong-point"},
)
