"""The 2-3-1 network: the engine against the backward pass derived by hand, far into saturation.

"Agree" means: an error of at most 1e-10 (float64) of the size of the terms that are summed. A gradient that is small
because its terms cancel (A2 - Y, or 1 - A1) says nothing relative to itself, so sizes are propagated: each is the
same expression as the gradient with every term by its absolute value.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn

EXAMPLE = Path(__file__).parents[2] / "examples" / "notebook.py"
spec = importlib.util.spec_from_file_location("notebook", EXAMPLE)
notebook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(notebook)

RTOL = {np.float64: 1e-10, np.float32: 1e-5}


def in_layout(x, layout):
    """Return the values of x in C order, in Fortran order, or as a view with strides."""
    if layout == "strided":
        host = np.zeros((2 * x.shape[0], 3 * x.shape[1]), x.dtype)
        host[::2, 1::3] = x
        return host[::2, 1::3]
    return np.array(x, order=layout)


@st.composite
def problems(draw):
    """A network, samples and labels: (parameters, X, Y)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    m = draw(st.one_of(st.integers(1, 5), st.integers(6, 300)))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    layout = draw(st.sampled_from(["C", "F", "strided"]))
    parameters = {}
    for name, value in notebook.initialize_parameters(rng).items():
        parameters[name] = (value * 10 ** draw(st.floats(-3, 3))).astype(dtype)
    X = rng.normal(size=(2, m))
    labels = draw(st.sampled_from(["hard", "soft", "all 0", "all 1"]))
    Y = {"hard": rng.integers(0, 2, (1, m)), "soft": rng.random((1, m)), "all 0": np.zeros((1, m)), "all 1": np.ones((1, m))}[labels]
    return parameters, in_layout(X.astype(dtype), layout), in_layout(Y.astype(dtype), layout)


def sizes(parameters, cache, X, Y):
    """Return the sizes of the terms that each gradient sums, and an absolute error to allow where floats underflow.

    The slope A1 - A1^2 is a difference of two terms. Written out, 1 / (1 + exp(-z)) pulls the cotangent through
    u = 1 + exp(-z) and meets g / u^2, which underflows although g u / u^2 does not: errors up to sqrt(tiny) times
    what the slope multiplies, or of sqrt(tiny) where that is small itself.
    """
    m = X.shape[1]
    A1, A2, W2, X = cache["A1"].astype(float), cache["A2"].astype(float), abs(parameters["W2"].astype(float)), abs(X.astype(float))
    sZ2 = A2 + abs(Y)
    sA1 = W2.T @ sZ2
    sZ1 = sA1 * (A1 + A1**2)
    floor = np.sqrt(np.finfo(parameters["W1"].dtype).tiny) * (1 + sA1)

    def through(s1, s2):
        return {
            "dW1": s1 @ X.T / m,
            "db1": s1.sum(1, keepdims=True) / m,
            "dW2": s2 @ A1.T / m,
            "db2": s2.sum(1, keepdims=True) / m,
        }

    return through(sZ1, sZ2), through(floor, 0 * sZ2)


def assert_agree(found, by_hand, parameters, cache, X, Y):
    size, floor = sizes(parameters, cache, X, Y)
    dtype = parameters["W1"].dtype.type
    for name, expected in by_hand.items():
        got = found[name]
        assert got.shape == expected.shape, name
        assert got.dtype == dtype, name
        assert np.isfinite(expected).all(), name
        assert np.isfinite(got).all(), name
        error = abs(got.astype(float) - expected.astype(float))
        assert (error <= RTOL[dtype] * size[name] + floor[name]).all(), f"{name}: {np.max(error / (size[name] + floor[name])):.2e}"


def forward(X, parameters):
    with np.errstate(over="ignore"):  # exp(-Z) of the plain form, as on plain arrays
        return notebook.forward_propagation(X, parameters)


def forward_stable(X, parameters):
    """The forward pass, features x samples, with ag.sigmoid."""
    A1 = ag.sigmoid(np.dot(parameters["W1"], X) + parameters["b1"])
    return ag.sigmoid(np.dot(parameters["W2"], A1) + parameters["b2"])


