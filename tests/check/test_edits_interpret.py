"""The interpreter executes statements as Python does, and leaves the values it works on as they were."""

from __future__ import annotations

import ast
import copy
import types

import numpy as np
import pytest

from autograd_np.check.watch.interpret import CannotEvaluate, evaluate, execute


def helper(a):
    a += 1
    return a * 2


def scope():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(3, 4))
    layer = types.SimpleNamespace(W=rng.normal(size=(4, 4)), grads={"W": np.zeros((4, 4))}, inner=types.SimpleNamespace(b=np.ones(4)))
    return {
        "np": np, "a": a, "alias": a, "b": rng.normal(size=(3, 4)), "k": 2, "self": layer, "helper": helper, "i": np.array([0, 0, 2]),
        "grads": {"dW": np.ones((3, 4)), "nested": {"x": np.ones(3)}}, "hs": [np.ones(2), np.zeros(2)], "pair": (1.0, 2.0),
        "out": np.zeros((3, 4)),
    }  # fmt: skip


STATEMENTS = [
    ("a = a @ b.T", "a"),
    ("a += b", "a"),
    ("a[1:] *= 2", "a"),
    ("a[a > 0] = 0", "a"),
    ("grads['dW'] += b", "grads['dW']"),
    ("grads['nested']['x'][0] = 5", "grads['nested']"),
    ("self.W = self.W * 2", "self.W"),
    ("self.W += 1", "self.W"),
    ("self.grads['W'] = self.W", "self.grads['W']"),
    ("self.grads['W'][0] += 1", "self.grads['W']"),
    ("self.inner.b -= 3", "self.inner.b"),
    ("hs[0] += 1", "hs"),
    ("hs.append(b)", "hs"),
    ("u, (v, w) = 1, pair", "w"),
    ("u, *v = [1, 2, 3]", "v"),
    ("u = v = a + 1", "v"),
    ("u: float = a.sum()", "u"),
    ("np.add.at(a, i, b)", "a"),
    ("a.fill(3)", "a"),
    ("u = np.clip(a, -1, 1, out=a)", "a"),
    ("u = np.clip(a, -1, 1, a)", "a"),
    ("u = np.add(a, b, out)", "out"),
    ("u = helper(a)", "a"),
    ("del grads['dW']", "grads"),
    ("u = [x * 2 for x in hs if x.sum() > 0]", "u"),
    ("u = {j: h for j, h in enumerate(hs)}", "u"),
    ("u = sum(x * y for x in range(3) for y in range(x))", "u"),
    ("u = list(map(lambda x, y=2: x + y, [1, 2]))", "u"),
    ("u = {'dW' + str(k): a, **grads}", "u"),
    ("u = grads[f'd{\"W\"}'] * 1.0", "u"),
    ("u = f'{k:03d}{k!r}'", "u"),
    ("u = 0 < k < 3 and k not in (5, 6)", "u"),
    ("u = k > 5 or not k", "u"),
    ("u = a if k is None else b", "u"),
    ("u = np.dot(*[a, b.T])", "u"),
    ("u = np.sum(a, **{'axis': 0})", "u"),
    ("for j in range(3):\n    if j == 1:\n        continue\n    a[j] = j", "a"),
    ("for j in range(3):\n    if j == 1:\n        break\nelse:\n    a = 0", "a"),
    ("while k > 0:\n    k -= 1\n    a = a * 2", "a"),
    ("with np.errstate(all='ignore') as u:\n    a = a / 0", "a"),
    ("if k > 1:\n    a = b\nelse:\n    a = -b", "a"),
    ("assert k == 2", "k"),
    ("pass", "a"),
    ("for j, (x, y) in enumerate(zip(a, b)):\n    alias[j] = x * y", "a"),
]


def same(x, y):
    if isinstance(x, types.SimpleNamespace):
        return same(vars(x), vars(y))
    if isinstance(x, dict):
        return x.keys() == y.keys() and all(same(x[k], y[k]) for k in x)
    if isinstance(x, (list, tuple)):
        return len(x) == len(y) and all(map(same, x, y))
    return x is y if callable(x) or isinstance(x, types.ModuleType) else np.array_equal(x, y, equal_nan=isinstance(x, np.ndarray))


@pytest.mark.parametrize(("text", "target"), STATEMENTS, ids=lambda text: text.replace("\n", " "))
def test_a_statement_does_what_python_does_and_leaves_the_values_as_they_were(text, target):
    env, own = scope(), scope()
    with np.errstate(all="ignore"):
        exec(text, own)  # the statement as Python runs it
    value = execute(ast.parse(text).body, env, target)
    assert same(value, eval(target, own))
    untouched = scope()
    assert same({k: v for k, v in env.items() if k != "np"}, {k: v for k, v in untouched.items() if k != "np"})


def test_several_statements_follow_one_another():
    env = scope()
    value = execute(ast.parse("u = b\nu[b <= 0] = 0\nu /= k").body, env, "u")
    assert np.array_equal(value, np.where(scope()["b"] > 0, scope()["b"], 0) / 2)
    assert np.array_equal(env["b"], scope()["b"])
    assert np.array_equal(execute([], env, "a"), env["a"])


def test_an_expression_that_calls_a_helper_changes_nothing():
    env = scope()
    before = copy.deepcopy(env["a"])
    evaluate(ast.parse("helper(a)", mode="eval").body, env)
    assert np.array_equal(env["a"], before)


@pytest.mark.parametrize(
    "text", ["u = missing", "u = a @ a", "import os", "u = a.__class__", "while True:\n    u = 1", "assert k == 3", "u, v = 1"]
)
def test_what_cannot_be_executed_is_said_to_be_so(text):
    with pytest.raises(CannotEvaluate):
        execute(ast.parse(text).body, scope(), "u")
