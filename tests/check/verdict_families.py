"""Plain passes as everybody writes them, to draw right and wrong ones from: sources, inputs of any scale, and mistakes."""

from __future__ import annotations

import ast
import copy
import linecache
import textwrap
from collections.abc import Callable, Iterator
from itertools import count
from types import SimpleNamespace
from typing import Any

import numpy as np

__all__ = ["FAMILIES", "made", "mistakes"]

Inputs = dict[str, np.ndarray]
_number = count()

LOGISTIC = """
def forward(W, b, X, Y):
    m = X.shape[1]
    Z = W @ X + b
    A = 1 / (1 + np.exp(-Z))
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m

def backward(X, Y, A):
    m = X.shape[1]
    dZ = A - Y
    dW = dZ @ X.T / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    return dW, db
"""

TWO_LAYERS = """
def forward(W1, b1, W2, b2, X, Y):
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = {function}
    Z2 = W2 @ A1 + b2
    return np.sum((Z2 - Y) ** 2) / (2 * m)

def backward(W2, X, Y, Z1, A1, Z2):
    m = X.shape[1]
    dZ2 = (Z2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * {derivative}
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {{"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}}
"""

SOFTMAX = """
def forward(W, b, X, y):
    scores = X @ W + b
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    probs = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    return -np.mean(np.log(probs[np.arange(len(y)), y]))

def backward(W, X, y, probs):
    dscores = probs.copy()
    dscores[np.arange(len(y)), y] -= 1
    dscores /= len(y)
    dW = X.T @ dscores
    db = np.sum(dscores, axis=0)
    dX = dscores @ W.T
    return dW, db, dX
"""

LAYER_NORM = """
def forward(x, gamma, beta):
    mu = np.mean(x, axis=1, keepdims=True)
    var = np.var(x, axis=1, keepdims=True)
    std = np.sqrt(var + 1e-5)
    xhat = (x - mu) / std
    out = gamma * xhat + beta
    return out, (xhat, std, gamma)

def backward(dout, cache):
    xhat, std, gamma = cache
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = dout * gamma
    dx = (dxhat - np.mean(dxhat, axis=1, keepdims=True) - xhat * np.mean(dxhat * xhat, axis=1, keepdims=True)) / std
    return dx, dgamma, dbeta
"""

RNN = """
def forward(Wx, Wh, b, xs, h0):
    hs = {-1: h0}
    for t in range(3):
        hs[t] = np.tanh(Wx @ xs[t] + Wh @ hs[t - 1] + b)
    return 0.5 * sum(np.sum(hs[t] ** 2) for t in range(3))

def backward(Wx, Wh, b, xs, hs):
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(3)):
        dh = hs[t] + dhnext
        draw = (1 - hs[t] * hs[t]) * dh
        dWx += draw @ xs[t].T
        dWh += draw @ hs[t - 1].T
        db += np.sum(draw, axis=1, keepdims=True)
        dhnext = Wh.T @ draw
    return dWx, dWh, db
"""

RIDGE = """
def forward(w, X, y, lam):
    m = len(y)
    error = X @ w - y
    return np.sum(error**2) / (2 * m) + lam / 2 * np.sum(w**2)

def backward(w, X, y, lam, error):
    m = len(y)
    dw = X.T @ error / m + lam * w
    return dw
"""

LAYER = """
class Layer:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return np.tanh(x @ self.W + self.b)

    def backward(self, dout):
        dz = dout * (1 - np.tanh(self.x @ self.W + self.b) ** 2)
        self.dW = self.x.T @ dz
        self.db = np.sum(dz, axis=0)
        dx = dz @ self.W.T
        return dx

def build(seed):
    W, b = weights
    layer = Layer(W.copy(), b.copy())
    return layer.forward, layer.backward
"""


def _logistic(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"W": normal(k, n), "b": normal(k, 1), "X": normal(n, m), "Y": rng.integers(0, 2, (k, m)) + 0.0}


def _two_layers(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"W1": normal(k, n), "b1": normal(k, 1), "W2": normal(2, k), "b2": normal(2, 1), "X": normal(n, m), "Y": normal(2, m)}


def _softmax(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"W": normal(n, k + 1), "b": normal(k + 1), "X": normal(m, n), "y": rng.integers(0, k + 1, m)}


def _layer_norm(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"x": normal(m, n + 1), "gamma": normal(n + 1), "beta": normal(n + 1)}


def _rnn(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"Wx": normal(k, n), "Wh": normal(k, k), "b": normal(k, 1), "xs": normal(3, n, m), "h0": normal(k, m)}


def _ridge(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"w": normal(n, 1), "X": normal(m, n), "y": normal(m, 1), "lam": float(rng.choice([0.01, 0.1, 1.0]))}  # type: ignore[dict-item]


def _layer(normal: Callable[..., Any], rng: np.random.Generator, m: int, n: int, k: int) -> Inputs:
    return {"x": normal(m, n), "W": normal(n, k), "b": normal(k)}


