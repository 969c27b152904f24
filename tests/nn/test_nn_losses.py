"""Losses against the formulas written out here, far from and deep in saturation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn

F = nn.functional
RNG = np.random.default_rng(0)
Z = RNG.normal(size=(5, 3)) * 3
Y = RNG.random((5, 3))
EXTREME = np.array([-1e4, -800.0, -40.0, -1.0, 0.0, 1.0, 40.0, 800.0, 1e4])


def variable(x):
    return ag.Tensor(x, requires_grad=True)


def sigmoid(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


def bce(p, y):
    return -y * np.log(p) - (1 - y) * np.log(1 - p)


REDUCE = {"mean": np.mean, "sum": np.sum, "none": lambda x: x}


@pytest.mark.parametrize("reduction", REDUCE)
@pytest.mark.parametrize(
    ("loss", "x", "y", "each"),
    [
        (nn.BCELoss, sigmoid(Z), Y, bce(sigmoid(Z), Y)),
        (nn.BCEWithLogitsLoss, Z, Y, bce(sigmoid(Z), Y)),
        (nn.MSELoss, Z, Y, (Z - Y) ** 2),
        (
            nn.CrossEntropyLoss,
            Z,
            np.array([0, 2, 1, 1, 0]),
            -np.log(np.exp(Z) / np.exp(Z).sum(1, keepdims=True))[range(5), [0, 2, 1, 1, 0]],
        ),
        (nn.CrossEntropyLoss, Z, Y, -(Y * np.log(np.exp(Z) / np.exp(Z).sum(1, keepdims=True))).sum(1)),
    ],
)
def test_value_and_gradient(loss, x, y, each, reduction):
    function = loss(reduction=reduction)
    np.testing.assert_allclose(function(x, y), REDUCE[reduction](each), rtol=1e-12)
    t = variable(x)
    out = function(t, y)
    np.testing.assert_allclose(out.data, REDUCE[reduction](each), rtol=1e-12)
    out.backward(np.ones(out.shape))
    slope = {
        nn.BCELoss: lambda: (x - y) / (x * (1 - x)),
        nn.BCEWithLogitsLoss: lambda: sigmoid(x) - y,
        nn.MSELoss: lambda: 2 * (x - y),
        nn.CrossEntropyLoss: lambda: softmax_slope(x, y),
    }[loss]()
    np.testing.assert_allclose(t.grad, slope / (each.size if reduction == "mean" else 1), rtol=1e-11, atol=1e-15)


def softmax_slope(x, y):
    p = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    return p - np.eye(3)[y] if y.dtype.kind == "i" else p * y.sum(1, keepdims=True) - y


def test_the_gradient_by_the_labels():
    y = variable(Y)
    F.binary_cross_entropy_with_logits(Z, y, reduction="sum").backward()
    np.testing.assert_allclose(y.grad, -Z, rtol=1e-14)
    y = variable(Y)
    F.binary_cross_entropy(sigmoid(Z), y, reduction="sum").backward()
    np.testing.assert_allclose(y.grad, -Z, rtol=1e-9)


def test_first_and_second_derivatives_of_the_logits_loss_in_both_modes():
    def loss(z):
        return F.binary_cross_entropy_with_logits(z, Y[0], reduction="sum")

    z, t = Z[0], np.array([1.0, -2.0, 0.5])
    slope = sigmoid(z) * (1 - sigmoid(z))
    np.testing.assert_allclose(ag.hessian(loss)(z), np.diag(slope), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(ag.jvp(loss, (z,), (t,))[1], np.sum((sigmoid(z) - Y[0]) * t), rtol=1e-13)


def test_the_logits_loss_is_finite_and_accurate_everywhere():
    for y in (0.0, 1.0, 0.25):
        labels = np.full_like(EXTREME, y)
        expected = (1 - y) * np.logaddexp(0, EXTREME) + y * np.logaddexp(0, -EXTREME)
        np.testing.assert_allclose(F.binary_cross_entropy_with_logits(EXTREME, labels, reduction="none"), expected, rtol=1e-14, atol=1e-300)
        z = variable(EXTREME)
        F.binary_cross_entropy_with_logits(z, labels, reduction="sum").backward()
        np.testing.assert_array_equal(z.grad, sigmoid(EXTREME) - y)


# --- BCELoss looks for the logit ------------------------------------------------------------------

FORMS = {
    "ag.sigmoid": ag.sigmoid,
    "method": lambda z: z.sigmoid(),
    "nn.Sigmoid": nn.Sigmoid(),
    "F.sigmoid": F.sigmoid,
    "1 / (1 + exp(-z))": lambda z: 1 / (1 + np.exp(-z)),
    "1.0 / (1.0 + exp(-z))": lambda z: 1.0 / (1.0 + np.exp(-z)),
    "1 / (exp(-z) + 1)": lambda z: 1 / (np.exp(-z) + 1),
    "np.divide, np.add, np.negative": lambda z: np.divide(1, np.add(1, np.exp(np.negative(z)))),
    "np.reciprocal": lambda z: np.reciprocal(1 + np.exp(-z)),
    "power -1": lambda z: (1 + np.exp(-z)) ** -1.0,
    "exp(-1 * z)": lambda z: 1 / (1 + np.exp(-1 * z)),
    "exp(0 - z)": lambda z: 1 / (1 + np.exp(0 - z)),
    "ones": lambda z: np.ones(z.shape) / (1 + np.exp(-z)),
    "np.float64(1)": lambda z: np.float64(1) / (np.array(1.0) + np.exp(-z)),
}
MOVES = {
    "transpose": lambda a: a.T,
    "index": lambda a: a[:, 0],
    "reshape": lambda a: a.reshape(-1),
    "ravel": np.ravel,
    "squeeze": np.squeeze,
    "expand_dims": lambda a: np.expand_dims(a, 0),
    "two moves": lambda a: a.T[0],
}


@pytest.mark.parametrize("form", FORMS)
def test_bce_of_a_sigmoid_has_the_gradient_of_the_logit(form):
    labels = np.linspace(0, 1, EXTREME.size)
    z = variable(EXTREME)
    with np.errstate(over="ignore"):
        p = FORMS[form](z)
    loss = nn.BCELoss()(p, labels)
    np.testing.assert_allclose(loss.data, F.binary_cross_entropy_with_logits(EXTREME, labels), rtol=1e-15)
    loss.backward()
    np.testing.assert_allclose(z.grad, (p.data - labels) / labels.size, rtol=4e-16)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("form", ["ag.sigmoid", "1 / (1 + exp(-z))"])
def test_the_logit_is_found_behind_moved_elements(form, move):
    z = variable(EXTREME[:, None])
    with np.errstate(over="ignore"):
        p = MOVES[move](FORMS[form](z))
    labels = np.where(p.data > 0.5, 0.0, 1.0)  # every prediction wrong
    nn.BCELoss(reduction="sum")(p, labels).backward()
    np.testing.assert_array_equal(z.grad.ravel(), p.data.ravel() - labels.ravel())


def test_the_logit_is_found_inside_transforms():
    labels = np.ones_like(EXTREME)
    expected = sigmoid(EXTREME) - 1
    with np.errstate(over="ignore"):
        for form in FORMS.values():
            np.testing.assert_allclose(ag.grad(lambda z, f=form: nn.BCELoss(reduction="sum")(f(z), labels))(EXTREME), expected, rtol=4e-16)
        inner = ag.grad(lambda w: np.sum(ag.grad(lambda z: nn.BCELoss(reduction="sum")(ag.sigmoid(z * w), labels))(EXTREME)))(0.0)
    np.testing.assert_allclose(inner, np.sum(0.5 - labels), rtol=1e-12)


NOT_SIGMOIDS = {
    "exp(z)": lambda z: 1 / (1 + np.exp(z * z)),
    "2 / ...": lambda z: 0.5 / (0.5 + np.exp(-z)),
    "0.5 / ...": lambda z: 0.5 / (1 + np.exp(-z)),
    "2 + exp": lambda z: 1 / (2 + np.exp(-z)),
    "exp + 2": lambda z: 1 / (np.exp(-z) + 2),
    "scaled": lambda z: 0.5 * ag.sigmoid(z),
    "tanh": lambda z: (1 + np.tanh(z)) / 2,
    "exp2": lambda z: 1 / (1 + np.exp2(-z)),
    "subtract": lambda z: 1 / (3 - (1 + np.exp(-z)) + 2 * np.exp(-z)),
    "power -2": lambda z: (1 + np.exp(-z)) ** -2.0,
    "broadcast": lambda z: np.ones((2, 1)) / (1 + np.exp(-z)),
}


@pytest.mark.parametrize("form", NOT_SIGMOIDS)
def test_what_is_no_sigmoid_of_z_is_not_taken_for_one(form):
    """Value and gradient are those of the formula, whatever the graph looks like."""
    z0 = np.array([-1.0, 0.3, 2.0])
    f = NOT_SIGMOIDS[form]
    labels = np.broadcast_to([0.2, 1.0, 0.0], f(z0).shape)
    z = variable(z0)
    loss = nn.BCELoss(reduction="sum")(f(z), labels)
    loss.backward()
    np.testing.assert_allclose(loss.data, np.sum(bce(f(z0), labels)), rtol=1e-13)
    numeric = [(np.sum(bce(f(z0 + h), labels)) - np.sum(bce(f(z0 - h), labels))) / 2e-6 for h in np.eye(3) * 1e-6]
    np.testing.assert_allclose(z.grad, numeric, rtol=1e-7)


def test_a_sigmoid_that_was_broadcast_is_not_taken_for_its_logit():
    z = variable([0.5, -1.0, 2.0])
    loss = nn.BCELoss(reduction="none")(np.ones((2, 1)) / (1 + np.exp(-z)), 1.0)
    assert loss.shape == (2, 3)
    np.testing.assert_allclose(loss.data, [np.log1p(np.exp(-z.data))] * 2, rtol=1e-14)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=20), st.integers(0, 2**32 - 1))
def test_bce_of_a_sigmoid_equals_bce_with_logits(z, seed):
    labels = np.random.default_rng(seed).random(len(z))
    a, b = variable(z), variable(z)
    nn.BCELoss()(ag.sigmoid(a), labels).backward()
    nn.BCEWithLogitsLoss()(b, labels).backward()
    np.testing.assert_array_equal(a.grad, b.grad)


def test_bce_of_plain_probabilities_is_clamped_as_pytorchs():
    """torch 2.13.0: F.binary_cross_entropy([0, 1, 0.3, 1e-14], [1, 0, 0.6, 1], reduction="none") in float64, and p.grad."""
    p = variable([0.0, 1.0, 0.3, 1e-14])
    loss = F.binary_cross_entropy(p, [1.0, 0.0, 0.6, 1.0], reduction="none")
    np.testing.assert_allclose(loss.data, [100.0, 100.0, 0.8650536601710546, 32.23619130191664], rtol=1e-14)
    loss.sum().backward()
    np.testing.assert_allclose(p.grad, [-1e12, 1e12, -1.4285714285714286, -1e12], rtol=1e-11)


@pytest.mark.parametrize("function", [F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.mse_loss])
@pytest.mark.parametrize("shapes", [((4,), (4, 1)), ((4, 1), (4,)), ((4, 1), (1, 4)), ((4, 2), (4, 1))])
def test_shapes_that_differ_are_refused(function, shapes):
    x, y = (np.full(s, 0.5) for s in shapes)
    for input_ in (x, variable(x)):
        with pytest.raises(nn.ShapeMismatchError, match=r"got an input of shape .* and a target of shape"):
            function(input_, y)


def test_a_scalar_target_is_for_all_elements():
    np.testing.assert_allclose(F.mse_loss(Z, 1.0), np.mean((Z - 1) ** 2))
    np.testing.assert_allclose(F.binary_cross_entropy_with_logits(Z, 1), np.mean(np.log1p(np.exp(-Z))))


@pytest.mark.parametrize("label", [-0.1, 1.5, 2, np.nan])
def test_labels_outside_the_unit_interval_are_refused(label):
    for function in (F.binary_cross_entropy, F.binary_cross_entropy_with_logits):
        with pytest.raises(ValueError, match=r"label outside \[0, 1\]"):
            function(np.array([0.5, 0.5]), np.array([label, 0.0]))


@pytest.mark.parametrize("p", [-1e-9, 1.1, np.nan])
def test_probabilities_outside_the_unit_interval_are_refused(p):
    with pytest.raises(ValueError, match="put a sigmoid before it"):
        F.binary_cross_entropy(variable([p, 0.5]), [1.0, 0.0])


def test_labels_of_any_dtype_do_not_widen_float32():
    z = variable(Z.astype(np.float32))
    for labels in (Y > 0.5, (Y > 0.5).astype(int), Y):
        for function in (F.binary_cross_entropy_with_logits, F.mse_loss, F.cross_entropy):
            if function is F.cross_entropy and labels.dtype.kind != "f":
                continue
            assert function(z, labels).dtype == np.float32
        assert F.binary_cross_entropy(ag.sigmoid(z), labels).dtype == np.float32


def test_cross_entropy_is_pytorchs():
    """torch 2.13.0: F.cross_entropy(z, t, reduction=...) and z.grad in float64."""
    z0 = [[0.5, -1.0, 2.0], [3.0, 0.0, -200.0]]
    numbers, probabilities = np.array([2, 2]), np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    for target, value, slope in (
        (
            numbers,
            101.64494932411544,
            [[0.08764519607001835, 0.019556286635343725, -0.10720148270536206], [0.4762870634112166, 0.02371293658878339, -0.5]],
        ),
        (
            probabilities,
            0.7449493241154496,
            [
                [-0.012354803929981659, -0.13044371336465627, 0.14279851729463794],
                [-0.023712936588783373, 0.02371293658878339, 3.281625058394624e-89],
            ],
        ),
    ):
        z = variable(z0)
        loss = F.cross_entropy(z, target)
        np.testing.assert_allclose(loss.data, value, rtol=1e-14)
        loss.backward()
        np.testing.assert_allclose(z.grad, slope, rtol=1e-13)
        np.testing.assert_allclose(F.cross_entropy(np.array(z0), target, reduction="sum"), 2 * value, rtol=1e-14)
    deep = np.sin(np.arange(24.0) / 5).reshape(2, 3, 4)
    np.testing.assert_allclose(F.cross_entropy(deep, np.array([[0, 1, 2, 0], [2, 2, 1, 0]])), 1.3551942643285297, rtol=1e-14)
    np.testing.assert_allclose(F.cross_entropy(deep, F.softmax(deep, dim=1)), 1.0092407819078772, rtol=1e-14)
    np.testing.assert_allclose(F.cross_entropy(deep[0, :, 0], np.array(1)), F.cross_entropy(deep[:1, :, 0], np.array([1])))


def test_nll_loss_of_log_softmax_is_cross_entropy():
    target = np.array([0, 2, 1, 1, 0])
    np.testing.assert_array_equal(F.nll_loss(F.log_softmax(Z, dim=1), target), F.cross_entropy(Z, target))


@pytest.mark.parametrize(
    ("target", "error", "message"),
    [
        (np.array([0, 1, 2, 3, 0]), ValueError, r"class numbers must be in 0 \.\.\. 2, got 0 \.\.\. 3"),
        (np.array([0, 1, -1, 2, 0]), ValueError, "class numbers must be in"),
        (np.array([[0], [1], [2], [1], [0]]), nn.ShapeMismatchError, r"expected shape \(5,\)"),
        (np.zeros(5), nn.ShapeMismatchError, r"integer class numbers of shape \(5,\)"),
        (np.zeros(5, bool), TypeError, "must be integers"),
    ],
)
def test_class_targets_that_do_not_fit_are_refused(target, error, message):
    with pytest.raises(error, match=message):
        F.cross_entropy(variable(Z), target)


def test_an_unknown_reduction_is_refused():
    with pytest.raises(ValueError, match="'median' is not known"):
        nn.MSELoss(reduction="median")
    with pytest.raises(ValueError, match="'median' is not known"):
        F.mse_loss(Z, Y, "median")


def test_functional_names():
    x = np.array([-1.0, 2.0])
    np.testing.assert_allclose(F.softplus(x), np.log1p(np.exp(x)))
    np.testing.assert_allclose(F.logsigmoid(x), np.log(sigmoid(x)))
    np.testing.assert_allclose(F.softmax(x), np.exp(x) / np.exp(x).sum())
    np.testing.assert_allclose(F.tanh(variable(x)).data, np.tanh(x))
    np.testing.assert_allclose(F.relu(x), [0.0, 2.0])
    np.testing.assert_allclose(F.linear(x, np.eye(2)), x)


def test_losses_run_on_dask_arrays():
    da = pytest.importorskip("dask.array")
    lazy = da.from_array(Z, chunks=(2, 3))
    labels = da.from_array(Y, chunks=(2, 3))
    w = variable(1.5)
    loss = nn.BCELoss()(ag.sigmoid(w * lazy), labels)
    loss.backward()
    expected = ag.grad(lambda w: nn.BCELoss()(ag.sigmoid(w * Z), Y))(1.5)
    np.testing.assert_allclose(np.asarray(w.grad), expected, rtol=1e-12)
