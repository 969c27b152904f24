"""`ag.compile`: what is data and what is signature, what is refused, and what callers may rely on."""

from __future__ import annotations

import threading
import traceback
import warnings
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

DATA = np.array([1.0, 2.0, 3.0])
RATE = 0.5


def loss(w: Any, x: Any, y: Any) -> Any:
    return np.mean((1 / (1 + np.exp(-(x @ w))) - y) ** 2)


def problem(m: int = 5) -> tuple[Any, ...]:
    rng = np.random.default_rng(0)
    return rng.normal(size=3), rng.normal(size=(m, 3)), rng.normal(size=m)


TRANSFORMED = {
    "value": loss,
    "value and gradient": ag.value_and_grad(loss),
    "gradient of a gradient": ag.grad(lambda w, x, y: np.sum(ag.grad(loss)(w, x, y) ** 2)),
    "hessian": ag.hessian(loss),
    "jacobian": ag.jacobian(lambda w, x, y: np.tanh(x @ w) * y),
    "hvp": lambda w, x, y: ag.hvp(lambda w: loss(w, x, y), (w,), (w + 1,)),
    "jvp": lambda w, x, y: ag.jvp(lambda w: loss(w, x, y), (w,), (np.ones(3),)),
    "containers": lambda w, x, y: {"sum": (w + 1, [x.T]), "n": len(y), "w": w},
    "views": lambda w, x, y: (x.T, x[1:], (x + 1).T, (x + 1)[:, 0], np.reshape(x * 2, -1)),
    "written": lambda w, x, y: _written(w * 2, y),
    "several": lambda w, x, y: np.linalg.svd(x, full_matrices=False)[1],
}


def _written(z: Any, y: Any) -> Any:
    z[1:] = y[:2]
    z[0] += 1
    return z, z * z


@pytest.mark.parametrize("what", TRANSFORMED)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_what_is_compiled_is_what_it_was(what: str, dtype: Any) -> None:
    f = TRANSFORMED[what]
    compiled = ag.compile(f)
    near = 1e-3 if dtype is np.float32 else 1e-9
    for factor in (1, 2, -0.5):
        arrays = [np.asarray(x * factor, dtype) for x in problem()]
        got, wanted = ag.ravel(_arrays(compiled(*arrays)))[0], ag.ravel(_arrays(f(*arrays)))[0]
        assert got.dtype == wanted.dtype == dtype
        np.testing.assert_allclose(got, wanted, near, near)
    assert compiled.signatures == 1


