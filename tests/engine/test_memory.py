"""Memory: no cycles, freed without the collector, little beside the data, gradients freed as they are consumed."""

from __future__ import annotations

import contextlib
import gc
import tracemalloc
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.sweeps import topological


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    """Nothing here may be freed by anything but its reference count."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Tracked(np.ndarray):
    """An ndarray that weak references can watch."""


def tracked(x: Any) -> Any:
    return np.asarray(x, float).view(Tracked)


def network(w: Any, b: Any) -> Any:
    h = np.tanh(np.dot(w, np.ones((3, 4))) + b)
    y = np.concatenate([h, h * 2])[::2]
    z = y.reshape(-1)
    z[0] = 3.0
    return np.sum(np.where(z > 0, z, 0.1 * z) ** 2) + np.max(h) + ag.logsumexp(z)


def cyclic_garbage() -> list[Any]:
    """Return what only the collector could free."""
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        return list(gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()


def test_dropping_the_loss_frees_the_graph_without_the_collector() -> None:
    w, b = ag.Tensor(np.ones((3, 3)), requires_grad=True), ag.Tensor(np.zeros((3, 1)), requires_grad=True)
    loss = network(w, b)
    refs = [weakref.ref(t) for t in _tensors_alive(loss)]
    arrays = [weakref.ref(node.out) for node in topological([loss._node]) if node.op is not None and isinstance(node.out, np.ndarray)]
    assert len(arrays) > 5
    assert all(r() is not None for r in arrays)
    loss.backward()
    del loss
    assert all(r() is None for r in refs)
    assert all(r() is None for r in arrays), "arrays of a dropped graph are still alive"


def _tensors_alive(t: Any) -> list[Any]:
    return [t]


def test_backward_keeps_the_graph_only_as_long_as_the_loss() -> None:
    x = ag.Tensor(np.ones(10), requires_grad=True)
    mid = np.exp(x)
    watched = weakref.ref(mid.data)
    loss = np.sum(mid * mid)
    del mid
    assert watched() is not None
    loss.backward()
    loss.backward()
    assert watched() is not None
    del loss
    assert watched() is None
    assert x.grad is not None


@pytest.mark.parametrize(
    "work",
    [
        pytest.param(lambda w, b: network(ag.Tensor(w, requires_grad=True), ag.Tensor(b, requires_grad=True)).backward(), id="backward"),
        pytest.param(lambda w, b: network(ag.Tensor(w, requires_grad=True), ag.Tensor(b, requires_grad=True)), id="forward-only"),
        pytest.param(lambda w, b: ag.grad(network, (0, 1))(w, b), id="grad"),
        pytest.param(lambda w, b: ag.vjp(network, w, b)[1](np.array(1.0)), id="vjp"),
        pytest.param(lambda w, b: ag.jvp(network, (w, b), (w, b)), id="jvp"),
        pytest.param(lambda w, b: ag.hvp(network, (w, b), (w, b)), id="hvp"),
        pytest.param(lambda w, b: ag.jacobian(lambda x: np.tanh(x) @ x)(w), id="jacobian"),
        pytest.param(lambda w, b: ag.hessian(lambda x: np.sum(x**3))(b), id="hessian"),
        pytest.param(lambda w, b: ag.grad(lambda x: ag.grad(lambda y: np.sum(y**3) * np.sum(x))(x)[0, 0])(w), id="nested"),
        pytest.param(lambda w, b: _in_place(w), id="in-place"),
        pytest.param(lambda w, b: _views(w), id="views"),
        pytest.param(lambda w, b: _refused(w), id="refused"),
    ],
)
def test_no_work_leaves_reference_cycles(work: Any) -> None:
    w, b = np.ones((3, 3)), np.full((3, 1), 0.5)
    work(w, b)  # warm caches
    gc.collect()
    work(w, b)
    mine = [o for o in cyclic_garbage() if type(o).__module__.startswith("autograd_np") or isinstance(o, np.ndarray)]
    assert not mine, f"only the collector could free {mine[:5]}"


def _in_place(w: Any) -> None:
    x = ag.Tensor(w, requires_grad=True)
    y = x * 2
    y += x
    y[0] = y[1] * 2
    np.sum(y).backward()


def _views(w: Any) -> None:
    x = ag.Tensor(w, requires_grad=True)
    y = x * 2
    rows = [y[i] for i in range(3)]
    np.sum(rows[0] * rows[1].T + y.T[0]).backward()


def _refused(w: Any) -> None:
    x = ag.Tensor(w, requires_grad=True)
    y = x * 2
    v = y[0]
    with contextlib.suppress(ag.InPlaceError):
        y += v


def test_the_collector_test_can_fail() -> None:
    x = ag.Tensor([1.0], requires_grad=True)
    y = x * 2
    y._node.attrs = {"cycle": y}
    y._node.out = np.ones(1)
    y._node.attrs["self"] = y._node
    del y
    assert any(type(o).__module__.startswith("autograd_np") for o in cyclic_garbage())


def _bytes_per_node(n: int, step: Any) -> float:
    x = ag.Tensor(1.0, requires_grad=True)
    step(step(x))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    y = x
    for _ in range(n):
        y = step(y)
    used = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert y.requires_grad
    return used / n


@pytest.mark.parametrize(
    ("step", "data"),
    [pytest.param(lambda y: y + 1.0, 32, id="add"), pytest.param(lambda y: y * 1.0001, 32, id="multiply"), pytest.param(np.sin, 32, id="sin"),  # noqa: E501
     pytest.param(lambda y: y**2, 32, id="power"), pytest.param(lambda y: np.sum(y), 32, id="sum")],
)  # fmt: skip
def test_a_node_takes_at_most_400_bytes_beyond_its_data(step: Any, data: int) -> None:
    assert _bytes_per_node(20_000, step) - data <= 400


def test_memory_comes_back_when_the_loss_is_dropped() -> None:
    x = ag.Tensor(np.ones(100), requires_grad=True)

    def epoch() -> None:
        y = x
        for _ in range(300):
            y = np.tanh(y) * 1.01
        x.grad = None
        np.sum(y).backward()

    epoch()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(3):
        epoch()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert left < 20_000, f"{left} bytes stayed after three epochs of 600 nodes of 800 bytes"


def test_backward_frees_each_gradient_as_soon_as_it_is_consumed() -> None:
    x = ag.Tensor(np.ones(20_000), requires_grad=True)
    y = x
    for _ in range(200):
        y = y * 1.001
    loss = np.sum(y)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    loss.backward()
    peak = tracemalloc.get_traced_memory()[1] - before
    tracemalloc.stop()
    assert peak < 10 * 20_000 * 8, f"the sweep held {peak / 160_000:.0f} gradients at a time"


def test_a_constant_branch_is_not_kept() -> None:
    c = ag.Tensor(np.ones(10))
    mid = c * 2
    watched = weakref.ref(mid.data)
    out = mid + 1
    del mid
    assert watched() is None
    assert not out.requires_grad


def test_no_grad_keeps_nothing() -> None:
    w = ag.Tensor(np.ones(10), requires_grad=True)
    with ag.no_grad():
        mid = w * 2
        watched = weakref.ref(mid.data)
        out = mid + 1
    del mid
    assert watched() is None
    assert out._node is None


def test_views_do_not_accumulate_with_their_base() -> None:
    x = ag.Tensor(np.ones(10), requires_grad=True)
    y = x * 1
    for _ in range(2_000):
        np.sum(y[1:])
    assert len(y._storage.fresh) < 200


def test_nodes_have_no_dict() -> None:
    y = ag.Tensor(1.0, requires_grad=True) * 2
    assert not hasattr(y, "__dict__")
    assert not hasattr(y._node, "__dict__")


def test_a_pullback_frees_the_graph_with_itself() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        y = np.exp(x)
        kept.append(weakref.ref(y.data))
        return np.sum(y * y)

    _, pullback = ag.vjp(f, np.ones(10))
    assert kept[0]() is not None
    del pullback
    assert kept[0]() is None
