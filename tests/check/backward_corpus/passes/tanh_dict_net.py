"""Activations and their derivatives as lambdas in dicts; the derivatives are of the activation's value."""

import numpy as np

ACT = {"tanh": lambda z: np.tanh(z), "sigmoid": lambda z: 1 / (1 + np.exp(-z)), "linear": lambda z: z}
DERIV = {"tanh": lambda a: 1 - a * a, "sigmoid": lambda a: a * (1 - a), "linear": lambda a: 1.0}
KINDS = ["tanh", "sigmoid", "linear"]


def forward(X, Y, Ws, bs):
    acts = [X]
    for W, b, kind in zip(Ws, bs, KINDS, strict=True):
        acts.append(ACT[kind](acts[-1] @ W + b))
    cost = np.sum((acts[-1] - Y) ** 2) / (2 * len(X))
    return cost, acts


def delta_back(delta, W, a, kind):
    err = delta @ W.T
    return err * DERIV[kind](a)


def backward(X, Y, Ws, acts):
    n = len(X)
    delta = (acts[-1] - Y) * DERIV[KINDS[-1]](acts[-1]) / n
    grad_W, grad_b = [], []
    for k in range(len(Ws) - 1, -1, -1):
        grad_W.insert(0, acts[k].T @ delta)
        grad_b.insert(0, delta.sum(axis=0))
        if k > 0:
            delta = delta_back(delta, Ws[k], acts[k], KINDS[k - 1])
    return grad_W, grad_b


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    sizes = [3, 4, 4, 2]
    return {
        "X": rng.normal(size=(6, 3)),
        "Y": rng.normal(size=(6, 2)),
        "Ws": [rng.normal(size=(n, k)) for n, k in zip(sizes, sizes[1:], strict=False)],
        "bs": [rng.normal(size=k) for k in sizes[1:]],
    }


GRADIENTS = {"grad_W": "Ws", "grad_b": "bs"}

# ruff: noqa: E501, RUF007
# fmt: off
MUTANTS = {
    "n-of-features": ("n = len(X)", "n = X.shape[1]", "scale", "the number of features", "delta = (acts[-1]"),
    "no-n": (" / n", "", "scale missing-factor", "1/n is missing"),
    "reversed": ("(acts[-1] - Y)", "(Y - acts[-1])", "sign", "the residual is reversed"),
    "other-kind": ("DERIV[KINDS[-1]](acts[-1])", "DERIV[KINDS[-2]](acts[-1])", "wrong-point extra-factor", "the derivative of another activation"),
    "kind-shifted": ("acts[k], KINDS[k - 1])", "acts[k], KINDS[k])", "wrong-point extra-factor missing-factor", "the activation of the layer above"),
    "act-shifted": ("Ws[k], acts[k], KINDS", "Ws[k], acts[k + 1] if k == 1 else acts[k], KINDS", "wrong-point", "the value of the layer above"),
    "gradW-append": ("grad_W.insert(0, acts[k].T @ delta)", "grad_W.append(acts[k].T @ delta)", "wrong-point shape transpose", "in the order of the loop", "return grad_W"),
    "gradW-above": ("acts[k].T @ delta", "acts[k].T @ (delta > 0)", "wrong-point", "the sign of delta for delta"),
    "gradb-mean": ("delta.sum(axis=0)", "delta.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "gradb-keep": ("delta.sum(axis=0)", "delta.sum(axis=0, keepdims=True)", "shape wrong-reduction", "(1, n) for (n,)"),
    "loop-bound": ("range(len(Ws) - 1, -1, -1)", "range(len(Ws) - 1, 0, -1)", "not-returned missing-term shape wrong-point", "the first layer is left out", "return grad_W", "grad_W.insert", "grad_b.insert"),
    "no-derivative": ("return err * DERIV[kind](a)", "return err", "missing-factor", "the activation's derivative is missing"),
    "derivative-of-err": ("DERIV[kind](a)", "DERIV[kind](err)", "wrong-point", "at the error for at the value"),
    "value-for-derivative": ("DERIV[kind](a)", "ACT[kind](a)", "wrong-point missing-factor", "the activation for its derivative"),
    "halved": ("err = delta @ W.T", "err = 0.5 * delta @ W.T", "scale extra-factor", "a half too much"),
    "untransposed": ("err = delta @ W.T", "err = delta @ (W if W.shape[0] == W.shape[1] else W.T)", "transpose", "the square W is not transposed"),
    "derivative-sum": ("err * DERIV[kind](a)", "err + DERIV[kind](a)", "wrong-point extra-term missing-factor", "+ for *"),
    "gradW-decay": ("acts[k].T @ delta", "acts[k].T @ delta + 0.1 * Ws[k]", "extra-term", "a weight decay that the cost has not"),
}

INSIDE = dict.fromkeys(("no-derivative", "derivative-of-err", "value-for-derivative", "halved", "untransposed", "derivative-sum"), "delta_back")

DOUBLES = [("no-n", "no-derivative"), ("reversed", "gradb-mean"), ("kind-shifted", "gradb-keep"), ("other-kind", "untransposed"), ("n-of-features", "value-for-derivative")]
# fmt: on
