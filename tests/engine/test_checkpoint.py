"""ag.checkpoint: the same derivatives in less memory, with closures, containers, nesting, and draws that are noticed."""

from __future__ import annotations

import dataclasses
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag

V = np.array([0.4, -1.2, 0.9])
M = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6], [0.2, 0.8, 1.1]])


def layer(p: Any, x: Any, *, gain: float = 1.0) -> Any:
    return {"y": np.tanh(p["w"] @ x + p["b"]) * gain, "s": [np.sum(p["w"]) * x[0]], "count": len(p)}


def loss(wrap: Any, p: Any, x: Any) -> Any:
    for _ in range(3):
        out = wrap(layer)(p, x, gain=1.5)
        x = out["y"] + out["s"][0]
    return np.sum(x**2)


def same(f: Any) -> Any:
    return f


P = {"w": M, "b": V}


def leaves(tree: Any) -> list[Any]:
    return [x for key in sorted(tree) for x in leaves(tree[key])] if isinstance(tree, dict) else [np.asarray(tree)]


def agree(a: Any, b: Any) -> None:
    for x, y in zip(leaves(a), leaves(b), strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-13)


def test_first_order_in_both_modes() -> None:
    with_it, without = (lambda p, x, w=w: loss(w, p, x) for w in (ag.checkpoint, same))
    value, g = ag.value_and_grad(with_it)(P, V)
    assert value == without(P, V)
    agree(g, ag.grad(without)(P, V))
    agree(ag.grad(with_it, 1)(P, V), ag.grad(without, 1)(P, V))
    t = ({"w": M.T, "b": V[::-1]}, V)
    np.testing.assert_allclose(ag.jvp(with_it, (P, V), t), ag.jvp(without, (P, V), t))


def test_higher_orders_in_every_mixture_of_modes() -> None:
    with_it, without = (lambda x, w=w: loss(w, P, x) for w in (ag.checkpoint, same))
    agree(ag.hessian(with_it)(V), ag.hessian(without)(V))
    agree(ag.hvp(with_it, V, V), ag.hvp(without, V, V))

    def twice(f: Any) -> Any:
        return lambda x: ag.jvp(lambda z: ag.jvp(f, (z,), (V,))[1], (x,), (V,))[1]

    agree(twice(with_it)(V), twice(without)(V))
    third = [ag.grad(lambda x, f=f: np.sum(ag.hvp(f, x, V) * V))(V) for f in (with_it, without)]
    agree(*third)
    agree(ag.grad(lambda x: twice(with_it)(x))(V), ag.grad(lambda x: twice(without)(x))(V))


def test_plain_arrays_are_answered_with_plain_arrays() -> None:
    out = ag.checkpoint(layer)(P, V)
    assert type(out["y"]) is np.ndarray
    assert out["count"] == 2
    agree({"y": out["y"]}, {"y": layer(P, V)["y"]})
    assert ag.checkpoint(lambda a, b: a - b)(3, 2) == 1


def test_backward_through_the_tensors_of_a_closure() -> None:
    grads = []
    for wrap in (ag.checkpoint, same):
        w, b = ag.Tensor(M, requires_grad=True), ag.Tensor(V, requires_grad=True)
        scaled = b * 2  # no leaf
        out = wrap(lambda x, w=w, scaled=scaled: np.sin(w.T @ x + scaled) * np.sum(w))(np.ones(3))
        np.sum(out**2).backward()
        grads.append({"w": w.grad, "b": b.grad})
    agree(*grads)


def test_a_closure_over_the_variables_of_a_transform() -> None:
    def f(wrap: Any) -> Any:
        def of_w(w: Any) -> Any:
            inner = wrap(lambda x: np.exp(w.T @ x) + np.sum(w**2))
            return np.sum(inner(np.ones(3)) * inner(w[0]))

        return of_w

    a, b = f(ag.checkpoint), f(same)
    agree(ag.grad(a)(M / 3), ag.grad(b)(M / 3))
    agree(ag.jvp(a, (M / 3,), (M,))[1], ag.jvp(b, (M / 3,), (M,))[1])
    agree(ag.hvp(a, M / 3, M), ag.hvp(b, M / 3, M))
    agree(ag.hessian(a)(M / 3), ag.hessian(b)(M / 3))


