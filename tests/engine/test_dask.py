"""The same loss function, unchanged, with X and Y as Dask arrays: same gradients, computed once, or not at all where that is asked."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lazy import computations, nothing_computed

import autograd_np as ag
import nn

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
Callback = pytest.importorskip("dask.callbacks").Callback

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 40))
Y = (RNG.random((1, 40)) < 0.5).astype(float)
PARAMS = {"W1": RNG.normal(size=(3, 2)), "b1": RNG.normal(size=(3, 1)), "W2": RNG.normal(size=(1, 3)), "b2": np.zeros((1, 1))}


def loss(p: Any, X: Any, Y: Any) -> Any:
    """The 2-3-1 network, in plain NumPy."""
    m = X.shape[1]
    A1 = np.tanh(np.dot(p["W1"], X) + p["b1"])
    A2 = 1 / (1 + np.exp(-(np.dot(p["W2"], A1) + p["b2"])))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def stable(p: Any, X: Any, Y: Any) -> Any:
    z = p["W2"] @ ag.relu(p["W1"] @ X + p["b1"]) + p["b2"]
    return np.mean(ag.softplus(z) - Y * z) + 0.1 * np.sum(p["W1"] ** 2) + np.mean(np.where(z > 0, z, 0.1 * z)) + np.mean(ag.sigmoid(z))


def shapes(p: Any, X: Any, Y: Any) -> Any:
    h = (p["W1"] @ X)[1:, ::2].T
    return np.mean(np.maximum(h, 0.1) * h) + np.mean(np.reshape(p["W1"] @ X, (-1,)) ** 2) + np.mean(np.sqrt(np.abs(h) + 1), axis=0)[0]


def chunked() -> tuple[Any, Any]:
    return da.from_array(X, chunks=(2, 16)), da.from_array(Y, chunks=(1, 16))


def plain(x: Any) -> np.ndarray:
    return np.asarray(x.compute(scheduler="synchronous") if hasattr(x, "compute") else x)


def test_the_guard_can_fail() -> None:
    with pytest.raises(pytest.fail.Exception), nothing_computed():
        chunked()[0].sum().compute()


@pytest.mark.parametrize("f", [loss, stable, shapes])
def test_backward(f: Any) -> None:
    reference = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    expected = f(reference, X, Y)
    expected.backward()

    lazy = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    with ag.lazy(), nothing_computed():
        out = f(lazy, *chunked())
        assert isinstance(out, ag.Tensor)
        assert out.requires_grad
        out.backward()
    np.testing.assert_allclose(plain(out.data), expected.data, rtol=1e-12)
    for k in PARAMS:
        if reference[k].grad is None:
            assert lazy[k].grad is None
            continue
        assert lazy[k].grad.shape == PARAMS[k].shape
        np.testing.assert_allclose(plain(lazy[k].grad), reference[k].grad, rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("f", [loss, stable, shapes])
def test_transforms(f: Any) -> None:
    value, expected = ag.value_and_grad(f)(PARAMS, X, Y)
    with ag.lazy(), nothing_computed():
        lazy_value, lazy = ag.value_and_grad(f)(PARAMS, *chunked())
    np.testing.assert_allclose(plain(lazy_value), value, rtol=1e-12)
    for k in PARAMS:
        np.testing.assert_allclose(plain(lazy[k]), expected[k], rtol=1e-10, atol=1e-13)


def test_the_gradient_by_a_dask_array_is_lazy() -> None:
    expected = ag.grad(loss, 1)(PARAMS, X, Y)
    with nothing_computed():
        g = ag.grad(loss, 1)(PARAMS, *chunked())
        assert isinstance(g, da.Array)
    np.testing.assert_allclose(plain(g), expected, rtol=1e-10, atol=1e-13)
    x, y = chunked()
    t = ag.Tensor(x, requires_grad=True)
    with nothing_computed():
        loss(PARAMS, t, y).backward()
    assert isinstance(t.grad, da.Array)
    np.testing.assert_allclose(plain(t.grad), expected, rtol=1e-10, atol=1e-13)


def test_forward_mode_and_second_order() -> None:
    tangent = {k: np.ones_like(v) for k, v in PARAMS.items()}
    expected = ag.jvp(lambda p: loss(p, X, Y), (PARAMS,), (tangent,))[1]
    x, y = chunked()
    with nothing_computed():
        moved = ag.jvp(lambda p: loss(p, x, y), (PARAMS,), (tangent,))[1]
    np.testing.assert_allclose(plain(moved), expected, rtol=1e-10)
    curvature = ag.hvp(lambda p: loss(p, X, Y), (PARAMS,), (tangent,))[0]
    with ag.lazy(), nothing_computed():
        lazy = ag.hvp(lambda p: loss(p, x, y), (PARAMS,), (tangent,))[0]
    for k in PARAMS:
        np.testing.assert_allclose(plain(lazy[k]), curvature[k], rtol=1e-9, atol=1e-12)


def test_where_does_not_leak_nan_from_lazy_arrays_either() -> None:
    x = np.array([2.0, 0.0])
    with np.errstate(all="ignore"):
        g = ag.grad(lambda z: np.sum(np.where(z > 0, np.log(z), 0.0)))(da.from_array(x, chunks=1))
        np.testing.assert_allclose(plain(g), [0.5, 0.0])


# --- what comes back for NumPy's arrays -----------------------------------------------------------


def is_small(found: Any, like: np.ndarray) -> bool:
    return type(found) is np.ndarray and found.shape == like.shape and found.dtype == like.dtype and found.flags.writeable


@pytest.mark.parametrize("f", [loss, stable, shapes])
def test_the_value_and_all_gradients_are_computed_in_one_go(f: Any) -> None:
    value, expected = ag.value_and_grad(f)(PARAMS, X, Y)
    with computations() as counted:
        lazy_value, found = ag.value_and_grad(f)(PARAMS, *chunked())
        assert isinstance(lazy_value, np.floating)
        assert all(is_small(found[k], PARAMS[k]) for k in PARAMS)
    assert len(counted) == 1
    np.testing.assert_allclose(lazy_value, value, rtol=1e-12)
    for k in PARAMS:
        np.testing.assert_allclose(found[k], expected[k], rtol=1e-10, atol=1e-13)


def test_a_gradient_alone_computes_the_loss_no_more_than_it_needs() -> None:
    asked: list[Any] = []

    def watched(p: Any, X: Any, Y: Any) -> Any:
        def look(block: Any) -> Any:
            asked.append(block)
            return block

        return np.sum(np.exp(p["b2"]) * X) + X.map_blocks(look, meta=np.zeros((0, 0))).sum()

    ag.grad(watched)(PARAMS, *chunked())
    assert not asked
    ag.value_and_grad(watched)(PARAMS, *chunked())
    assert asked


def test_backward_computes_the_loss_and_all_gradients_in_one_go() -> None:
    reference = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    loss(reference, X, Y).backward()
    leaves = {k: ag.Tensor(v, requires_grad=True) for k, v in PARAMS.items()}
    with computations() as counted:
        out = loss(leaves, *chunked())
        assert not counted
        out.backward()
        assert out.item() == pytest.approx(float(loss(PARAMS, X, Y)), rel=1e-12)
        assert isinstance(float(out), float)
        assert all(is_small(leaves[k].grad, PARAMS[k]) for k in PARAMS)
    assert len(counted) == 1
    out.backward()  # gradients add up, of the same graph too
    for k in PARAMS:
        np.testing.assert_allclose(leaves[k].grad, 2 * reference[k].grad, rtol=1e-10, atol=1e-13)


def test_pullbacks_and_second_derivatives_by_numpys_arrays() -> None:
    x, y = chunked()
    tangent = {k: np.ones_like(v) for k, v in PARAMS.items()}
    curvature = ag.hvp(lambda p: loss(p, X, Y), (PARAMS,), (tangent,))[0]
    hessian = ag.hessian(lambda b: loss({**PARAMS, "b1": b}, X, Y))(PARAMS["b1"])
    with computations() as counted:
        found = ag.hvp(lambda p: loss(p, x, y), (PARAMS,), (tangent,))[0]
        second = ag.hessian(lambda b: loss({**PARAMS, "b1": b}, x, y))(PARAMS["b1"])
        out, pullback = ag.vjp(lambda p: p["W1"] @ x, PARAMS)
        assert isinstance(out, da.Array)
        assert len(counted) == 2
        assert is_small(pullback(np.ones(out.shape))[0]["W1"], PARAMS["W1"])
    assert len(counted) == 3
    assert type(second) is np.ndarray
    np.testing.assert_allclose(second, hessian, rtol=1e-9, atol=1e-12)
    for k in PARAMS:
        assert is_small(found[k], PARAMS[k])
        np.testing.assert_allclose(found[k], curvature[k], rtol=1e-9, atol=1e-12)


def test_the_jacobian_is_as_large_as_the_data_and_stays_lazy() -> None:
    x, _ = chunked()
    with nothing_computed():
        found = ag.jacobian(lambda w: w @ x)(PARAMS["W2"][:, :2])
    assert isinstance(found, da.Array)
    np.testing.assert_allclose(plain(found), ag.jacobian(lambda w: w @ X)(PARAMS["W2"][:, :2]))
    with nothing_computed():
        rows = ag.jacobian(lambda w: np.sum(w @ x, axis=1))(np.ones((1, 2)))
    np.testing.assert_allclose(plain(rows), ag.jacobian(lambda w: np.sum(w @ X, axis=1))(np.ones((1, 2))))


def test_of_mixed_arguments_the_small_gradients_are_computed_and_the_large_stay_lazy() -> None:
    expected, by_x = ag.grad(loss, (0, 1))(PARAMS, X, Y)
    with computations() as counted:
        found, lazy_by_x = ag.grad(loss, (0, 1))(PARAMS, *chunked())
    assert len(counted) == 1
    assert isinstance(lazy_by_x, da.Array)
    assert all(is_small(found[k], PARAMS[k]) for k in PARAMS)
    np.testing.assert_allclose(plain(lazy_by_x), by_x, rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(found["W1"], expected["W1"], rtol=1e-10, atol=1e-13)


def test_structural_zeros_are_told_from_values_when_gradients_are_computed() -> None:
    data = np.array([2.0, 0.0, 3.0])

    def behind_a_mask(w: Any, x: Any) -> Any:
        return np.sum(np.where(x > 0, np.log(w * x), 0.0))

    def merely_a_value(w: Any, x: Any) -> Any:
        return np.sum(np.sqrt(w * x) ** 2)

    def saturated(w: Any, x: Any) -> Any:
        return np.sum(1 / (1 + np.exp(-w * 1e3 * x)))

    for f, w in ((behind_a_mask, 2.0), (merely_a_value, 2.0), (saturated, -1.0)):
        with np.errstate(all="ignore"), dask.config.set(scheduler="synchronous"):
            expected = ag.grad(f)(w, data)
            np.testing.assert_allclose(ag.grad(f)(w, da.from_array(data, chunks=1)), expected, err_msg=f.__name__)
    assert np.isfinite(expected)


def test_a_dask_array_of_unknown_length_is_refused_by_name() -> None:
    x = da.from_array(np.arange(8.0), chunks=4)
    unknown = x[x > 2]
    with pytest.raises(ag.DifferentiationError, match=r"multiply was recorded on a lazy array of unknown length.*compute_chunk_sizes"):
        ag.grad(lambda w: np.sum(unknown * w))(2.0)
    assert ag.grad(lambda w: np.sum(unknown.compute_chunk_sizes() * w))(2.0) == 25


def test_gradient_descent_as_it_would_be_written_for_arrays() -> None:
    lazy = {k: v.copy() for k, v in PARAMS.items()}
    eager = {k: v.copy() for k, v in PARAMS.items()}
    x, y = chunked()
    with computations() as counted:
        for _ in range(3):
            g = ag.grad(loss)(lazy, x, y)
            lazy = {k: lazy[k] - 0.5 * g[k] for k in lazy}
    assert len(counted) == 3
    for _ in range(3):
        g = ag.grad(loss)(eager, X, Y)
        eager = {k: eager[k] - 0.5 * g[k] for k in eager}
    for k in PARAMS:
        np.testing.assert_allclose(lazy[k], eager[k], rtol=1e-9, atol=1e-12)


def test_a_model_of_nn_trains_unchanged() -> None:
    def trained(x: Any, y: Any) -> tuple[list[float], dict[str, Any]]:
        model = nn.Sequential(nn.Linear(2, 8, rng=0), nn.ReLU(), nn.Linear(8, 3, rng=1), nn.Tanh(), nn.Linear(3, 1, rng=2), nn.Sigmoid())
        optimizer, loss_of, losses = nn.Adam(model.parameters(), lr=0.05), nn.BCELoss(), []
        for _ in range(4):
            optimizer.zero_grad()
            out = loss_of(model(x), y)
            out.backward()
            optimizer.step()
            losses.append(out.item())
        return losses, model.state_dict()

    x, y = chunked()
    losses, state = trained(X.T, Y.T)
    with computations() as counted:
        found, lazy_state = trained(x.T, y.T)
    assert len(counted) == 4
    np.testing.assert_allclose(found, losses, rtol=1e-10)
    for k in state:
        np.testing.assert_allclose(lazy_state[k], state[k], rtol=1e-7, atol=1e-10)


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("f", [loss, stable])
def test_a_graph_holds_no_array_as_large_as_the_data(f: Any, keep: bool) -> None:
    cloudpickle = pytest.importorskip("cloudpickle")
    x, y = da.ones((2, 400_000), chunks=(2, 100_000)), da.zeros((1, 400_000), chunks=(1, 100_000))
    sizes = []

    def weigh(graph: Any, keys: Any, **kwargs: Any) -> Any:
        sizes.append(len(cloudpickle.dumps(dict(graph.__dask_graph__() if hasattr(graph, "__dask_graph__") else graph))))
        return dask.get(graph, keys, **kwargs)

    with dask.config.set(scheduler=weigh):
        if keep:
            with ag.lazy():
                dask.compute(*ag.grad(f)(PARAMS, x, y).values())
        else:
            ag.value_and_grad(f)(PARAMS, x, y)
    assert max(sizes) < 400_000  # bytes, and so less than one a sample


class _Alive(Callback):  # type: ignore[misc]
    """How many bytes of results there are at most while Dask computes."""

    most = 0

    def _posttask(self, key: Any, result: Any, graph: Any, state: Any, worker: Any) -> None:
        self.most = max(self.most, sum(getattr(x, "nbytes", 0) for x in state["cache"].values()))


@pytest.mark.parametrize("blocks", [3, 10, 50])
def test_what_is_in_memory_at_once_does_not_grow_with_the_number_of_blocks(blocks: int) -> None:
    many = da.random.default_rng(0).normal(size=(2, blocks * 1000), chunks=(2, 1000))
    labels = (many[:1] > 0).astype(float)
    with dask.config.set(scheduler="synchronous"), _Alive() as alive:
        ag.value_and_grad(loss)(PARAMS, many, labels)
    assert 0 < alive.most < 25 * 8 * 1000  # so many numbers a sample: five arrays of the hidden layer, ten of the output