def _arrays(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {k: _arrays(v) for k, v in tree.items() if not isinstance(v, int)}
    return [_arrays(x) for x in tree] if isinstance(tree, (list, tuple)) else tree


def test_arrays_that_a_function_captures_are_data() -> None:
    class Model:
        def __init__(self) -> None:
            self.W = np.arange(6.0).reshape(2, 3)
            self.layers = [np.ones(2), {"b": np.zeros(2)}]
            self.pair = (np.array(2.0), "text")

        def forward(self, x: Any) -> Any:
            return np.exp(DATA) * x + np.sum(self.W.T @ self.layers[0] + self.layers[1]["b"].sum()) * self.pair[0]

    model = Model()
    compiled = ag.compile(model.forward)
    x = np.ones(3)
    np.testing.assert_allclose(compiled(x), model.forward(x))
    model.W = model.W * 3
    model.W[0, 0] = 7
    model.layers[0] = np.full(2, 5.0)
    model.layers[1]["b"][:] = 4
    model.pair = (np.array(3.0), "text")
    np.testing.assert_allclose(compiled(x), model.forward(x))
    before = DATA.copy()
    try:
        DATA[:] = 0.5
        np.testing.assert_allclose(compiled(x), model.forward(x))
    finally:
        DATA[:] = before
    assert isinstance(model.W, np.ndarray)
    assert isinstance(model.layers[0], np.ndarray)


def test_numbers_that_a_function_captures_are_part_of_the_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = ag.compile(lambda x: x * RATE)
    assert compiled(np.ones(2))[0] == 0.5
    monkeypatch.setitem(globals(), "RATE", 0.25)
    assert compiled(np.ones(2))[0] == 0.25
    assert compiled.signatures == 2


def test_floats_among_the_arguments_are_data_and_stay_weak() -> None:
    compiled = ag.compile(lambda x, rate: (x * rate, x * (1 - rate**2)))
    x = np.ones(2, np.float32)
    for rate in (0.1, 0.2, 3.0):
        a, b = compiled(x, rate)
        assert a.dtype == b.dtype == np.float32
        np.testing.assert_array_equal(a, x * rate)
        np.testing.assert_array_equal(b, x * (1 - rate**2))
    assert compiled.signatures == 1
    assert compiled(np.ones(3, np.float32), 0.7)[0][0] == np.float32(0.7)


def test_ints_bools_and_texts_are_part_of_the_signature() -> None:
    compiled = ag.compile(lambda x, n, how="sum": np.sum(x**n) if how == "sum" else x * n)
    assert compiled(DATA, 2) == 14
    assert compiled(DATA, 3) == 36
    np.testing.assert_array_equal(compiled(DATA, 3, how="times"), DATA * 3)
    assert compiled.signatures == 3
    assert compiled(DATA, 2) == 14
    assert compiled.signatures == 3


def _branch(x: Any) -> Any:
    return x if np.sum(x) > 0 else -x


def _branch_inside(x: Any) -> Any:
    return ag.grad(lambda x: np.sum(x * x) if x[0] > 0 else np.sum(x))(x)


def _draw(x: Any) -> Any:
    return x + np.random.default_rng().normal() * 0 + np.random.normal()  # noqa: NPY002


GENERATOR = np.random.default_rng(0)


def _drawing(x: Any) -> Any:
    return x + GENERATOR.normal(size=3)


def _write(x: Any) -> Any:
    x[0] = 1.0
    return x * 2


def _pick(x: Any) -> Any:
    return x[x > 0]


def _loop(x: Any, n: Any) -> Any:
    for _ in range(n[0]):
        x = x * 2
    return x


def _data(x: Any) -> Any:
    return x * np.exp(x.data)


COUNT = [0]


def _count(x: Any) -> Any:
    COUNT[0] += 1
    return x * COUNT[0]


@pytest.mark.parametrize("f", [_branch, _branch_inside, _draw, _drawing, _write, _pick, _loop, _data, _count], ids=lambda f: f.__name__)
def test_what_is_not_one_computation_is_refused_with_its_line(f: Any) -> None:
    state = GENERATOR.bit_generator.state
    given = [np.array([1.0, 2.0, 3.0]), np.array([2])][: f.__code__.co_argcount]
    with pytest.raises(ag.AutogradError) as raised:
        ag.compile(f)(*given)
    assert f.__name__ in str(raised.value) or f"test_compile.py:{f.__code__.co_firstlineno + 1}" in str(raised.value)
    assert GENERATOR.bit_generator.state == state
    assert COUNT == [0]


def test_a_nan_that_goes_in_comes_out_and_inputs_stay_as_they_are() -> None:
    f = ag.value_and_grad(loss)
    compiled = ag.compile(f)
    w, x, y = problem()
    compiled(w, x, y)
    w[1] = np.nan
    kept = [a.copy() for a in (w, x, y)]
    value, gradient = compiled(w, x, y)
    assert np.isnan(value)
    assert np.isnan(gradient).all()
    for a, b in zip((w, x, y), kept, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_naive_cross_entropy_is_finite_and_right_where_it_saturates(dtype: Any) -> None:
    def cost(z: Any, y: Any) -> Any:
        a = 1 / (1 + np.exp(-z))
        return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))

    compiled = ag.compile(ag.value_and_grad(cost))
    z = np.array([[1000.0, -1000.0, 1000.0, -1000.0, 0.5]], dtype)
    y = np.array([[1, 0, 0, 1, 1]], dtype)
    for _ in range(2):
        value, gradient = compiled(z, y)
        np.testing.assert_allclose(value, (2000 + np.log1p(np.exp(-0.5))) / 5, 1e-6)
        np.testing.assert_allclose(gradient, (1 / (1 + np.exp(-np.clip(z, -80, 80))) - y) / 5, 1e-6, 1e-12)
        assert value.dtype == gradient.dtype == dtype


