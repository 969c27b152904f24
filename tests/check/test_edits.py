"""Each mistake of a line is undone by some edit of it, which names it and is written as the line was."""

from __future__ import annotations

import ast
import copy
import types
from typing import Any

import numpy as np
import pytest

from autograd_np.check.explain.edits.catalogue import Edit, edits_of
from autograd_np.check.explain.edits.edit import Hints
from autograd_np.check.explain.edits.hints import hints_of
from autograd_np.check.explain.edits.rewrite import rewritten
from autograd_np.check.watch.interpret import CannotEvaluate, execute


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def relu_forward(z):
    return np.maximum(z, 0)


def relu_backward(dA, cache):
    return dA * (cache > 0)


def scope() -> dict[str, Any]:
    """What the lines of many backward passes name; every size is another."""
    rng = np.random.default_rng(3)
    m, d, h, k, steps = 7, 5, 4, 3, 6

    def n(*shape):
        return rng.normal(size=shape)

    layer = types.SimpleNamespace(W=n(h, k), V=n(h, k), x=n(m, h), out=n(m, h), params={"W1": n(d, h), "W2": n(h, k)})
    return {
        "np": np, "sigmoid": sigmoid, "sigmoid_prime": sigmoid_prime, "relu_forward": relu_forward, "relu_backward": relu_backward, "self": layer,
        "X": n(m, d), "Y": n(m, k), "W1": n(d, h), "W2": n(h, k), "S": n(h, h), "b1": n(h), "x": n(m, h), "s": n(m, 1) + 3,
        "Z1": n(m, h), "A1": np.tanh(n(m, h)), "A2": sigmoid(n(m, k)), "dA1": n(m, h), "dZ1": n(m, h), "dZ2": n(m, k), "dW2": n(h, k),
        "m": m, "lam": 0.3, "reg": 0.07, "eps": 0.01, "pad": 1, "mask": n(m, h) > 0, "c": n(k), "g": n(k),
        "hs": [n(h, 1) for _ in range(9)], "xs": [n(h, 1) for _ in range(9)], "dh": n(h, 1), "dnext": n(h, 1), "t": 3, "T": steps, "l": 2, "j": 1,
        "cache": {"A1": n(m, h), "A2": n(m, k), "Z1": n(m, h), "W1": n(d, h), "W2": n(h, k)},
        "grads": {"dW1": n(d, h), "dW2": n(h, k), "dW3": n(h, k)},
        "dout": n(m, steps, h), "dx": n(m, steps, h), "x_pad": n(2, 3, 8, 8), "Q": n(2, 3, 4, 5), "K": n(2, 3, 8, 5),
        "probs": rng.random((m, k)), "y": rng.integers(0, k, size=m),
    }  # fmt: skip


SIZES = {"m": 7.0, "2": 2.0, "lam": 0.3, "reg": 0.07, "T": 6.0}
HINTS = Hints(("np.tanh", "np.dot", "sigmoid", "relu_forward", "np.exp"), ("lam * W2",), ("np.arange(m), y",), (0.1,))


def edits(statement: str | ast.stmt, target: str, env: dict[str, Any]) -> list[Edit]:
    tree = ast.parse(statement).body[0] if isinstance(statement, str) else statement
    arrays = {k: v for k, v in env.items() if isinstance(v, np.ndarray)}
    return list(edits_of(tree, target, env, arrays, SIZES, hints=HINTS))


def target_of(statement: ast.stmt) -> str:
    while hasattr(statement, "body"):
        statement = statement.body[0]
    place = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
    while isinstance(place, ast.Subscript) and not isinstance(place.slice, (ast.BinOp, ast.Constant)):
        place = place.value
    return ast.unparse(place)


def undone(wrong: str, right: str, target: str | None = None) -> tuple[Edit, str | None]:
    """Return the first edit of a wrong statement that gives the right value, and the line with it."""
    statement, env = ast.parse(wrong).body[0], scope()
    target = target or target_of(statement)
    wanted = execute(ast.parse(right).body, env, target)
    for edit in edits(statement, target, env):
        try:
            value = execute(edit.body, env, target)
        except CannotEvaluate:
            continue
        if np.shape(value) == np.shape(wanted) and np.allclose(value, wanted, rtol=1e-9):
            return edit, rewritten(dict(enumerate(wrong.split("\n"), 1)), statement, edit.body)
    raise AssertionError(f"no edit of {wrong!r} gives {right!r}")