def gradients(predict, parameters, Y):
    found = ag.grad(lambda p: nn.BCELoss()(predict(p), Y))(parameters)
    return {f"d{name}": g for name, g in found.items()}


@settings(max_examples=150, deadline=None)
@given(problems())
def test_plain_numpy_forward_pass(problem):
    parameters, X, Y = problem
    cache = forward(X, parameters)[1]
    by_hand = notebook.backward_propagation(parameters, cache, X, Y)
    assert_agree(gradients(lambda p: forward(X, p)[0], parameters, Y), by_hand, parameters, cache, X, Y)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_stable_sigmoid(problem):
    parameters, X, Y = problem
    cache = forward(X, parameters)[1]
    by_hand = notebook.backward_propagation(parameters, cache, X, Y)
    assert_agree(gradients(lambda p: forward_stable(X, p), parameters, Y), by_hand, parameters, cache, X, Y)


@settings(max_examples=150, deadline=None)
@given(problems())
def test_nn(problem):
    parameters, X, Y = problem
    model = notebook.build_model(parameters)
    hidden = model[:2](X.T)
    A2 = model[2:](hidden)
    nn.BCELoss()(A2, Y.T).backward()
    cache = {"A1": hidden.data.T, "A2": A2.data.T}  # the point that nn reached, to compare the backward passes alone
    by_hand = notebook.backward_propagation(parameters, cache, X, Y)
    state = notebook.as_parameters({name: p.grad for name, p in model.named_parameters()})
    assert_agree({f"d{name}": g for name, g in state.items()}, by_hand, parameters, cache, X, Y)


@pytest.mark.parametrize("sign", [-1, 1])
def test_saturated_predictions_still_have_the_gradient_of_the_hand_derived_form(sign):
    """Every prediction is exactly 0 or 1, and wrong: log(A2) is infinite, A2 - Y is not."""
    parameters = notebook.initialize_parameters(3)
    parameters["b2"] = np.full((1, 1), 1000.0 * sign)
    X = np.random.default_rng(0).normal(size=(2, 6))
    A2, cache = forward(X, parameters)
    Y = 1 - A2
    assert set(A2.ravel()) == {(sign + 1) / 2}
    by_hand = notebook.backward_propagation(parameters, cache, X, Y)
    assert by_hand["db2"] == sign
    for predict in (lambda p: forward(X, p)[0], lambda p: forward_stable(X, p)):
        found = gradients(predict, parameters, Y)
        for name, expected in by_hand.items():
            np.testing.assert_allclose(found[name], expected, rtol=1e-13)


def test_a_thousand_epochs_coincide():
    X, Y = notebook.example_data()
    parameters, costs = notebook.train_nn(X, Y, epochs=1000)
    model, model_costs = notebook.train_model(X, Y, epochs=1000)
    assert len(costs) == len(model_costs) == 1000
    np.testing.assert_allclose(model_costs, costs, rtol=1e-10)
    for name, value in notebook.as_parameters(model.state_dict()).items():
        np.testing.assert_allclose(value, parameters[name], rtol=1e-9)
    assert costs[-1] < 0.6 * costs[0]


def test_the_model_of_one_seed_is_the_notebooks():
    """nn.init.normal_ draws what initialize_parameters draws."""
    rng = np.random.default_rng(7)
    normal = nn.init.normal_
    model = nn.Sequential(nn.Linear(2, 3, init=normal, bias_init=normal, rng=rng), nn.Linear(3, 1, init=normal, bias_init=normal, rng=rng))
    for p, value in zip(model.parameters(), notebook.initialize_parameters(7).values(), strict=True):
        np.testing.assert_array_equal(p.data.ravel(), value.ravel())


def test_the_script_prints_a_comparison():
    run = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=True, cwd=EXAMPLE.parents[1], env=_environment())
    assert "cost, last epoch" in run.stdout
    assert "W1 (3, 2), norm" in run.stdout


def _environment():
    import os

    return {**os.environ, "PYTHONPATH": str(EXAMPLE.parents[1])}