def test_a_zero_that_meets_an_infinity_is_left_to_the_engine() -> None:
    g = ag.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0)))
    compiled = ag.compile(g)
    np.testing.assert_allclose(compiled(np.array([1.0, 2.0])), [1, 0.5])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(compiled(np.array([0.0, 2.0])), [0, 0.5])


def test_results_are_arrays_of_their_own() -> None:
    compiled = ag.compile(lambda x: (x + 1, (x + 1) * 1, (x * 2).T, x))
    x = np.ones((2, 3))
    first = compiled(x)
    kept = [a.copy() for a in first]
    second = compiled(x * 5)
    for a, b in zip(first, kept, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first[3] is x
    for i, a in enumerate(first[:3]):
        for j, b in enumerate((*first[:i], *second)):
            assert not np.may_share_memory(a, b), (i, j)


def test_results_are_reused_where_that_is_asked() -> None:
    compiled = ag.compile(lambda x: np.exp(x), reuse_outputs=True)
    first = compiled(np.zeros(3))
    second = compiled(np.ones(3))
    assert np.may_share_memory(first, second)
    np.testing.assert_allclose(first, np.e)


def test_threads_of_callers_get_their_own_results() -> None:
    f = ag.value_and_grad(loss)
    compiled = ag.compile(f)
    w, x, y = problem(200)
    expected = [f(w + k, x, y) for k in range(8)]
    wrong = []

    def work(k: int) -> None:
        for _ in range(50):
            value, gradient = compiled(w + k, x, y)
            if abs(value - expected[k][0]) > 1e-12 or not np.allclose(gradient, expected[k][1], 1e-10, 1e-12):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_a_compiled_function_is_differentiated_as_it_stands() -> None:
    compiled = ag.compile(loss)
    w, x, y = problem()
    compiled(w, x, y)
    np.testing.assert_allclose(ag.grad(compiled)(w, x, y), ag.grad(loss)(w, x, y))


def test_the_code_can_be_read_and_errors_point_into_the_function_or_into_what_writes() -> None:
    compiled = ag.compile(lambda x: np.linalg.inv(x) + 1)
    compiled(np.eye(2))
    assert "inv(x0)" in compiled.source

    def add(p: Any, c: float) -> None:
        p += 1 / c

    writes = ag.compile(add, in_place=True)
    writes(np.zeros(2), 2.0)
    calls = ((compiled, (np.zeros((2, 2)),), "np.linalg.inv(x) + 1"), (writes, (np.zeros(2), 0.0), "1 / x1"))
    for f, given, line in calls:
        with pytest.raises((np.linalg.LinAlgError, ZeroDivisionError)) as raised:
            f(*given)
        assert any(line in (frame.line or "") for frame in traceback.extract_tb(raised.value.__traceback__))


def test_memory_is_known_beforehand() -> None:
    compiled = ag.compile(lambda x: np.sin(np.exp(x) + 1) * 2)
    with pytest.raises(ag.CompileError, match="not been called"):
        compiled.memory  # noqa: B018
    compiled(np.ones(1000))
    assert compiled.memory <= 2 * 8064


def test_many_signatures_are_warned_of() -> None:
    compiled = ag.compile(lambda x: x + 1, max_signatures=2)
    for n in range(1, 5):
        assert compiled(np.ones(n)).shape == (n,)
    with pytest.warns(ag.CompileWarning, match="compiled 5 times"):
        compiled(np.ones(5))
    assert compiled.signatures == 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled(np.ones(9))


def test_state_that_is_assigned_is_assigned_again_at_each_call() -> None:
    class Layer:
        def __init__(self) -> None:
            self.mean = np.zeros(3)

        def forward(self, x: Any) -> Any:
            self.mean = 0.9 * self.mean + 0.1 * np.mean(x, axis=0)
            self.seen = x * 2
            return x - self.mean

    eager, layer = Layer(), Layer()
    compiled = ag.compile(layer.forward)
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = rng.normal(size=(5, 3))
        np.testing.assert_allclose(compiled(x), eager.forward(x))
        np.testing.assert_allclose(layer.mean, eager.mean)
        np.testing.assert_allclose(layer.seen, eager.seen)
    assert compiled.signatures <= 2


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 3), (2, 0)])
def test_empty_arrays_and_numbers(shape: tuple[int, ...]) -> None:
    f = ag.value_and_grad(lambda x: np.sum(np.tanh(x * 2 + 1) ** 2))
    x = np.ones(shape)
    for got, wanted in zip(ag.compile(f)(x), f(x), strict=True):
        np.testing.assert_allclose(got, wanted)


