"""ag.vmap: axes and structures, both orders with every transform, nesting, what loops and says so, what is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))
Y = RNG.normal(size=4)
W = RNG.normal(size=(2, 3))
P = {"w": W, "b": RNG.normal(size=2)}


def loss(p: Any, x: Any, y: Any) -> Any:
    return np.sum((np.tanh(p["w"] @ x + p["b"]) - y) ** 2)


def each(f: Any, *columns: Any) -> Any:
    return np.stack([f(*row) for row in zip(*columns, strict=True)])


# --- per-example derivatives ----------------------------------------------------------------------


def test_a_gradient_for_each_example() -> None:
    g = ag.vmap(ag.grad(loss), in_axes=(None, 0, 0))(P, X, Y)
    alone = [ag.grad(loss)(P, x, y) for x, y in zip(X, Y, strict=True)]
    for key, value in g.items():
        assert type(value) is np.ndarray
        assert value.shape == (4, *P[key].shape)
        np.testing.assert_allclose(value, np.stack([a[key] for a in alone]), rtol=1e-12)
    np.testing.assert_allclose(np.mean(g["w"], 0), ag.grad(lambda p: np.mean(ag.vmap(loss, (None, 0, 0))(p, X, Y)))(P)["w"], rtol=1e-12)


TRANSFORMS = {
    "value_and_grad": lambda f: lambda x: ag.value_and_grad(f)(x)[1],
    "vjp": lambda f: lambda x: ag.vjp(f, x)[1](2.0)[0],
    "jvp": lambda f: lambda x: ag.jvp(f, (x,), (np.cos(x),))[1],
    "linearize": lambda f: lambda x: ag.linearize(f, x)[1](x),
    "hvp": lambda f: lambda x: ag.hvp(f, x, np.ones(3)),
    "jacobian": lambda f: ag.jacobian(lambda x: np.sin(x) * f(x)),
    "hessian": ag.hessian,
    "grad of grad": lambda f: ag.grad(lambda x: np.sum(ag.grad(f)(x) ** 2)),
    "checkpoint": lambda f: ag.grad(ag.checkpoint(f)),
}


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_vmap_over_every_transform(transform: Any) -> None:
    f = transform(lambda x: np.sum(np.exp(-x) * np.cumsum(x)) + np.prod(x) * np.max(x))
    np.testing.assert_allclose(ag.vmap(f)(X), each(f, X), rtol=1e-11)


@pytest.mark.parametrize("transform", TRANSFORMS.values(), ids=TRANSFORMS)
def test_every_transform_over_vmap(transform: Any) -> None:
    def many(x: Any) -> Any:
        return np.sum(
            ag.vmap(lambda row, s: np.sum(np.tanh(row * x)) * s[0] + x[s[1]], in_axes=(0, (0, 0)))(X, (Y, np.array([0, 2, 1, 0])))
        )

    def one_by_one(x: Any) -> Any:
        return sum(np.sum(np.tanh(row * x)) * y + x[i] for row, y, i in zip(X, Y, (0, 2, 1, 0), strict=True))

    x = np.array([0.3, -0.8, 1.1])
    np.testing.assert_allclose(transform(many)(x), transform(one_by_one)(x), rtol=1e-11)


def test_vmap_between_two_gradients() -> None:
    def inner(a: Any, x: Any) -> Any:
        return ag.grad(lambda z: np.sum(np.sin(a * z) * z[0]))(x)

    def outer(wrap: Any) -> Any:
        return lambda a: np.sum(wrap(lambda x: inner(a, x)) ** 2)

    a = np.array([0.4, 1.2, -0.7])
    expected = ag.grad(outer(lambda f: np.stack([f(x) for x in X])))(a)
    np.testing.assert_allclose(ag.grad(outer(lambda f: ag.vmap(f)(X)))(a), expected, rtol=1e-11)
    np.testing.assert_allclose(
        ag.hvp(outer(lambda f: ag.vmap(f)(X)), a, a), ag.hvp(outer(lambda f: np.stack([f(x) for x in X])), a, a), rtol=1e-11
    )


def test_backward_through_vmap() -> None:
    w = ag.Tensor(W, requires_grad=True)
    out = ag.vmap(lambda x: np.tanh(w @ x))(X)
    assert isinstance(out, ag.Tensor)
    np.sum(out**2).backward()
    np.testing.assert_allclose(w.grad, ag.grad(lambda w: sum(np.sum(np.tanh(w @ x) ** 2) for x in X))(W), rtol=1e-12)


def test_a_tensor_from_outside_is_written_for_at_its_own_level() -> None:
    """Tensors older and newer than vmap on both sides of every operator."""

    def f(w: Any) -> Any:
        def of_x(x: Any) -> Any:
            return ag.grad(lambda z: np.sum((w - z) * (z / w) + x @ z - x**2 @ (w * z)))(x)

        return np.sum(ag.vmap(of_x)(X) ** 2)

    def g(w: Any) -> Any:
        rows = [ag.grad(lambda z, x=x: np.sum((w - z) * (z / w) + x @ z - x**2 @ (w * z)))(x) for x in X]
        return np.sum(np.stack(rows) ** 2)

    w = np.array([0.7, 1.2, -0.9])
    np.testing.assert_allclose(ag.grad(f)(w), ag.grad(g)(w), rtol=1e-11)


def test_every_way_in_which_an_older_tensor_meets_examples() -> None:
    ways = {
        "method": lambda w, x: w.dot(x) + w.take([0]) * x[0],
        "function": lambda w, x: np.dot(w, x) + np.matmul(w, x) + np.vdot(w, x),
        "primitive": lambda w, x: np.sum(ag.softmax(w * x) + ag.logsumexp(np.stack([w, x]))),
        "joined": lambda w, x: np.sum(np.concatenate([w, x, w * x]) ** 2) + np.sum(np.stack([w, x], axis=1) @ np.ones(2)),
        "chosen": lambda w, x: np.sum(np.where(x > 0, w, x)) + np.sum(np.where(w > 0, x, w)) + np.sum(np.maximum(w, x).clip(-1, w[0])),
        "detached": lambda w, x: np.sum(w.detach() * x + w * x.detach()),
        "several": lambda w, x: np.sum(np.linalg.eigh(np.outer(x, x) + np.diag(w))[0] ** 2),
    }
    w = ag.Tensor(np.array([0.7, -1.2, 0.9]), requires_grad=True)
    for name, f in ways.items():
        grads = []
        for out in (lambda f=f: ag.vmap(lambda x: f(w, x))(X), lambda f=f: np.stack([f(w, ag.Tensor(x)) for x in X])):
            w.grad = None
            np.sum(out() ** 2).backward()
            grads.append(w.grad)
        np.testing.assert_allclose(*grads, rtol=1e-10, err_msg=name)


def test_stop_gradient_and_no_grad_inside() -> None:
    np.testing.assert_allclose(ag.grad(lambda w: np.sum(ag.vmap(lambda x: x * ag.stop_gradient(w * x) * w)(X)))(2.0), 2 * np.sum(X**2))
    np.testing.assert_allclose(ag.vmap(ag.grad(lambda x: np.sum(x * ag.stop_gradient(x))))(X), X)
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(ag.vmap(lambda r: r * ag.stop_gradient(r))(x)))(X), X)

    def cut(x: Any) -> Any:
        with ag.no_grad():
            c = x * 2
        return np.sum(c * x)

    np.testing.assert_allclose(ag.vmap(ag.grad(cut))(X), 2 * X)


def test_a_users_own_rules_inside_and_outside() -> None:
    @ag.custom_gradient
    def halved(x: Any) -> Any:
        return x * 1.0, lambda g: g / 2

    cube = ag.define(lambda x: x**3, partials=[lambda y, x: 30 * x**2])
    mean = ag.define(lambda x: np.mean(x), vjp=lambda g, y, x: np.full(x.shape, 7.0) * g)
    np.testing.assert_allclose(ag.vmap(ag.grad(lambda x: np.sum(halved(x))))(X), 0.5 + 0 * X)
    with pytest.warns(ag.LoopWarning, match="halved"):
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(ag.vmap(halved)(x)))(X), 0.5 + 0 * X)
    for transform in (lambda f: ag.vmap(ag.grad(f))(X), lambda f: ag.grad(lambda x: np.sum(ag.vmap(f)(x)))(X)):
        np.testing.assert_allclose(transform(lambda x: np.sum(cube(x))), 30 * X**2)
        with pytest.warns(ag.LoopWarning, match="in a loop"):
            np.testing.assert_allclose(transform(mean), 7 + 0 * X)


def test_structural_zeros_and_anomalies() -> None:
    x = np.array([[0.0, 2.0], [1.0, 0.0]])
    logs = lambda x: np.sum(np.where(x > 0, np.log(x), 0.0))  # noqa: E731
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.vmap(ag.grad(logs))(x), [[0, 0.5], [1, 0]])
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(ag.vmap(logs)(x)))(x), [[0, 0.5], [1, 0]])
        np.testing.assert_array_equal(ag.vmap(lambda r: ag.jvp(logs, (r,), (np.ones(2),))[1])(x), [0.5, 1])
        np.testing.assert_array_equal(ag.vmap(ag.grad(lambda x: np.sum(np.sqrt(x) ** 2)))(x), [[np.nan, 1], [1, np.nan]])
        with ag.detect_anomaly():
            np.testing.assert_array_equal(ag.vmap(ag.grad(lambda x: np.sum(x**2)))(x), 2 * x)
            with pytest.raises(ag.AnomalyError, match="log"):
                ag.vmap(ag.grad(lambda x: np.sum(np.log(x - 1))))(x)


# --- axes and structures --------------------------------------------------------------------------


def test_axes_of_arguments_and_results() -> None:
    f = lambda x, y: {"o": np.outer(x, y), "s": (np.sum(x), y)}  # noqa: E731
    a, b = RNG.normal(size=(3, 4)), RNG.normal(size=(2, 4, 2))[:, :, 0].T
    out = ag.vmap(f, in_axes=(1, 0), out_axes={"o": 2, "s": (0, -1)})(a, b)
    assert out["o"].shape == (3, 2, 4)
    np.testing.assert_allclose(out["o"], np.stack([np.outer(x, y) for x, y in zip(a.T, b, strict=True)], axis=2))
    np.testing.assert_allclose(out["s"][0], np.sum(a, 0))
    np.testing.assert_array_equal(out["s"][1], b.T)
    np.testing.assert_array_equal(ag.vmap(lambda x: x * 2, in_axes=-1, out_axes=1)(a), a * 2)


def test_axes_inside_containers() -> None:
    params = {"w": RNG.normal(size=(4, 2, 3)), "b": P["b"], "name": "net", "n": None}
    f = lambda p, x: p["w"] @ x + p["b"]  # noqa: E731
    out = ag.vmap(f, in_axes=({"w": 0, "b": None, "name": None, "n": None}, None))(params, X[0])
    np.testing.assert_allclose(out, params["w"] @ X[0] + P["b"])
    with pytest.raises(ValueError, match="in_axes="):
        ag.vmap(f, in_axes=({"w": 0}, None))(params, X[0])


def test_arguments_by_name() -> None:
    def f(x: Any, scale: Any = 2.0, *, shift: Any = 0.0) -> Any:
        return x * scale + shift

    np.testing.assert_allclose(ag.vmap(f)(X, shift=Y), X * 2 + Y[:, None])
    np.testing.assert_allclose(ag.vmap(f, in_axes={"x": 0})(X, shift=X[0]), X * 2 + X[0])
    np.testing.assert_allclose(ag.vmap(f, in_axes={"scale": 0})(X[0], Y), X[0] * Y[:, None])
    np.testing.assert_allclose(ag.vmap(f, in_axes={"x": 1, "shift": 0})(X.T, shift=Y, scale=3.0), X * 3 + Y[:, None])
    with pytest.raises(ValueError, match="in_axes for 'z'"):
        ag.vmap(f, in_axes={"z": 0})(X)


def test_dataclasses_and_what_is_no_array() -> None:
    @dataclasses.dataclass
    class Model:
        w: Any
        name: str
        act: Any = np.tanh

    def f(m: Model, x: Any) -> Model:
        return Model(m.act(m.w @ x), m.name)

    out = ag.vmap(f, in_axes=(None, 0))(Model(W, "m"), X)
    assert out.name == "m"
    np.testing.assert_allclose(out.w, np.tanh(X @ W.T))
    many = ag.vmap(f, in_axes=(0, None))(Model(np.stack([W, W * 2]), "m"), X[0])
    np.testing.assert_allclose(many.w, np.tanh(np.stack([W, W * 2]) @ X[0]))


def test_results_that_do_not_depend_on_the_example() -> None:
    out = ag.vmap(lambda x: (x, 3.0, W, "text", None))(X)
    np.testing.assert_array_equal(out[1], np.full(4, 3.0))
    np.testing.assert_array_equal(out[2], np.broadcast_to(W, (4, 2, 3)))
    assert out[3:] == ("text", None)
    assert all(a.flags.writeable for a in out[:3])
    assert not np.shares_memory(out[0], X)
    assert not np.shares_memory(out[2], W)
    shared = ag.vmap(lambda x: (x, W * 2), out_axes=(0, None))(X)
    np.testing.assert_array_equal(shared[1], W * 2)
    with pytest.raises(ValueError, match="out_axes=None for a result that differs"):
        ag.vmap(lambda x: x, out_axes=None)(X)


def test_arguments_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"vmap\(add\) got arguments with 4 and 3 examples, of shapes \(4, 3\) and \(3,\)"):
        ag.vmap(np.add)(X, X[0])
    with pytest.raises(ValueError, match=r"axis 0 of an argument of shape \(\); give in_axes=None"):
        ag.vmap(np.multiply)(X, 2.0)
    with pytest.raises(ValueError, match="no argument that holds examples"):
        ag.vmap(np.sin, in_axes=None)(X)
    with pytest.raises(ValueError, match="1 in_axes for 2 positional"):
        ag.vmap(np.add, in_axes=(0,))(X, X)
    with pytest.raises(ValueError, match="axis 2 of an argument"):
        ag.vmap(np.sin, in_axes=2)(X)
    with pytest.raises(ValueError, match="out_axes=2 for a result"):
        ag.vmap(np.sum, out_axes=2)(X)
    with pytest.raises(ValueError, match="numbers or None in in_axes"):
        ag.vmap(np.sin, in_axes=("x",))(X)
    with pytest.raises(ag.DifferentiationError, match="got Box"):
        ag.vmap(lambda x: type("Box", (), {})())(X)


def test_no_examples() -> None:
    assert ag.vmap(lambda x: np.tanh(W @ x))(np.zeros((0, 3))).shape == (0, 2)
    assert ag.vmap(ag.grad(lambda x: np.sum(x**2)))(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(ag.DifferentiationError, match=r"no examples, .* asks for a branch"):
        ag.vmap(lambda x: x if x[0] > 0 else -x)(np.zeros((0, 3)))


def test_the_functions_own_errors_come_through() -> None:
    with pytest.raises(ValueError, match="mine"):
        ag.vmap(lambda x: (_ for _ in ()).throw(ValueError("mine")))(X)
    with pytest.raises(ValueError, match="size 3 is different from 2"):
        ag.vmap(lambda x: np.ones(2) @ x)(X)
    with pytest.raises(np.exceptions.AxisError):
        ag.vmap(lambda x: np.sum(x, axis=1))(X)  # the axis of examples is out of reach
    with pytest.raises(np.exceptions.AxisError):
        ag.vmap(lambda x: np.sum(x, axis=-2))(X)
    with pytest.raises(IndexError):
        ag.vmap(lambda x: x[0, 0])(X)


# --- nesting --------------------------------------------------------------------------------------


def test_vmap_in_vmap() -> None:
    table = ag.vmap(lambda x: ag.vmap(lambda y: np.sum(x * y) + y[0] * x[-1])(X))(X)
    np.testing.assert_allclose(table, [[np.sum(x * y) + y[0] * x[-1] for y in X] for x in X])
    deep = ag.vmap(ag.vmap(ag.vmap(lambda a, b: a * b, in_axes=(0, None)), in_axes=(None, 0)), in_axes=(0, None))
    np.testing.assert_allclose(deep(X, Y), X[:, None, :] * Y[None, :, None])
    cube = RNG.normal(size=(2, 4, 3))
    np.testing.assert_allclose(ag.vmap(ag.vmap(np.sort))(cube), np.sort(cube, -1))
    f = ag.grad(lambda x: np.sum(ag.vmap(lambda y: np.sin(x * y))(X)))
    np.testing.assert_allclose(ag.vmap(f)(X), each(f, X), rtol=1e-12)


def test_indices_of_two_vmaps() -> None:
    rows, columns = np.array([[0, 2], [1, 1], [3, 0], [2, 2]]), np.array([2, 0, 1])

    def f(i: Any, j: Any) -> Any:
        return np.take_along_axis(np.take_along_axis(X, i[:, None], axis=0), j[None, None], axis=1)[:, 0]

    found = ag.vmap(ag.vmap(f, in_axes=(None, 0)), in_axes=(0, None))(rows, columns)
    np.testing.assert_array_equal(found, [[X[i, j] for j in columns] for i in rows])

    def read(x: Any) -> Any:
        return ag.vmap(lambda i: ag.vmap(lambda j: ag.vmap(lambda r: r[i] * r[j])(x))(columns))(columns)

    np.testing.assert_array_equal(read(X), [[[r[i] * r[j] for r in X] for j in columns] for i in columns])


def test_rows_of_an_embedding() -> None:
    table, tokens = RNG.normal(size=(5, 3)), np.array([[0, 1], [4, 4], [2, 0]])

    def f(p: Any, t: Any) -> Any:
        return np.sum(np.sin(p[t]) ** 2) + p[t[0], 1] * p[-1, t[1] % 3]

    g = ag.vmap(ag.grad(f), in_axes=(None, 0))(table, tokens)
    np.testing.assert_allclose(g, each(lambda t: ag.grad(f)(table, t), tokens), rtol=1e-12)
    through = ag.grad(lambda p: np.sum(ag.vmap(lambda t: f(p, t))(tokens)))(table)
    np.testing.assert_allclose(through, np.sum(g, 0), rtol=1e-12)
    for axis, mode in ((0, "raise"), (None, "raise"), (-1, "wrap"), (1, "clip")):
        taken = ag.grad(lambda p, t, axis=axis, mode=mode: np.sum(np.sin(np.take(p, t, axis=axis, mode=mode)) ** 2))
        np.testing.assert_allclose(
            ag.vmap(taken, in_axes=(None, 0))(table, tokens), each(lambda t, f=taken: f(table, t), tokens), rtol=1e-12
        )
    np.testing.assert_allclose(ag.vmap(lambda t, x: x[t] * 2)(tokens, RNG.normal(size=(3, 5)) * 0 + np.arange(5)), 2 * tokens)


# --- random programs ------------------------------------------------------------------------------

A3 = RNG.normal(size=3)
STEPS: list[Any] = [
    lambda x, s: x * s,
    lambda x, s: s - x,
    lambda x, s: np.sin(x) + A3,
    lambda x, s: x[::-1] * s[0],
    lambda x, s: np.outer(x, s)[1],
    lambda x, s: np.sort(x),
    lambda x, s: np.cumsum(x * s),
    lambda x, s: x - np.mean(x),
    lambda x, s: np.stack([x, s]).T @ np.ones(2),
    lambda x, s: np.where(x > s, x, s * 2),
    lambda x, s: x[np.argsort(s)],
    lambda x, s: np.reshape(np.concatenate([x, s]), (2, 3))[::-1].sum(0),
    lambda x, s: np.einsum("i,j,j->i", x, s, A3),
    lambda x, s: np.tanh(np.outer(s, A3) @ x),
    lambda x, s: np.diag(x) @ s,
    lambda x, s: np.pad(x, 1)[1:-1] * np.max(s),
    lambda x, s: np.roll(x, 1) + s.sum(),
    lambda x, s: np.linalg.solve(np.eye(3) * 4 + np.outer(x, s) / 9, x),
    lambda x, s: np.take_along_axis(x, np.argsort(-s), 0),
    lambda x, s: np.broadcast_to(x, (2, 3)).mean(0) ** 2 / 3,
    lambda x, s: np.tensordot(np.outer(x, s), A3, 1),
    lambda x, s: np.tile(s, 2)[1:4] - x,
    lambda x, s: ag.softmax(x) * ag.logsumexp(s),
    lambda x, s: np.linalg.norm(s) * x[[2, 0, 0]],
    lambda x, s: np.clip(x, -1, s[1]),
    lambda x, s: ag.grad(lambda z: np.sum(np.sin(z) * s))(x),
    lambda x, s: ag.jvp(np.cos, (x,), (s,))[1],
]


@given(
    st.lists(st.integers(0, len(STEPS) - 1), min_size=1, max_size=5),
    st.integers(0, 2**31),
    st.sampled_from([(0, 0), (0, None), (None, 0), (1, 0)]),
)
def test_random_programs(program: list[int], seed: int, axes: tuple[Any, Any]) -> None:
    rng = np.random.default_rng(seed)
    given_ = [rng.normal(size=(3,) if a is None else (3, 3)) for a in axes]
    columns = [[x] * 3 if a is None else list(np.moveaxis(x, a, 0)) for x, a in zip(given_, axes, strict=True)]

    def f(x: Any, s: Any) -> Any:
        for k in program:
            x = STEPS[k](x, s) / 2
        return x

    np.testing.assert_allclose(ag.vmap(f, in_axes=axes)(*given_), each(f, *columns), rtol=1e-9, atol=1e-11)
    g = ag.grad(lambda x, s: np.sum(f(x, s) ** 2), (0, 1))
    for n, got in enumerate(ag.vmap(g, in_axes=axes)(*given_)):
        np.testing.assert_allclose(got, each(lambda *a, n=n: g(*a)[n], *columns), rtol=1e-8, atol=1e-10)
    whole = ag.grad(lambda x, s: np.sum(ag.vmap(f, in_axes=axes)(x, s) ** 2), (0, 1))(*given_)
    alone = [g(*a) for a in zip(*columns, strict=True)]
    for n, axis in enumerate(axes):
        parts = np.stack([a[n] for a in alone])
        np.testing.assert_allclose(whole[n], np.sum(parts, 0) if axis is None else np.moveaxis(parts, 0, axis), rtol=1e-8, atol=1e-10)