# ruff: noqa: E501
MISTAKES = [
    # signs and scales
    ("dZ2 = Y - A2", "dZ2 = A2 - Y", "sign", "it should be `A2 - Y`"),
    ("dW = X.T @ dZ1", "dW = -(X.T @ dZ1)", "sign", "the sign of `dW` is wrong"),
    ("u = -dA1*x", "u = dA1*x", "sign", "the sign"),
    ("dW2 -= A1.T @ dZ2", "dW2 += A1.T @ dZ2", "sign", "use `+=`"),
    ("u = x*(A1 - Z1)", "u = x*(Z1 - A1)", "sign", "the sign"),
    ("u = np.exp(x) * dA1", "u = np.exp(-x) * dA1", "sign", "the sign of `x`"),
    ("dW = np.dot(X.T,dZ1)", "dW = np.dot(X.T,dZ1) / m", "scale", "divide by m (= 7)"),
    ("dW = np.dot(X.T,dZ1)/m", "dW = np.dot(X.T,dZ1)", "scale", "the division by `m` does not belong"),
    ("dZ = 2 * (A2 - Y)", "dZ = A2 - Y", "scale", "the factor `2` does not belong"),
    ("dZ = (A2 - Y)", "dZ = 2 * (A2 - Y)", "scale", "a factor 2 is missing"),
    ("dW2 /= m", "dW2 *= m", "scale", "should be multiplied by `m`"),
    # targets
    ("dW2 = A1.T @ dZ2", "dW2 += A1.T @ dZ2", "missing-term", "use `+=`"),
    ("dW2 += A1.T @ dZ2", "dW2 = A1.T @ dZ2", "double-count", "use `=`"),
    ("dx[:, t-1] = dout[:, t]", "dx[:, t] = dout[:, t]", "wrong-point", "`t - 1` in `dx` should be `t`"),
    ("dx[:, :-1] += dout[:, :-1]", "dx[:, 1:] += dout[:, :-1]", "wrong-point", "`:-1` in `dx` should be `1:`"),
    ("probs[np.arange(m), y] += 1", "probs[np.arange(m), y] -= 1", "sign", "use `-=`"),
    ("probs[:, y] -= 1", "probs[np.arange(m), y] -= 1", "wrong-point", "should be `probs[np.arange(m), y]`"),
    ('grads["dW" + str(l)] = W2 * 2', 'grads["dW" + str(l + 1)] = W2 * 2', "wrong-point", "`l` in `grads['dW3']` should be `l + 1`", "grads['dW3']"),
    # indices
    ("dx[:, t] = dout[:, t-1]", "dx[:, t] = dout[:, t]", "wrong-point", "should be `t`"),
    ("u = hs[t] * dh", "u = hs[t - 1] * dh", "wrong-point", "should be `t - 1`"),
    ("u = hs[t] * dh", "u = xs[t] * dh", "wrong-point", "should be `xs[t]`"),
    ("u = hs[-l] * dh", "u = hs[-l - 1] * dh", "wrong-point", "should be `-l - 1`"),
    ("u = x_pad[:, :, :6, :6]", "u = x_pad[:, :, pad:pad + 6, pad:pad + 6]", "wrong-point", "should be `x_pad[:, :, pad:pad + 6, pad:pad + 6]`"),
    ("u = x_pad", "u = x_pad[..., pad:-pad, pad:-pad]", "shape", "the padding of `x_pad` is not cut off"),
    ("u = dout[:, :, ::-1]", "u = dout", "wrong-point", "should be `dout`"),
    ("u = dout", "u = dout[:, ::-1]", "wrong-point", "should be read backwards"),
    ("u = x[:3].T @ Z1[4:]", "u = x[4:].T @ Z1[:3]", "wrong-point", "the slices of `x[:3]` and `Z1[4:]` in `u` are exchanged"),
    ("S[j] = dA1[j] - x[t]", "S[:, j] = dA1[j] - x[t]", "wrong-point", "should be `S[:, j]`"),
    # sizes, loops, conditions
    ("n = X.shape[1]", "n = X.shape[0]", "scale", "`X.shape[1]` (= 5) in `n` should be `X.shape[0]` (= 7)"),
    ("n = X.shape[0]-1", "n = X.shape[0]", "scale", "(= 6) in `n` should be `X.shape[0]` (= 7)"),
    ("dW = X.T @ dZ1 / X.shape[1]", "dW = X.T @ dZ1 / X.shape[0]", "scale", "should be `X.shape[0]`"),
    ("dW = X.T @ dZ1 / T", "dW = X.T @ dZ1 / m", "scale", "should be `m` (= 7)"),
    ("for i in range(T-1):\n    dx[:, i] += dout[:, i]", "for i in range(T):\n    dx[:, i] += dout[:, i]", "missing-term", "should be `T`"),
    ("for i in range(1, T):\n    dx[:, i] += dout[:, i]", "for i in range(T):\n    dx[:, i] += dout[:, i]", "missing-term", "`range(T)`"),
    ("for i in range(T):\n    dh = dh*hs[i] + 1", "for i in reversed(range(T)):\n    dh = dh*hs[i] + 1", "wrong-point", "the other way"),
    ("if t > 3:\n    dh = dh + dnext", "if t >= 3:\n    dh = dh + dnext", "missing-term", "should be `t >= 3`"),
    ("if 0 < t < 3:\n    dh *= 2", "if 0 < t <= 3:\n    dh *= 2", "missing-factor", "should be `0 < t <= 3`"),
    # products of matrices
    ("dA = dZ2 @ W2", "dA = dZ2 @ W2.T", "transpose", "`W2` should be transposed"),
    ("u = x @ W2.T + dA1 @ W2", "u = x @ W2 + dA1 @ W2", "transpose", "`W2.T` should be `W2`"),
    ("dA = np.dot(W2,dZ2)", "dA = np.dot(dZ2,W2.T)", "transpose", "wrong order, and `W2` should be transposed"),
    ("dW = dZ1.T.dot(X)", "dW = X.T.dot(dZ1)", "transpose", "should be transposed"),
    ("dA = np.matmul( dZ2 , W2 )", "dA = np.matmul( dZ2 , W2.T )", "transpose", "`W2` should be transposed"),
    ("u = c * g", "u = np.outer(c, g)", "wrong-reduction", "needs the outer product"),
    ("u = np.outer(c, g)", "u = c @ g", "wrong-reduction", "needs their sum"),
    ("u = S * S", "u = S @ S", "wrong-reduction", "needs the product of matrices"),
    ("u = S @ S", "u = S * S", "wrong-reduction", "the product is elementwise"),
    ("dA = dZ2", "dA = dZ2 @ W2.T", "missing-factor", "the matrix factor `W2.T` is missing behind `dZ2`"),
    ("dA = dZ2 @ W2.T @ S", "dA = dZ2 @ W2.T", "extra-factor", "the matrix factor `S` does not belong"),
    ('u = np.einsum("ij,jk->ik", X, W1)', 'u = np.einsum("ij,jk->ki", X, W1)', "transpose", "should be `ij,jk->ki`"),
    ("u = np.einsum('abij,abkj->abki', Q, K)", "u = np.einsum('abij,abkj->abik', Q, K)", "transpose", "should be `abij,abkj->abik`"),
    ("u = np.einsum('bhtd,bhsd->bht', Q, K)", "u = np.einsum('bhtd,bhsd->bhs', Q, K)", "wrong-reduction", "should be `bhtd,bhsd->bhs`"),
    ("u = W2.T @ X.T", "u = W1.T @ X.T", "wrong-point", "should be `W1`"),
    # terms
    ("dW2 = A1.T @ dZ2 / m", "dW2 = A1.T @ dZ2 / m + lam * W2", "missing-term", "`+ lam * W2` is missing in `dW2`"),
    ("dW2 = A1.T@dZ2/m + lam", "dW2 = A1.T@dZ2/m + lam*W2", "missing-factor", "`lam` lacks the factor `W2`"),
    ("u = A1.T @ dZ2 + reg * W2", "u = A1.T @ dZ2 + lam * W2", "wrong-point", "should be `lam`"),
    ("u = A1.T @ dZ2 + 2 * lam * W2", "u = A1.T @ dZ2 + lam * W2", "double-count", "the factor `2` does not belong"),
    ("u = A1.T @ dZ2 - lam * W2", "u = A1.T @ dZ2 + lam * W2", "sign", "the sign of `lam * W2`"),
    ("u = A1.T @ dZ2 + lam * W2", "u = A1.T @ dZ2", "extra-term", "`+ lam * W2` does not belong"),
    ("u = (1 - hs[t]**2) * dh", "u = (1 - hs[t]**2) * (dh + dnext)", "missing-term", "`+ dnext` is missing in `u` after `dh`"),
    ("u = dA1 @ W1.T", "u = dA1 @ W1.T + dZ1 @ W1.T", "missing-term", "is missing in `u`"),
    ("u = dA1", "u = dA1 - np.mean(dA1, axis=0, keepdims=True)", "missing-term", "`- np.mean(dA1, axis=0, keepdims=True)` is missing"),
    # factors and local derivatives
    ("dZ = dA1", "dZ = dA1 * (1 - A1**2)", "missing-factor", "the factor `(1 - A1**2)` is missing in `dZ`"),
    ("dZ = dA1 * (1 - A1)", "dZ = dA1 * (1 - A1**2)", "missing-factor", "`A1` in `dZ` should be squared"),
    ("dZ = dA1 * (1 - A1)", "dZ = dA1 * (A1 * (1 - A1))", "missing-factor", "lacks the factor `A1`"),
    ("dZ = dA1 * A1", "dZ = dA1 * A1 * (1 - A1)", "missing-factor", "the factor `(1 - A1)` is missing in `dZ`"),
    ("dZ = dA1*A1*(1 - A1)", "dZ = dA1*(1 - A1**2)", "missing-factor", "the derivative of the wrong activation in `dZ`: `(1 - A1**2)` is missing"),
    ("dZ = dA1 * A1 * (1 - A1)", "dZ = dA1", "extra-factor", "the derivative of an activation does not belong"),
    ("dZ = dA1 * (1 - Z1**2)", "dZ = dA1 * (1 - A1**2)", "wrong-point", "uses `Z1`, should be `A1`"),
    ("dZ = dA1", "dZ = dA1 * sigmoid_prime(Z1)", "missing-factor", "the factor `sigmoid_prime(Z1)` is missing"),
    ("dZ = dA1 * sigmoid(Z1)", "dZ = dA1 * sigmoid_prime(Z1)", "wrong-point", "should call `sigmoid_prime`"),
    ("dZ = dA1 * sigmoid_prime(A1)", "dZ = dA1 * sigmoid_prime(Z1)", "wrong-point", "should be `Z1`"),
    ("u = dA1 / s", "u = dA1 / s**2", "missing-factor", "should be by its square"),
    ("u = dA1 * s", "u = dA1 / s", "extra-factor", "should be divided"),
    ("u = x**2 * dA1", "u = x * dA1", "extra-factor", "the power `2` of `x` does not belong"),
    ("u = 3 * x**3 * dA1", "u = 3 * x**2 * dA1", "extra-factor", "the constant 3 in `u` should be 2"),
    ("u = np.sin(x) * dA1", "u = np.cos(x) * dA1", "wrong-point", "should call `np.cos`"),
    ("u = x - A1 * Z1", "u = (x - A1) * Z1", "missing-factor", "brackets are missing"),
    ("u = (x - A1) * Z1", "u = x - A1 * Z1", "extra-factor", "`Z1` belongs to `A1` only"),
    # masks
    ("dZ = dA1*(Z1 < 0)", "dZ = dA1*(Z1 > 0)", "wrong-point", "should be `Z1 > 0`"),
    ("dZ = dA1 * (dA1 > 0)", "dZ = dA1 * (Z1 > 0)", "wrong-point", "should be `Z1`"),
    ("dZ = dA1 * mask", "dZ = dA1 * ~mask", "wrong-point", "should be inverted"),
    ("dZ = dA1", "dZ = dA1 * (Z1 > 0)", "missing-factor", "the factor `(Z1 > 0)` is missing"),
    ("dZ = dA1 * Z1", "dZ = dA1 * (Z1 > 0)", "wrong-point", "by the mask `(Z1 > 0)`"),
    ("dZ1[x < 0] = 0", "dZ1[x > 0] = 0", "wrong-point", "should be `x > 0`"),
    # reductions and shapes
    ("db = dZ1", "db = np.sum(dZ1, axis=0)", "wrong-reduction", "should be summed over axis 0"),
    ("db = dZ1.sum(axis=1)", "db = dZ1.sum(axis=0)", "wrong-reduction", "it needs that over axis 0"),
    ("db = np.sum(dZ1)", "db = np.sum(dZ1, axis=0)", "wrong-reduction", "it needs that over axis 0"),
    ("db = np.mean(dZ1, 0)", "db = np.sum(dZ1, 0)", "wrong-reduction", "where it should take the sum"),
    ("db = np.sum(dZ1, axis=0)", "db = np.sum(dZ1, axis=0, keepdims=True)", "shape", "keepdims=True"),
    ("db = np.sum( dZ1,axis = 0,keepdims = True )", "db = np.sum( dZ1,axis = 0 )", "shape", "should not keep"),
    ("u = x * y", "u = x * y[:, None]", "shape", "lacks an axis: `y[:, None]`"),
    # names, attributes, entries
    ("self.dW = self.x.T @ self.out @ self.W", "self.dW = self.x.T @ self.out @ self.V", "wrong-point", "should be `self.V`"),
    ("u = cache['A1'] * dA1", "u = cache['Z1'] * dA1", "wrong-point", "should be `cache['Z1']`"),
    ("u = eps * A1", "u = lam * A1", "wrong-point", "should be `lam`"),
    ("u = dA1.T @ A1 + dA1.T @ Z1", "u = dZ1.T @ A1 + dZ1.T @ Z1", "wrong-point", "should be `dZ1`"),
    ("u = dA1 * A1 - dZ1 * Z1", "u = dA1 * Z1 - dZ1 * A1", "wrong-point", "`A1` and `Z1` are exchanged"),
    ("v, u = self.params.values()", "u, v = self.params.values()", "wrong-point", "`v` and `u` are unpacked in the wrong order", "v"),
    ("u = np.where(mask, x, dA1)", "u = np.where(mask, dA1, x)", "wrong-point", "inverted"),
    ("u = np.hstack([dA1, x])", "u = np.hstack([x, dA1])", "wrong-point", "are exchanged"),
    ("dZ = relu_backward(Z1, dA1)", "dZ = relu_backward(dA1, Z1)", "wrong-point", "are exchanged"),
    ("dZ = dA1", "dZ = relu_backward(dA1, x) * 1.0", "missing-factor", "is missing"),
    ("u = Q * c.mean()", "u = Q * c[:, None, None]", "wrong-reduction", "the mean over `c` does not belong in `u`: it should be `c[:, None, None]`"),
    ("dZ = np.multiply(dA1, Z1)", "dZ = np.multiply(dA1, Z1 > 0)", "wrong-point", "should be by the mask `(Z1 > 0)`"),
    ("u = (dA1 > 0).T @ x", "u = dA1.T @ x", "wrong-point", "uses the sign of `dA1`, should be `dA1` itself"),
    # several results side by side
    ("u, v = X.T, dA1 @ S", "u, v = X.T, dA1 @ S + x", "missing-term", "`+ x` is missing", "v"),
    ("u, v = dA1 @ S, X.T", "u, v = (dA1 @ S) * mask, X.T", "missing-factor", "the factor `mask` is missing", "u"),
    ("u = dA1 @ self.W", "u = dA1 @ self.W + dZ1 @ self.V", "missing-term", "`+ dZ1 @ self.V` is missing"),
    ("u = dZ1 * A1", "u = dZ1 * A1 + dA1 @ S.T", "missing-term", "`+ (dA1) @ (S.T)` is missing"),
    ("u = X", "u = X + dZ1 @ W1.T", "missing-term", "`+ (dZ1) @ (W1.T)` is missing"),
    ("dx[0, t] += 1.0 * np.exp(x_pad[0, 0, t, j] + dout[0, l])", "dx[0, t] += dx[0, l] * np.exp(x_pad[0, 0, t, j] + dout[0, l])", "missing-factor", "the factor 1 in `dx` should be `dx[0, l]`"),
    ("u = np.einsum('bcd,bce->de', Q[:, :2, :, 0], K[:, :2, :4, 0])", "u = np.einsum('bcd,bce->de', Q[..., 0], K[:, :, :4, 0])", "missing-term", "lacks a part"),
    # what stands in calls and indices, and what calls only arrange
    ("u = A1.sum(axis=0)[:3]", "u = A1.sum(axis=1)", "wrong-reduction", "the index `[:3]` does not belong there"),
    ("u = x * np.diag(S)", "u = x @ S", "wrong-reduction", "takes the diagonal where it needs the product of matrices"),
    ("u = S.diagonal() * x", "u = x @ S.T", "wrong-reduction", "takes the diagonal"),
    ("u = dout.reshape(m, T * 4)", "u = dout.reshape(m, T * 4, order='F')", "transpose", "in the order of columns"),
    ("u = dout.reshape(m, T * 4, order='F')", "u = dout.reshape(m, T * 4)", "transpose", "without `order='F'`"),
    ("u = x.reshape(4, 7)", "u = x.T", "transpose", "should be a transpose, which moves elements: `(x).T`"),
    ("u = x_pad.reshape(6, 64)", "u = x_pad.transpose(1, 0, 2, 3).reshape(6, 64)", "transpose", "should be transposed before it is reshaped"),
    ("u = np.concatenate([S, S], axis=0)", "u = np.concatenate([S, S], axis=1)", "wrong-reduction", "works along axis 0, should along axis 1"),
    ("u = np.tile(c, m)", "u = np.repeat(c, m)", "wrong-point", "should call `np.repeat`"),
    ("dZ1[np.arange(m), l] -= x[np.arange(m), l]", "dZ1[np.arange(m), l] -= 1", "wrong-point", "gets should be 1, not `x["),
    ("dZ1[mask] = x[mask]", "dZ1[mask] = 0", "wrong-point", "gets should be 0"),
    ("u = np.maximum(x, 0).copy()", "u = (np.maximum(x, 0) > 0) * 1.0", "wrong-point", "should count them"),
    ("u = sum([g * x for k, g in enumerate([A1, dA1, Z1])])", "u = sum([g * x if k != l else g for k, g in enumerate([A1, dA1, Z1])])", "extra-factor", "`g * x` in `u` should be `g` where `k` is `l`"),
    ("u = sum([g for k, g in enumerate([A1, dA1, Z1]) if k == 1])", "u = sum([g for k, g in enumerate([A1, dA1, Z1]) if k != 1])", "wrong-point", "should be `k != 1`"),
    ("u = sum([g for k, g in enumerate([A1, dA1, Z1]) if k == 1])", "u = sum([g for k, g in enumerate([A1, dA1, Z1])])", "missing-term", "leaves something out"),
    # statements
    ("d = probs.copy()", "d = probs.copy()\nd[np.arange(m), y] -= 1", "missing-term", "`d[np.arange(m), y] -= 1` is missing after this line"),
    ("dW2 += A1.T @ dZ2", "dW2 += A1.T @ dZ2\ndW2 /= m", "scale", "`dW2 /= m` is missing after this line"),
    ("dZ1 *= x", "", "extra-factor", "does not belong here"),
    ("W2 = W2 - 0.1 * dW2", "", "stale-value", "is changed here before it is used"),
    # two at once
    ("u = np.dot(A1,X)/T", "u = np.dot(A1.T,X)/m", "scale", "; and "),
    ("u = A1.dot(dZ1)", "u = -A1.T.dot(dZ1)", "transpose", "the sign of `u` is wrong; and"),
]  # fmt: skip


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: row[0].replace("\n", " "))
def test_an_edit_undoes_the_mistake_and_names_it(row):
    wrong, right, kind, words, *target = row
    edit, text = undone(wrong, right, *target)
    assert (edit.kind, words in edit.message) == (kind, True), (edit.kind, edit.message)
    assert text is not None
    env, at = scope(), target[0] if target else target_of(ast.parse(wrong).body[0])
    assert np.allclose(execute(ast.parse(text).body, env, at), execute(ast.parse(right).body, env, at))


