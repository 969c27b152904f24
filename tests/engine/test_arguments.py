"""Which arguments are differentiated, what comes back beside the loss, and parameters as one vector."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

# --- names of arguments ---------------------------------------------------------------------------


def f(x: Any, y: Any = 2.0, *, scale: Any = 3.0) -> Any:
    return np.sum(x**2 * y * scale)


def test_arguments_by_name() -> None:
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(ag.grad(f, argnames="x")(x), [12, 24])
    np.testing.assert_array_equal(ag.grad(f, argnames="x")(x=x), [12, 24])
    assert ag.grad(f, argnames="y")(x, 4.0) == 15
    assert ag.grad(f, argnames="scale")(x, scale=1.0) == 10
    value, g = ag.value_and_grad(f, argnames=("scale", "x"))(x, y=1.0, scale=2.0)
    assert value == 10
    assert list(g) == ["scale", "x"]
    assert g["scale"] == 5
    np.testing.assert_array_equal(g["x"], [4, 8])
    second = ag.grad(lambda s: ag.grad(f, argnames="scale")(x, scale=s) * s)(2.0)
    assert second == 10


def test_arguments_by_name_that_are_not_there() -> None:
    with pytest.raises(TypeError, match="without an argument 'z'"):
        ag.grad(f, argnames="z")(1.0)
    with pytest.raises(TypeError, match="without an argument 'scale'"):
        ag.grad(f, argnames=["x", "scale"])(1.0)
    with pytest.raises(TypeError, match="one way"):
        ag.grad(f, 0, argnames="x")(1.0)


def g(x: Any, y: Any = 2.0, *, scale: Any = 3.0) -> Any:
    return x**2 * y * scale


def test_jacobian_by_name() -> None:
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(ag.jacobian(g, argnames="x")(x), np.diag([12.0, 24]))
    np.testing.assert_array_equal(ag.jacobian(g, argnames="x")(x=x, y=1.0), np.diag([6.0, 12]))
    np.testing.assert_array_equal(ag.jacobian(g, argnames="scale")(x, scale=1.0), 2 * x**2)
    both = ag.jacobian(g, argnames=["scale", "y"])(x, y=1.0, scale=1.0)
    assert list(both) == ["scale", "y"]
    np.testing.assert_array_equal(both["y"], x**2)
    np.testing.assert_array_equal(ag.jacobian(g)(x, scale=1.0), np.diag([4.0, 8]))
    with pytest.raises(TypeError, match="one way"):
        ag.jacobian(g, 0, argnames="x")(x)
    with pytest.raises(TypeError, match=r"jacobian\(g\).*without an argument 'z'"):
        ag.jacobian(g, argnames="z")(x)


def test_hessian_by_name() -> None:
    x = np.array([1.0, 2.0])
    np.testing.assert_array_equal(ag.hessian(f, argnames="x")(x), 12 * np.eye(2))
    np.testing.assert_array_equal(ag.hessian(f, argnames="x")(x=x, scale=1.0), 4 * np.eye(2))
    blocks = ag.hessian(f, argnames=("x", "y"))(x, y=1.0, scale=1.0)
    np.testing.assert_array_equal(blocks["x"]["y"], 2 * x)
    np.testing.assert_array_equal(blocks["y"]["x"], 2 * x)
    assert blocks["y"]["y"] == 0


def test_names_are_found_through_transforms() -> None:
    assert ag.grad(ag.grad(f, argnames="x"), argnames="y")(3.0, 1.0, scale=1.0) == 6
    np.testing.assert_array_equal(ag.jacobian(ag.grad(f), argnames="x")(np.ones(2)), 12 * np.eye(2))
    assert ag.grad(f).__name__ == "f"


def test_keyword_arguments_reach_the_function() -> None:
    x, t = np.array([1.0, 2.0]), np.array([1.0, 0.0])
    out, pullback = ag.vjp(g, x, scale=1.0)
    np.testing.assert_array_equal(out, 2 * x**2)
    assert len(pullback(t)) == 1
    np.testing.assert_array_equal(ag.jvp(g, (x,), (t,), y=1.0, scale=1.0)[1], [2, 0])
    np.testing.assert_array_equal(ag.hvp(f, x, t, y=1.0, scale=1.0), [2, 0])


# --- aux ------------------------------------------------------------------------------------------


def test_aux_comes_back_without_a_gradient() -> None:
    def loss(w: Any) -> Any:
        p = w * 2
        return np.sum(p**2), {"p": p, "note": "text", "count": 3, "w": w}

    w = np.array([1.0, 2.0])
    (value, aux), g = ag.value_and_grad(loss, has_aux=True)(w)
    assert value == 20
    np.testing.assert_array_equal(g, 8 * w)
    assert isinstance(aux["p"], np.ndarray)
    np.testing.assert_array_equal(aux["p"], 2 * w)
    assert (aux["note"], aux["count"]) == ("text", 3)
    assert not np.shares_memory(aux["w"], w)
    g, aux = ag.grad(loss, has_aux=True)(w)
    np.testing.assert_array_equal(g, 8 * w)
    np.testing.assert_array_equal(aux["p"], 2 * w)


def test_aux_of_an_inner_transform_has_a_gradient_in_the_outer() -> None:
    def outer(w: Any) -> Any:
        _, aux = ag.grad(lambda v: (np.sum(v**2), v * w), has_aux=True)(np.ones(2))
        return np.sum(aux)

    np.testing.assert_array_equal(ag.grad(outer)(np.array([3.0, 4.0])), [1, 1])


def test_no_pair_where_one_was_promised() -> None:
    with pytest.raises(ag.DifferentiationError, match=r"pair \(loss, aux\), got Tensor"):
        ag.grad(np.sin, has_aux=True)(1.0)
    with pytest.raises(ag.DifferentiationError, match="has_aux=True"):
        ag.grad(lambda x: (x, x))(1.0)


# --- ravel ----------------------------------------------------------------------------------------

TREES = {
    "dict": {"W": np.arange(6.0).reshape(2, 3), "b": np.ones(2)},
    "nested": [{"a": np.ones((1, 2)), "c": (np.zeros(()), 2.5)}, np.arange(3.0)],
    "array": np.arange(4.0).reshape(2, 2),
    "number": 3.0,
    "empty array": {"a": np.zeros((0, 3)), "b": np.ones(1)},
    "complex beside real": {"a": np.ones(2), "z": np.array([1 + 2j])},
    "float32": {"a": np.ones(2, np.float32)},
    "two precisions": {"a": np.ones(2, np.float32), "b": np.ones(2)},
    "nothing": {},
}


@pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
def test_ravel_and_back(tree: Any) -> None:
    import optree

    vector, unravel = ag.ravel(tree)
    leaves = [np.asarray(x) for x in optree.tree_leaves(tree)]
    assert vector.ndim == 1
    assert vector.size == sum(x.size for x in leaves)
    back = optree.tree_leaves(unravel(vector))
    assert optree.tree_structure(unravel(vector)) == optree.tree_structure(tree)
    for a, b in zip(back, leaves, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
        assert not np.shares_memory(a, vector)
        assert not np.shares_memory(b, vector)


def test_ravel_inside_transforms() -> None:
    tree = {"w": np.array([[1.0, 2.0]]), "b": 3.0}
    vector, unravel = ag.ravel(tree)

    def loss(p: Any) -> Any:
        return np.sum(p["w"] ** 3) * p["b"]

    direct = ag.grad(loss)(tree)
    np.testing.assert_array_equal(ag.grad(lambda v: loss(unravel(v)))(vector), ag.ravel(direct)[0])
    through = ag.grad(lambda p: np.sum(ag.ravel(p)[0] ** 2))(tree)
    np.testing.assert_array_equal(through["w"], 2 * tree["w"])
    ag.check_gradients(lambda v: loss(unravel(v)), vector).raise_if_wrong()


def test_ravel_refuses_what_is_no_vector_of_floats() -> None:
    with pytest.raises(ag.DifferentiationError, match="got int64"):
        ag.ravel({"n": np.arange(3)})
    with pytest.raises(ag.DifferentiationError, match="got"):
        ag.ravel({"n": "text"})
    with pytest.raises(ag.DifferentiationError, match=r"2 numbers, got shape \(3,\)"):
        ag.ravel(np.ones(2))[1](np.ones(3))


def test_scipy_minimises_nested_parameters() -> None:
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    y = X @ [1.0, -2.0, 0.5] + 0.3
    vector, unravel = ag.ravel({"w": np.zeros(3), "b": 0.0})

    def loss(v: Any) -> Any:
        p = unravel(v)
        return np.mean((X @ p["w"] + p["b"] - y) ** 2)

    found = optimize.minimize(ag.value_and_grad(loss), vector, jac=True, method="L-BFGS-B")
    np.testing.assert_allclose(unravel(found.x)["w"], [1.0, -2.0, 0.5], atol=1e-4)