def test_closures_over_variables_of_two_levels() -> None:
    def f(wrap: Any) -> Any:
        return ag.grad(lambda a: ag.grad(lambda b: np.sum(wrap(lambda x: np.sin(a * b * x) * b)(V)))(2.0) * a)

    agree(f(ag.checkpoint)(0.7), f(same)(0.7))


def test_a_result_that_only_the_closure_made_or_nothing_at_all() -> None:
    def f(wrap: Any) -> Any:
        return ag.grad(lambda w: np.sum(wrap(lambda x: [w * 2, x, 3.0])(V)[0]))

    agree(f(ag.checkpoint)(V), f(same)(V))
    assert ag.grad(lambda x: ag.checkpoint(lambda z: 3.0)(x))(1.0) == 0
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(ag.checkpoint(lambda z: (z, z))(x)[1]))(V), 1)


def test_dataclasses_integers_and_branches() -> None:
    @dataclasses.dataclass
    class Model:
        w: Any
        steps: int = 2

    def f(model: Model, rows: Any, x: Any) -> Any:
        assert isinstance(rows, np.ndarray)
        for _ in range(model.steps):
            x = np.sin(model.w[rows] @ x)
        return x * 2 if np.sum(x) > 0 else -x

    rows = np.array([2, 0, 1])
    g = ag.grad(lambda m, x: np.sum(ag.checkpoint(f)(m, rows, x)))(Model(M), V)
    agree(g.w, ag.grad(lambda m, x: np.sum(f(m, rows, x)))(Model(M), V).w)


def test_complex_numbers() -> None:
    z = V + 1j * V[::-1]

    def f(wrap: Any) -> Any:
        return lambda z: np.sum(np.abs(wrap(lambda u: {"u": np.exp(u * z), "r": np.real(u)})(z * 2)["u"]))

    agree(ag.grad(f(ag.checkpoint))(z), ag.grad(f(same))(z))


def test_a_structural_zero_stays_one() -> None:
    f = ag.checkpoint(lambda x: np.where(x > 0, np.log(x), 0.0))
    with np.errstate(divide="ignore"):
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(f(x)))(np.array([0.0, 2.0])), [0, 0.5])


def test_random_draws_are_noticed() -> None:
    rng = np.random.default_rng(0)

    def noisy(x: Any) -> Any:
        return x * rng.normal(size=3)

    with pytest.raises(ag.DifferentiationError, match=r"noisy under ag\.checkpoint returned other values"):
        ag.grad(lambda x: np.sum(ag.checkpoint(noisy)(x)))(V)
    seeded = ag.checkpoint(lambda x, seed: x * np.random.default_rng(seed).normal(size=3))
    expected = np.random.default_rng(5).normal(size=3)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(seeded(x, 5)))(V), expected)


def test_a_function_that_meets_other_tensors_is_refused() -> None:
    w = [ag.Tensor(V, requires_grad=True), ag.Tensor(V, requires_grad=True)]
    out = ag.checkpoint(lambda x: x * w[0] + x * w[-1])(V)
    w.pop()
    with pytest.raises(ag.DifferentiationError, match="did not use the Tensors"):
        np.sum(out).backward()


def test_without_recording_nothing_is_recorded() -> None:
    w = ag.Tensor(V, requires_grad=True)
    with ag.no_grad():
        out = ag.checkpoint(lambda x: x * w)(V)
    assert not out.requires_grad
    np.testing.assert_array_equal(out.data, V * V)


def test_the_function_runs_once_more_for_a_gradient() -> None:
    runs = []

    def f(x: Any) -> Any:
        runs.append(1)
        return np.sin(x)

    ag.grad(lambda x: np.sum(ag.checkpoint(f)(x)))(V)
    assert len(runs) == 2


def test_checkpoints_inside_checkpoints() -> None:
    def f(wrap: Any) -> Any:
        return lambda w: np.sum(wrap(lambda x: wrap(lambda y: np.sin(w * y))(np.exp(w * x)))(V))

    agree(ag.grad(f(ag.checkpoint))(V), ag.grad(f(same))(V))
    agree(ag.hessian(f(ag.checkpoint))(V), ag.hessian(f(same))(V))