_DEEP = {"GRADIENTS": {f"d{name}": name for name in ("W1", "b1", "W2", "b2")}}
FAMILIES: dict[str, tuple[str, Callable[..., Inputs], dict[str, Any]]] = {
    "logistic": (LOGISTIC, _logistic, {"GRADIENTS": {"dW": "W", "db": "b"}}),
    "tanh net": (TWO_LAYERS.format(function="np.tanh(Z1)", derivative="(1 - A1**2)"), _two_layers, _DEEP),
    "sigmoid net": (TWO_LAYERS.format(function="1 / (1 + np.exp(-Z1))", derivative="A1 * (1 - A1)"), _two_layers, _DEEP),
    "relu net": (TWO_LAYERS.format(function="np.maximum(0, Z1)", derivative="(Z1 > 0)"), _two_layers, _DEEP),
    "softmax": (SOFTMAX, _softmax, {"GRADIENTS": {"dW": "W", "db": "b", "dX": "X"}}),
    "layer norm": (LAYER_NORM, _layer_norm, {"GRADIENTS": {"dx": "x", "dgamma": "gamma", "dbeta": "beta"}, "UPSTREAM": {"dout": 0}}),
    "rnn": (RNN, _rnn, {"GRADIENTS": {"dWx": "Wx", "dWh": "Wh", "db": "b"}}),
    "ridge": (RIDGE, _ridge, {"GRADIENTS": "w"}),
    "class": (LAYER, _layer, {"GRADIENTS": "x", "LEFT": {"dW": "W", "db": "b"}, "UPSTREAM": {"dout": None}}),
}
"""Name -> source, what makes inputs, and what `backward_corpus.truth` asks of a module."""


def made(family: str, seed: int, m: int, scale: float, weight: float, source: str | None = None) -> SimpleNamespace:
    """Return a pass of a family as `backward_corpus.truth` takes it.

    It has m examples of the given scale and weights of another; the source may be another, too.
    """
    text, inputs, more = FAMILIES[family]
    rng = np.random.default_rng(seed)
    n, k = (int(size) for size in rng.integers(1, 5, 2))
    given = inputs(lambda *shape: rng.normal(size=shape), rng, m, n, k)
    for name, value in given.items():
        if np.ndim(value) and np.asarray(value).dtype == float and name != "Y":
            given[name] = value * (scale if name.lower() in ("x", "xs") else weight)
    scope: dict[str, Any] = {"__name__": "somebodys", "np": np, "weights": (given.pop("W"), given.pop("b")) if family == "class" else ()}
    text, filename = source or text, f"<{family} {next(_number)}>"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    exec(compile(text, filename, "exec"), scope)
    names = {name: scope[name] for name in ("forward", "backward", "build") if name in scope}
    return SimpleNamespace(**names, **more, inputs=lambda seed: copy.deepcopy(given))


# --- mistakes -------------------------------------------------------------------------------------


def mistakes(family: str) -> list[tuple[str, str]]:
    """Return what is done wrong and the source, for every mistake of a factor, a sign, a transposed operand or a missing term."""
    tree = ast.parse(textwrap.dedent(FAMILIES[family][0]))
    found = []
    for i in count():
        changed = copy.deepcopy(tree)
        edits = list(_edits(changed))
        if i == len(edits):
            return found
        what, put, value = edits[i]
        put(value)
        found.append((what, ast.unparse(ast.fix_missing_locations(changed)) + "\n"))
    return found


def _edits(tree: ast.Module) -> Iterator[tuple[str, Callable[[Any], None], Any]]:
    """Yield what is done wrong, what puts a node in its place, and the node."""
    backward = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "backward")
    for statement in ast.walk(backward):
        if not isinstance(statement, (ast.Assign, ast.AugAssign)):
            continue
        target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
        name = ast.unparse(target).removeprefix("self.")
        value = statement.value
        if not name.startswith("d") or isinstance(value, ast.Tuple):
            continue
        said = ast.unparse(statement)

        def put(node: ast.expr, statement: Any = statement) -> None:
            statement.value = node

        if not isinstance(value, ast.Call) or "zeros" not in ast.unparse(value):
            for factor in (2.0, 0.5, 10.0, 1.01, -1.0):
                yield f"{said}: times {factor:g}", put, ast.BinOp(ast.Constant(factor), ast.Mult(), value)
        if isinstance(statement, ast.AugAssign):
            other = ast.Sub() if isinstance(statement.op, ast.Add) else ast.Add()
            if isinstance(statement.op, (ast.Add, ast.Sub)):
                yield f"{said}: the other sign", lambda op, statement=statement: setattr(statement, "op", op), other
        yield from ((f"{said}: {what}", put, node) for what, put, node in _inside(statement, "value"))


def _inside(parent: Any, place: str | int) -> Iterator[tuple[str, Callable[[Any], None], Any]]:
    """Yield the mistakes below a place of a node."""
    node = parent[place] if isinstance(place, int) else getattr(parent, place)

    def put(new: ast.expr) -> None:
        if isinstance(place, int):
            parent[place] = new
        else:
            setattr(parent, place, new)

    if isinstance(node, ast.BinOp):
        if isinstance(node.op, (ast.Add, ast.Sub)):
            other = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
            yield "the other sign", put, ast.BinOp(node.left, other, node.right)
        if isinstance(node.op, (ast.Add, ast.Sub, ast.Mult, ast.Div)):
            yield f"without {ast.unparse(node.right)}", put, node.left
        if isinstance(node.op, (ast.Add, ast.Mult)):
            yield f"without {ast.unparse(node.left)}", put, node.right
        if isinstance(node.op, ast.Div):
            yield "times for divided by", put, ast.BinOp(node.left, ast.Mult(), node.right)
        if isinstance(node.op, ast.MatMult):
            yield "operands swapped", put, ast.BinOp(node.right, ast.MatMult(), node.left)
            for side in ("left", "right"):
                operand = getattr(node, side)
                if not (isinstance(operand, ast.Attribute) and operand.attr == "T"):
                    turned = ast.Attribute(operand, "T", ast.Load())
                    yield f"{ast.unparse(operand)} transposed", lambda new, node=node, side=side: setattr(node, side, new), turned
        yield from _inside(node, "left")
        yield from _inside(node, "right")
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield f"{ast.unparse(node)} not transposed", put, node.value
    elif isinstance(node, ast.UnaryOp):
        yield "the other sign", put, node.operand
    elif isinstance(node, ast.Call):
        for i in range(len(node.args)):
            yield from _inside(node.args, i)