@pytest.mark.parametrize("row", MISTAKES, ids=lambda row: row[0].replace("\n", " "))
def test_the_corrected_line_is_as_short_as_the_right_one(row):
    wrong, right, _, _, *target = row
    _, text = undone(wrong, right, *target)
    assert len(text) <= len(right) + 16


def data(value: Any) -> Any:
    return copy.deepcopy({k: v for k, v in value.items() if not callable(v) and not isinstance(v, types.ModuleType)})


def same(a: Any, b: Any) -> bool:
    if isinstance(a, types.SimpleNamespace):
        return same(vars(a), vars(b))
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(np.array_equal(a, b))


@pytest.mark.parametrize("text", dict.fromkeys(row[0] for row in MISTAKES), ids=lambda text: text.replace("\n", " "))
def test_enumerating_and_trying_changes_nothing_and_every_edit_is_another_statement(text):
    statement, env = ast.parse(text).body[0], scope()
    before, written = data(env), ast.dump(statement, include_attributes=True)
    found = edits(statement, target_of(statement), env)
    assert 0 < len(found) <= 4000
    assert [e.rank for e in found] == sorted(e.rank for e in found)
    for edit in found[::3]:
        body = edit.body
        assert "\n".join(map(ast.unparse, body)) != ast.unparse(statement), edit
        compile(ast.Module(body, []), "<edit>", "exec")
    for edit in found[::21]:
        try:
            execute(edit.body, env, "u")
        except CannotEvaluate:
            continue
    assert ast.dump(statement, include_attributes=True) == written
    assert same(data(env), before)