@given(st.integers(1, 4), st.integers(0, 2**31), st.booleans())
def test_random_programs(depth: int, seed: int, closes: bool) -> None:
    rng = np.random.default_rng(seed)
    steps = [
        lambda x, w: np.tanh(w @ x), lambda x, w: x * np.sum(w), lambda x, w: np.cumsum(x) * w[0], lambda x, w: np.sort(x) + w.T @ x / 4,
        lambda x, w: x[::-1] ** 2 / 3, lambda x, w: np.exp(-(x**2)) + w[:, 1],
    ]  # fmt: skip
    program = [(steps[k], bool(c)) for k, c in zip(rng.integers(len(steps), size=depth), rng.integers(2, size=depth), strict=True)]
    w, x = rng.normal(size=(3, 3)) / 2, rng.normal(size=3)

    def run(wrap: Any) -> Any:
        def f(w: Any, x: Any) -> Any:
            for step, checkpointed in program:
                around = wrap if checkpointed else same
                x = around(lambda x, step=step, w=w: step(x, w))(x) if closes else around(step)(x, w)
            return np.sum(x**2)

        return f

    for k in (0, 1):
        agree(ag.grad(run(ag.checkpoint), k)(w, x), ag.grad(run(same), k)(w, x))
    agree(ag.hvp(run(ag.checkpoint), (w, x), (w, x))[0], ag.hvp(run(same), (w, x), (w, x))[0])


def test_memory_falls() -> None:
    def block(x: Any, w: Any) -> Any:
        for _ in range(20):
            x = np.sin(x * w)
        return x

    def peak(wrap: Any) -> float:
        def f(w: Any) -> Any:
            x = np.ones(50_000)
            for _ in range(10):
                x = wrap(block)(x, w)
            return np.sum(x)

        tracemalloc.start()
        ag.grad(f)(np.float64(0.9))
        high = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return high / x_bytes

    x_bytes = 50_000 * 8
    plain, checkpointed = peak(same), peak(ag.checkpoint)
    assert plain > 2 * 10 * 20  # two arrays an operation: the product and the sine
    assert checkpointed < 2 * 20 + 3 * 10 + 20, (plain, checkpointed)


# --- many examples --------------------------------------------------------------------------------


def test_around_examples_of_an_older_gradient() -> None:
    def f(w: Any, x: Any) -> Any:
        return np.sum(np.tanh(M @ (w * x)))

    xs = np.stack([V, 2 * V, V - 1])
    ways = {
        "values": lambda wrap, w: ag.vmap(wrap(f), in_axes=(None, 0))(w, xs),
        "closure over the parameter": lambda wrap, w: ag.vmap(wrap(lambda x: f(w, x)))(xs),
        "closure over the example": lambda wrap, w: ag.vmap(lambda x: wrap(lambda w: f(w, x))(w))(xs),
        "gradients": lambda wrap, w: ag.vmap(ag.grad(wrap(f)), in_axes=(None, 0))(w, xs),
        "a step of each": lambda wrap, w: ag.vmap(lambda x: f(w - 0.1 * ag.grad(wrap(f))(w, x), x))(xs),
        "gradients by the example": lambda wrap, w: ag.vmap(ag.grad(wrap(lambda x: f(w, x))))(xs),
        "examples of examples": lambda wrap, w: ag.vmap(ag.vmap(wrap(f), in_axes=(None, 0)), in_axes=(0, None))(np.stack([w, -w]), xs),
    }
    for name, way in ways.items():
        plain, around = (lambda w, wrap=wrap, way=way: np.sum(np.sin(way(wrap, w))) for wrap in (lambda f: f, ag.checkpoint))
        np.testing.assert_allclose(ag.grad(around)(V), ag.grad(plain)(V), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(ag.jvp(around, (V,), (V,))[1], ag.jvp(plain, (V,), (V,))[1], rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(ag.grad(ag.checkpoint(around))(V), ag.grad(plain)(V), rtol=1e-12, err_msg=name)
        np.testing.assert_allclose(ag.hessian(around)(V), ag.hessian(plain)(V), rtol=1e-11, err_msg=name)
