"""Arrays that live on a device: the same functions, gradients that stay there, and no mixtures. With CuPy and a GPU, and without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from device import DeviceArray, host
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
import nn

RNG = np.random.default_rng(0)
X = RNG.normal(size=(2, 12))
Y = (RNG.random((1, 12)) < 0.5).astype(float)
PARAMS = {"W1": RNG.normal(size=(3, 2)), "b1": RNG.normal(size=(3, 1)), "W2": RNG.normal(size=(1, 3)), "b2": np.zeros((1, 1))}


def loss(p: Any, X: Any, Y: Any) -> Any:
    A1 = np.tanh(np.dot(p["W1"], X) + p["b1"])
    A2 = 1 / (1 + np.exp(-(np.dot(p["W2"], A1) + p["b2"])))
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def on_device(tree: Any, device: str = "gpu:0") -> Any:
    return {k: on_device(v, device) for k, v in tree.items()} if isinstance(tree, dict) else DeviceArray(tree, device)


def test_the_stand_in_refuses_what_cupy_refuses() -> None:
    x = DeviceArray([1.0, 2.0])
    for mixture in (lambda: x + np.ones(2), lambda: np.ones(2) * x, lambda: np.where(np.ones(2) > 0, x, 0), lambda: np.asarray(x)):
        with pytest.raises(TypeError):
            mixture()
    with pytest.raises(ValueError, match="cannot be mixed"):
        x + DeviceArray([1.0, 2.0], "gpu:1")
    assert isinstance(np.sum(x * 2.0 + np.float64(1)), DeviceArray)


def test_value_and_grad_stay_on_the_device() -> None:
    value, expected = ag.value_and_grad(loss)(PARAMS, X, Y)
    found_value, found = ag.value_and_grad(loss)(on_device(PARAMS), on_device(X), on_device(Y))
    assert isinstance(found_value, DeviceArray)
    np.testing.assert_allclose(host(found_value), value, rtol=1e-12)
    for k in PARAMS:
        assert isinstance(found[k], DeviceArray)
        np.testing.assert_allclose(host(found[k]), expected[k], rtol=1e-10, atol=1e-13)


def test_backward_and_a_step_of_an_optimiser() -> None:
    def trained(put: Any) -> tuple[list[float], Any]:
        w = nn.Parameter(put(PARAMS["W1"]))
        optimizer, losses = nn.Adam([w], lr=0.1), []
        for _ in range(3):
            optimizer.zero_grad()
            out = np.mean((w @ put(X)) ** 2)
            out.backward()
            optimizer.step()
            losses.append(float(out))
        return losses, w

    losses, w = trained(np.asarray)
    found, there = trained(DeviceArray)
    np.testing.assert_allclose(found, losses, rtol=1e-12)
    assert isinstance(there.grad, DeviceArray)
    np.testing.assert_allclose(host(there.data), w.data, rtol=1e-10)


def test_higher_orders_and_both_modes() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.sin(x) ** 3 * x)

    x, v = np.array([0.3, -1.2, 2.0]), np.ones(3)
    np.testing.assert_allclose(host(ag.hvp(f, on_device(x), on_device(v))), ag.hvp(f, x, v), rtol=1e-10)
    np.testing.assert_allclose(host(ag.jvp(f, (on_device(x),), (on_device(v),))[1]), ag.jvp(f, (x,), (v,))[1], rtol=1e-10)


@given(st.lists(st.sampled_from([0.0, 1.0, -2.0, 3.0]), min_size=1, max_size=5))
def test_structural_zeros_win_on_a_device_too(numbers: list[float]) -> None:
    x = np.array(numbers)
    for f in (
        lambda z: np.sum(np.where(z > 0, np.log(z), 0.0)),
        lambda z: np.sum(np.sqrt(z * z) ** 2),
        lambda z: np.sum(np.maximum(z, 0.0) * np.where(z == 0, 0.0, 1 / z)),
        lambda z: np.sum(1 / (1 + np.exp(-1000 * z))),
    ):
        with np.errstate(all="ignore"):
            np.testing.assert_allclose(host(ag.grad(f)(on_device(x))), ag.grad(f)(x))


def test_the_device_of_a_tensor() -> None:
    assert ag.Tensor([1.0]).device == "cpu"
    assert ag.Tensor(on_device(X)).device == "gpu:0"
    seen = []
    ag.grad(lambda x: (seen.append(x.device), np.sum(x))[1])(on_device(X))
    assert seen == ["gpu:0"]
    da = pytest.importorskip("dask.array")
    assert ag.Tensor(da.ones(3)).device == "cpu"


def test_a_mixture_of_devices_names_both_operands() -> None:
    w = ag.Tensor(np.ones((3, 2)), requires_grad=True, name="W")
    both = (
        r"operand 0 'W', a numpy\.ndarray of shape \(3, 2\) on cpu and operand 1, a device\.DeviceArray of shape \(2, 12\) on gpu:0; "
        r"move one of them"
    )
    with pytest.raises(ag.DeviceError, match=rf"matmul got arrays of different devices: {both}"):
        w @ on_device(X)
    with pytest.raises(ag.DeviceError, match=r"add got arrays of different devices.*gpu:0.*gpu:1"):
        ag.Tensor(on_device(X), requires_grad=True) + on_device(X, "gpu:1")
    with pytest.raises(ag.DeviceError, match=r"multiply got arrays of different devices"):
        ag.grad(lambda x: np.sum(x * X))(on_device(X))
    with pytest.raises(ag.DeviceError, match=r"multiply got arrays of different devices"):
        ag.hvp(lambda x: np.sum(x * X), on_device(X), on_device(X))
    with pytest.raises(ag.DeviceError, match=r"concatenate got arrays of different devices"):
        np.concatenate([ag.Tensor(on_device(X), requires_grad=True), X])
    t = ag.Tensor(on_device(X), requires_grad=True)
    with pytest.raises(ag.DeviceError, match=r"backward\(seed\) got arrays of different devices"):
        (t * 2).backward(np.ones(X.shape))
    assert issubclass(ag.DeviceError, TypeError)


def test_numbers_go_everywhere() -> None:
    t = ag.Tensor(on_device(X), requires_grad=True)
    np.sum(np.float64(2) * t * 3 + 1).backward()
    np.testing.assert_array_equal(host(t.grad), np.full(X.shape, 6.0))


def test_with_cupy_on_a_gpu() -> None:
    cupy = pytest.importorskip("cupy")
    try:
        there = {k: cupy.asarray(v) for k, v in PARAMS.items()}
    except cupy.cuda.runtime.CUDARuntimeError as error:
        pytest.skip(f"no GPU: {error}")
    value, expected = ag.value_and_grad(loss)(PARAMS, X, Y)
    found_value, found = ag.value_and_grad(loss)(there, cupy.asarray(X), cupy.asarray(Y))
    np.testing.assert_allclose(float(found_value), value, rtol=1e-10)
    for k in PARAMS:
        assert isinstance(found[k], cupy.ndarray)
        np.testing.assert_allclose(found[k].get(), expected[k], rtol=1e-9, atol=1e-12)
    t = ag.Tensor(there["W1"], requires_grad=True)
    assert t.device == there["W1"].device
    with pytest.raises(ag.DeviceError, match="different devices"):
        t + PARAMS["W1"]