def test_a_sum_that_nothing_was_added_to_is_no_candidate():
    env = {**scope(), "dW": np.zeros((4, 3)), "H": np.zeros((4, 3))}
    texts = {text for edit in edits("u = dW2 + 2 * lam * W2", "u", env) for _, text in edit.changes}
    assert "H" in texts  # a state may be zero at the beginning
    assert "dW" not in texts


def test_simple_edits_come_before_pairs_and_inserted_ones():
    found = edits("dZ = np.dot(dA1, W1)", "dZ", scope())
    first = {}
    for i, edit in enumerate(found):
        first.setdefault(edit.kind, i)
    assert first["sign"] < first["scale"] < first["transpose"] < first["missing-factor"]
    assert all(e.rank > 9 for e in found if "; and " in e.message)


def test_a_header_is_edited_and_its_body_is_left_alone():
    loop = ast.parse("for i in range(T - 1):\n    dx[:, i] += 1\n    u = 2").body[0]
    for edit in edits(loop, "dx", scope()):
        assert isinstance(edit.body[0], ast.For)
        assert [ast.unparse(s) for s in edit.body[0].body] == ["dx[:, i] += 1", "u = 2"]


def test_no_function_is_called_that_neither_the_line_nor_forward_names():
    called = []

    def save(x):
        called.append(x)

    def train(x, y):
        called.append(x)

    env = scope() | {"save": save, "train": train, "grad_step": save, "backward": train}
    for line in ("dZ = dA1", "dZ = dA1 * sigmoid(Z1)", "dZ = relu_backward(dA1, Z1)"):
        for edit in edits(line, "dZ", env):
            assert not any(name in ast.unparse(edit.body[0]) for name in ("save", "train", "grad_step", " backward") if edit.body)


def test_hints_are_what_forward_calls_penalises_and_reads_at():
    tree = ast.parse(
        "def forward(X, y, W1, W2, lam):\n"
        "    H = np.tanh(X @ W1)\n"
        "    P = softmax(H @ W2)\n"
        "    data = -np.log(P[np.arange(len(y)), y]).mean()\n"
        "    return data + 0.5 * lam * np.sum(W1 ** 2) + 0.5 * lam * (W2 * W2).sum() / m\n"
    )
    hints = hints_of(tree)
    assert {"np.tanh", "softmax", "np.log"} <= set(hints.calls)
    assert hints.terms == ("lam * W2 / m", "lam * W1")
    assert hints.indices == ("np.arange(len(y)), y",)
    assert 0.5 in hints.constants
    assert hints_of(None) == Hints()
