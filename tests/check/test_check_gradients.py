"""check_gradients passes what is right at every scale, and fails what is wrong by one part in a million."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
from autograd_np import errors
from autograd_np.op import TABLE, Case, Op, case

FAR = np.array([1e9, 1e-9, 0.3, 2.0])


def softmax_loss(p: Any, x: Any, y: Any) -> Any:
    scores = np.tanh(x @ p["W"] + p["b"]) @ p["V"]
    return -np.mean(ag.log_softmax(scores)[np.arange(3), y])


RIGHT: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "log": (np.log, (FAR,)),
    "square": (np.square, (FAR,)),
    "sqrt": (np.sqrt, (FAR,)),
    "sin": (np.sin, (FAR,)),
    "cos": (np.cos, (FAR,)),
    "tanh": (np.tanh, (FAR,)),
    "cube": (lambda x: x**3, (-FAR,)),
    "divide": (np.divide, (FAR, FAR[::-1].copy())),
    "exp": (np.exp, (np.array([1e-9, 30.0, -40.0]),)),
    "sigmoid": (ag.sigmoid, (np.array([-40.0, 0.0, 40.0, 2.0]),)),
    "relu away from 0": (ag.relu, (np.array([-1.0, 1.0, 1e9]),)),
    "softmax sums to one": (lambda x: np.sum(ag.softmax(x)), (np.array([0.3, -1.2, 2.0]),)),
    "prod with a zero": (np.prod, (np.array([0.0, 1.0, 2.0, 3.0]),)),
    "inverse": (np.linalg.inv, (np.array([[1.0, 2.0], [3.0, 4.5]]),)),
    "indices": (lambda x, i: x[i], (np.array([0.5, 1.5, 2.5]), np.array([0, 0, 2]))),
    "scalar": (lambda x: x * x, (3.0,)),
    "unused": (lambda x, y: x * 2, (np.ones(2), np.ones(2))),
    "network": (
        softmax_loss,
        (
            {"W": np.array([[0.3, -1.2], [0.7, 0.4]]), "b": np.zeros(2), "V": np.eye(2, 3)},
            np.array([[1.0, 2.0], [0.1, -0.3], [3.0, 0.2]]),
            np.array([0, 2, 1]),
        ),
    ),
    "several results": (lambda x: {"a": np.sin(x), "b": [np.sum(x), np.arange(3)]}, (np.array([0.4, 0.8]),)),
    "complex": (lambda z, x: np.abs(z) ** 2 * np.exp(1j * x) + np.conj(z), (np.array([0.4 - 1j, 2j]), np.array([0.3, 0.7]))),
    "spectrum": (np.fft.rfft, (np.array([0.3, -1.2, 0.5]),)),
    "float32": (lambda W, x: np.tanh(W @ x), (np.array([[0.5, 0.25]], "f"), np.array([1.0, 3.0], "f"))),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_the_engine_is_right(name: str) -> None:
    f, inputs = RIGHT[name]
    report = ag.check_gradients(f, *inputs)
    assert report.verdict == "pass", str(report)
    assert {r.mode for r in report.rows} == {"reverse", "forward", "forward over reverse", "reverse over reverse"}
    report.raise_if_wrong()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["network", "sin", "log", "inverse"])
def test_no_false_alarm_for_other_cotangents(name: str, seed: int) -> None:
    f, inputs = RIGHT[name]
    assert ag.check_gradients(f, *inputs, seed=seed).ok


OPERATIONS = {id(op): (fn, op) for fn, op in TABLE.items() if isinstance(op, Op) and op.kind != "constant"}.values()


@pytest.mark.filterwarnings("ignore:.* broadcast to")
@pytest.mark.parametrize(("fn", "op"), OPERATIONS, ids=[op.name for _, op in OPERATIONS])
def test_every_row_of_the_table_passes(fn: Any, op: Op, rng: np.random.Generator) -> None:
    def arrays(c: Case) -> list[Any]:
        domains = [op.domains[min(i, len(op.domains) - 1)] for i in range(len(c.arrays))]
        return [d.sample(rng, a) if isinstance(a, tuple) else a for d, a in zip(domains, c.arrays, strict=True)]

    if op.domains[0].hermitian:  # the derivative along matrices that are Hermitian
        fn = lambda a, f=fn, **attrs: f((a + np.swapaxes(a, -1, -2)) / 2, **attrs)  # noqa: E731
    if op.name == "eig":  # the phases of its vectors are a matter of choice
        fn = lambda a, f=fn: (f(a)[0], np.abs(f(a)[1]))  # noqa: E731
    for c in op.cases or [case(*[(3,)] * len(op.rules))]:
        if not any(isinstance(a, (tuple, np.ndarray)) for a in c.arrays):
            continue
        values = arrays(c)
        inputs = (values,) if op.variadic else values
        report = ag.check_gradients(lambda *a, attrs=c.attrs: fn(*a, **attrs), *inputs, name=op.name)
        assert report.ok, str(report)


@pytest.mark.parametrize("factor", [1 + 1e-6, 1 - 1e-6, -1.0, 1e-6, 0.0, 2.0, np.nan])
@pytest.mark.parametrize("x", [1e9, 1.0, 0.3, 1e-9])
def test_a_scaled_rule_is_wrong_at_every_scale(factor: float, x: float) -> None:
    op = ag.define(lambda x: np.sin(x), partials=[lambda y, x: factor * np.cos(x)], name="sine")
    report = ag.check_gradients(op, np.array([x, 0.5]), order=1)
    assert report.verdict == "fail"
    assert {r.verdict for r in report.rows} == {"fail"}
    assert not report.ok
    if factor == 2.0:
        assert {round(r.ratio, 9) for r in report.rows} == {2.0}


@given(st.floats(1e-6, 1.0), st.floats(0.05, 3.0), st.booleans())
def test_a_slightly_wrong_vjp(delta: float, x: float, smaller: bool) -> None:
    factor = 1 - delta if smaller else 1 + delta
    op = ag.define(lambda a, b: a @ b, vjp=lambda g, y, a, b: (g @ b.T * factor, a.T @ g), name="product")
    a, b = np.array([[x, 1.0], [-2.0, 0.5]]), np.array([[1.0, 2.0], [x, -1.0]])
    report = ag.check_gradients(op, a, b, order=1)
    assert report.verdict == "fail"
    assert {r.name for r in report.rows if r.verdict == "fail"} == {"a"}
    assert report.rows[0].verdict == "fail"


def test_a_tiny_gradient_of_the_wrong_sign_is_wrong_and_a_large_right_one_is_right() -> None:
    flipped = ag.define(lambda x: x**2, partials=[lambda y, x: -2 * x], name="square")
    assert ag.check_gradients(flipped, np.array([5e-9, 3e-10])).verdict == "fail"
    assert ag.check_gradients(lambda x: 1e6 * np.sin(x) / 3, np.array([0.3, 0.5])).ok


def test_the_forward_rule_is_checked_too() -> None:
    op = ag.define(lambda x: x**2, vjp=lambda g, y, x: g * 2 * x, jvp=lambda t, y, x: 2.5 * x * t[0], name="square")
    report = ag.check_gradients(op, np.array([0.4, 0.8]), order=1)
    assert {(r.mode, r.verdict) for r in report.rows} == {("reverse", "pass"), ("forward", "fail")}


def test_a_rule_that_is_right_once_and_wrong_twice() -> None:
    @ag.custom_gradient
    def cube(x: Any) -> Any:
        frozen = np.asarray(x.data if isinstance(x, ag.Tensor) else x)
        return x**3, lambda g: g * 3 * frozen**2

    assert ag.check_gradients(cube, np.array([0.3, 0.5]), order=1).ok
    report = ag.check_gradients(cube, np.array([0.3, 0.5]))
    assert report.verdict == "fail"
    assert {r.mode for r in report.rows if r.verdict == "fail"} == {"forward over reverse", "reverse over reverse"}


def test_a_rule_that_cannot_be_differentiated_twice_is_not_a_pass() -> None:
    op = ag.define(lambda x: x**2, vjp=lambda g, y, x: g * 2 * np.array(x.tolist()), name="square")
    assert ag.check_gradients(op, np.array([0.3]), order=1).ok
    report = ag.check_gradients(op, np.array([0.3]))
    assert not report.ok


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (ag.relu, [0.0, 1.0]),
        (np.abs, [0.0, 1.0]),
        (np.max, [1.0, 1.0, 0.3]),
        (lambda x: np.maximum(x, 2.0), [2.0, 5.0]),
        (np.linalg.norm, [0.0, 0.0]),
        (lambda z: -np.mean(np.log(1 - 1 / (1 + np.exp(-z)))), [30.0, 1.0]),
    ],
)
def test_a_kink_or_lost_digits_are_inconclusive(f: Any, x: list[float]) -> None:
    report = ag.check_gradients(f, np.array(x))
    assert report.verdict == "inconclusive", str(report)
    assert not report.ok
    assert "kink" in str(report)
    with pytest.raises(errors.CheckFailedError, match="INCONCLUSIVE"):
        report.raise_if_wrong()


def test_a_mistake_elsewhere_is_found_in_spite_of_a_kink() -> None:
    op = ag.define(lambda x: np.maximum(x, 0), partials=[lambda y, x: 1.01 * (x > 0)], name="relu")
    report = ag.check_gradients(op, np.array([0.0, 1.0]), order=1)
    assert report.verdict == "fail"
    assert report.rows[0].index == (1,)
    assert [r.verdict for r in report.rows] == ["fail", "fail", "inconclusive", "inconclusive"]


def test_an_operation_that_computes_something_else_on_tensors() -> None:
    report = ag.check_gradients(lambda x: x * (2.0 if isinstance(x, ag.Tensor) else 3.0), np.array([1.0, 2.0]), order=1)
    assert [(r.name, r.expected, r.actual) for r in report.rows if r.mode == "value"] == [("output 0", 3.0, 2.0), ("output 1", 6.0, 4.0)]


def test_large_arrays_are_sampled_and_swept_in_random_directions(rng: np.random.Generator) -> None:
    W, x = rng.normal(size=(20, 30)), rng.normal(size=30)
    report = ag.check_gradients(lambda W, x: W @ x, W, x, order=1, elements=7)
    assert report.ok
    assert sum(r.name == "W" and r.mode == "reverse" for r in report.rows) == 7
    assert sum(r.index is None for r in report.rows) == 4
    assert "W: 7 of 600 elements" in str(report)
    one = np.zeros((20, 30))
    one[4, 5] = 1.0
    op = ag.define(lambda W, x: W @ x, vjp=lambda g, y, W, x: (g[:, None] * x * (1 + one), W.T @ g), name="product")
    report = ag.check_gradients(op, W, x, order=1, elements=3)
    assert report.verdict == "fail"  # one wrong element among 600, which the sample misses
    assert report.rows[0].index is None


def test_names_indices_order_and_json() -> None:
    op = ag.define(lambda x: x**2, partials=[lambda y, x: np.where(x > 1, 3 * x, 2 * x)], name="square")
    report = ag.check_gradients(lambda p, k: op(p["w"][0]) * k, {"w": [np.array([[0.5, 2.0]])]}, 2, order=1)
    worst = report.rows[0]
    assert (worst.name, worst.index, round(worst.ratio, 9), worst.verdict) == ("p['w'][0]", (0, 1), 1.5, "fail")
    assert [r.verdict for r in report.rows] == ["fail", "fail", "pass", "pass"]
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["verdict"] == "fail"
    assert told["rows"][0]["index"] == [0, 1]
    with pytest.raises(AssertionError, match=r"p\['w'\]\[0\]\[0, 1\]"):
        report.raise_if_wrong()


def test_argnums_and_the_callers_arrays() -> None:
    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])

    def f(x: Any, y: Any) -> Any:
        if not isinstance(x, ag.Tensor):
            y += 0.0 * y
        return x * y

    report = ag.check_gradients(f, x, y, argnums=0)
    assert report.ok
    assert {r.name for r in report.rows} == {"x"}
    assert y.tolist() == [3.0, 4.0]


def test_bad_use() -> None:
    with pytest.raises(errors.DifferentiationError, match=r"check_gradients\(<lambda>\) got no floating input"):
        ag.check_gradients(lambda i: i, np.arange(3))
    with pytest.raises(errors.DifferentiationError, match="input 0 holds int64"):
        ag.check_gradients(lambda i: i, np.arange(3, dtype="int64"), argnums=0)
    with pytest.raises(errors.DifferentiationError, match="the result holds no floats, it holds bool"):
        ag.check_gradients(lambda x: x > 0, np.ones(3))
    with pytest.raises(ValueError, match="order=3"):
        ag.check_gradients(np.sin, np.ones(3), order=3)
    noise = np.random.default_rng(0)
    with pytest.raises(errors.DifferentiationError, match="different results"):
        ag.check_gradients(lambda x: x * noise.normal(), np.ones(3))
    with pytest.raises(TypeError, match="argnums"):
        ag.check_gradients(np.sin, np.ones(3), argnums=2)