def test_layouts_of_every_kind() -> None:
    f = ag.value_and_grad(lambda x: np.sum(np.tanh(x.T @ x) * np.reshape(x, -1)[:4].sum()))
    compiled = ag.compile(f)
    a = np.arange(24.0).reshape(4, 6) / 24
    for x in (a, np.asfortranarray(a), a[::-1], np.broadcast_to(a[:1], (4, 6)), np.ascontiguousarray(a.T).T, np.repeat(a, 2, 1)[:, ::2]):
        for got, wanted in zip(compiled(x), f(x), strict=True):
            np.testing.assert_allclose(got, wanted)
    assert compiled.signatures == 1


def test_labels_are_data_and_complex_numbers_too() -> None:
    compiled = ag.compile(ag.value_and_grad(lambda z, labels: -np.mean(ag.log_softmax(z)[np.arange(3), labels])))
    z = np.random.default_rng(0).normal(size=(3, 4))
    for labels in (np.array([0, 1, 2]), np.array([3, 0, 0])):
        value, gradient = compiled(z, labels)
        p = ag.softmax(z)
        np.testing.assert_allclose(value, -np.mean(np.log(p[np.arange(3), labels])))
        np.testing.assert_allclose(gradient, (p - np.eye(4)[labels]) / 3)
    assert compiled.signatures == 1
    c = np.array([1 + 2j, 3.0])
    np.testing.assert_allclose(ag.compile(lambda c: np.abs(c * c) + c.real)(c), np.abs(c * c) + c.real)


@pytest.mark.parametrize("count", [1, 3, 70])
def test_rows_of_a_matrix_of_derivatives_are_computed_together(count: int) -> None:
    def valley(x: Any) -> Any:
        return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)

    x = np.linspace(-1, 2, count)
    compiled = ag.compile(ag.hessian(valley), backend="numpy")
    np.testing.assert_allclose(compiled(x), ag.hessian(valley)(x), rtol=1e-12)
    assert compiled.source.count("\n") < 120


def test_rows_that_no_rule_takes_together_are_computed_one_by_one_without_a_word() -> None:
    def smoothed(x: Any) -> Any:
        return np.convolve(x**2, np.array([1.0, 2.0]))

    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_allclose(ag.compile(ag.jacobian(smoothed), backend="numpy")(x), ag.jacobian(smoothed)(x))


def test_a_captured_zero_is_told_from_one_with_a_sign() -> None:
    kept = {"c": 0.0}
    compiled = ag.compile(lambda x: np.copysign(x, kept["c"]), backend="numpy")
    assert compiled(np.ones(1)) == 1
    kept["c"] = -0.0
    assert compiled(np.ones(1)) == -1


def test_attributes_of_a_class_may_have_any_name() -> None:
    class Scales:
        pass

    setattr(Scales, "in metres'", np.ones(2))
    compiled = ag.compile(lambda x: x * getattr(Scales(), "in metres'"), backend="numpy")
    compiled(np.ones(2))
    setattr(Scales, "in metres'", np.full(2, 3.0))
    np.testing.assert_array_equal(compiled(np.ones(2)), [3, 3])
